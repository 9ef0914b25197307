"""What a test may do to the sandbox Octopus, beside what it may do to every sandbox."""

import hashlib
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from koppel_sandbox import control
from koppel_sandbox.tables import Record, wire

from . import authentication, bookings, seed
from .state import Books, State
from .typed_in import type_in

_DOSSIER_FLAGS = ("module", "bank_module", "dms", "lists_refused", "disabled")
_DOSSIER_FIELDS = ("dossierDescription", "vatNr", "languageCode")
_JOURNAL_FIELDS = ("closed", "protectedPeriod", "closedPeriod", "insertionType", "currencyCode", "lastBookedDocumentNr")


def _dossier(state: State, body: dict[str, Any]) -> None:
    number = int(body["dossier"])
    if str(number) not in state.tables["dossiers"]:
        seed.add_dossier(state, number, str(body.get("dossierDescription", number)), str(body.get("vatNr", "")))
        for name, user in state.tables["users"].items():
            user["dossiers"] = [*user["dossiers"], number]
            state.tables["users"].touch(name)
    found = state.tables["dossiers"][str(number)]
    found |= {f"@{name}": bool(body[name]) for name in _DOSSIER_FLAGS if name in body}
    found |= {name: str(body[name]) for name in _DOSSIER_FIELDS if name in body}
    state.tables["dossiers"].touch(str(number))


def _user(state: State, body: dict[str, Any]) -> None:
    users = state.tables["users"]
    user = users[body["user"]]
    for name in ("password", "locked", "module", "dossiers", "without_webservice"):
        if name in body:
            user[name] = body[name]
    if body.get("locked") is False:
        user["wrong_passwords"] = 0
    denied = [one for one in user["denied"] if one not in body.get("allow", [])]
    user["denied"] = denied + [one for one in body.get("deny", []) if one not in denied]
    users.touch(body["user"])


def _software_house(state: State, body: dict[str, Any]) -> None:
    houses = state.tables["software_houses"]
    new: Record = {"name": body["uuid"], "enabled": True, "redirect_uris": []}
    change: Record = {name: body[name] for name in ("name", "enabled", "redirect_uris") if name in body}
    houses[body["uuid"].lower()] = {**houses.get(body["uuid"].lower(), new), **change}


def _tokens(state: State, body: dict[str, Any]) -> int:
    """Let tokens die: the dossier tokens of one dossier or all, with ``logins`` the login tokens too."""
    dossier = body.get("dossier")
    return authentication.kill_tokens(state, None if dossier is None else int(dossier), logins=bool(body.get("logins")))


def _journal(state: State, body: dict[str, Any]) -> None:
    """Change a journal of one bookyear or of all; a new one stays hidden until it is synchronised (43)."""
    books, key = _books(state, body), str(body["journal"])
    years = [int(body["bookyear"])] if "bookyear" in body else [int(year) for year in books.bookyears]
    for year in years:
        if f"{year}/{key}" not in books.journals:
            seed.add_journal(books, year, key, str(body.get("name", key)), hidden=True)
        journal = books.journals[f"{year}/{key}"]
        journal |= {name: body[name] for name in _JOURNAL_FIELDS if name in body}
        if "held_by" in body:
            journal["@held_by"] = str(body["held_by"] or "")
        bookings.touch_journal(books, journal)


def _synchronise(state: State, body: dict[str, Any]) -> int:
    """Do File > Synchronise: journals that were made show (43)."""
    books = _books(state, body)
    hidden = [journal for journal in books.journals.values() if journal["@hidden"]]
    for journal in hidden:
        journal["@hidden"] = False
        bookings.touch_journal(books, journal)
    return len(hidden)


def _bookyear(state: State, body: dict[str, Any]) -> None:
    """Close or open a bookyear; one that is not there is made for the calendar ``year``, or taken away with ``delete``."""
    books, key = _books(state, body), str(body["bookyear"])
    if body.get("delete"):
        del books.bookyears[key]
        return
    if key not in books.bookyears:
        seed.add_bookyear(books, int(key), int(body["year"]), months=int(body.get("months", 3)))
    if "closed" in body:
        books.bookyears[key]["closed"] = bool(body["closed"])
        books.bookyears.touch(key)


def _bank_account(state: State, body: dict[str, Any]) -> None:
    books, key = _books(state, body), str(body["journal"])
    account = books.bank_accounts.get(key, {"journalKey": key, "iban": "", "bic": "", "balance": Decimal(0)})
    account |= {name: str(body[name]) for name in ("iban", "bic") if name in body}
    if "balance" in body:
        account["balance"] = Decimal(str(body["balance"]))
    books.bank_accounts[key] = account


def _type_in(state: State, body: dict[str, Any]) -> str:
    """Book a document by hand; return the key of the booking."""
    booking = type_in(
        _books(state, body),
        sells=bool(body["sells"]),
        number=str(body["number"]),
        issued_on=date.fromisoformat(body["issued_on"]),
        total=Decimal(str(body["total"])),
        name=str(body["name"]),
        vat_number=str(body["vat_number"]),
    )
    return bookings.key_of(booking)


def _record(state: State, body: dict[str, Any]) -> int:
    """Change records of a table, as a person does in Octopus: block an account, correct a booking, ``delete`` one."""
    books = _books(state, body)
    table = books.table(body["table"])
    where = body["where"].items()
    found = [key for key, row in table.items() if all(str(row.get(name)) == str(value) for name, value in where)]
    for key in found:
        if not body.get("delete"):
            row = table[key]
            amounts = {name for name, value in row.items() if isinstance(value, Decimal)}
            row |= {name: Decimal(str(to)) if name in amounts else to for name, to in body["set"].items()}
            books.put(table, key, row)
        elif body["table"] == "bookings":
            bookings.remove(books, key)
        else:
            del table[key]
    return len(found)


def _books(state: State, body: dict[str, Any]) -> Books:
    return state.books(int(body["dossier"]))


async def _records(request: Request) -> Response:
    state: State = request.app.state.sandbox
    books = state.books(request.path_params["dossier"])
    return control.shown([wire(row) for row in books.table(request.path_params["table"]).values()])


async def _ledger(request: Request) -> Response:
    state: State = request.app.state.sandbox
    return control.shown(ledger(state.books(request.path_params["dossier"])))


def ledger(books: Books) -> Record:
    """Return the books as a person reads them: bookings with their relation, VAT by code and files; statements; documents."""
    attached: dict[str, list[Record]] = defaultdict(list)
    for row in books.files.values():
        attached[row["@booking"]].append(row)
    return {
        "bookings": [_booking(books, key, attached[key]) for key in books.bookings],
        "financialBookings": [wire(row) for row in books.financial_bookings.values()],
        "statements": [wire(row) for row in books.statements.values()],
        "importViewer": [{**wire(row), **_content(row)} for row in books.imports.values()],
    }


def _booking(books: Books, key: str, attached: list[Record]) -> Record:
    booking = books.bookings[key]
    relation = books.relations.get(str(booking["relationIdentificationServiceData"]["relationKey"]["id"]), {})
    vat: dict[str, dict[str, Decimal]] = {}
    for line in booking["bookingLines"]:
        sums = vat.setdefault(line["vatCodeKey"], {"base": Decimal(0), "vat": Decimal(0)})
        sums["base"] += line["baseAmount"]
        sums["vat"] += line["vatAmount"]
    return {
        "key": key,
        **wire(booking),
        "relation": {name: relation.get(name) for name in ("name", "vatNr")},
        "creditNote": booking["amount"] < 0,
        "vatByCode": vat,
        "files": [{"fileName": row["fileName"], **_content(row)} for row in attached],
    }


def _content(record: Record) -> Record:
    content: bytes = record["@content"]
    return {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


_ACTIONS: dict[str, control.Action] = {
    "dossier": _dossier,
    "user": _user,
    "software_house": _software_house,
    "tokens": _tokens,
    "journal": _journal,
    "synchronise": _synchronise,
    "bookyear": _bookyear,
    "bank_account": _bank_account,
    "type_in": _type_in,
    "record": _record,
}
ROUTES = [
    Route("/_control/dossiers/{dossier:int}/ledger", _ledger),
    Route("/_control/dossiers/{dossier:int}/{table}", _records),
    *control.routes(seed.seeded, _ACTIONS),
]

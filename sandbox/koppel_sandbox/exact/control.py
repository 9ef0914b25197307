"""What a test may do to the sandbox Exact Online, beside what it may do to every sandbox."""

from datetime import date
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from koppel_sandbox import control

from . import mailbox
from .seed import division as seeded_division
from .seed import seeded
from .state import State
from .typed_in import type_in


def _period(state: State, body: dict[str, Any]) -> None:
    key = (str(body["journal"]), int(body["year"]), int(body["period"]))
    closed = state.divisions[int(body["division"])].closed
    closed.add(key) if body.get("closed", True) else closed.discard(key)


def _record(state: State, body: dict[str, Any]) -> int:
    """Change a record, as an accountant would: block an account or a relation, correct an entry, ``delete`` it."""
    table = state.divisions[int(body["division"])].tables[body["table"]]
    found = {
        key: row
        for key, row in table.items()
        if all(str(row.get(name)).strip() == str(value) for name, value in body["where"].items())
    }
    for key, row in found.items():
        if body.get("delete"):
            del table[key]
        else:
            amounts = {name for name, value in row.items() if isinstance(value, Decimal)}
            row.update({name: Decimal(str(to)) if name in amounts else to for name, to in body["set"].items()})
            table.touch(key)
    return len(found)


def _user(state: State, body: dict[str, Any]) -> None:
    user = next(user for user in state.users.values() if user.name == body["user"])
    for name in ("active", "blocked", "language", "current_division"):
        if name in body:
            setattr(user, name, body[name])
    if "granted" in body:
        user.granted = {int(code) for code in body["granted"]}
    for deny, change in (("deny", user.denied.add), ("allow", user.denied.discard)):
        for division, resource, method in body.get(deny, ()):
            change((int(division), str(resource), str(method)))


def _division(state: State, body: dict[str, Any]) -> None:
    code = int(body["division"])
    if code not in state.divisions:
        state.divisions[code] = seeded_division(code, str(body.get("name", code)), str(body.get("vat_number", "")))
        for user in state.users.values():
            user.divisions.add(code)
            user.granted.add(code)
    found = state.divisions[code]
    for name in ("name", "vat_number"):
        if name in body:
            setattr(found, name, str(body[name]))
    if "years" in body:
        found.years = set(body["years"])
    for name in ("blocked", "licence_expired"):
        if name in body:
            setattr(found, name, bool(body[name]))
    if "licence" in body:
        found.licence = set(body["licence"])


def _type_in(state: State, body: dict[str, Any]) -> str:
    """Book a document by hand; return the EntryNumber."""
    entry = type_in(
        state.divisions[int(body["division"])],
        sells=bool(body["sells"]),
        number=str(body["number"]),
        issued_on=date.fromisoformat(body["issued_on"]),
        total=Decimal(str(body["total"])),
        name=str(body["name"]),
        vat_number=str(body["vat_number"]),
    )
    return str(entry["EntryNumber"])


def _process(state: State, body: dict[str, Any]) -> int:
    """Do the accountant's work: entries become processed (point 38), mail messages move on (point 42)."""
    division = state.divisions[int(body["division"])]
    entries, messages = division.tables["Entries"], division.tables["MailMessagesSent"]
    for key, entry in entries.items():
        entry["Status"], entry["StatusDescription"] = 50, "Processed"
        entries.touch(key)
    for key, message in messages.items():
        mailbox.process(division, message, int(body.get("mail_status", mailbox.PROCESSED)))
        messages.touch(key)
    return len(entries)


def _app(state: State, body: dict[str, Any]) -> None:
    """Change the ``client_secret`` of the app's registration."""
    next(iter(state.apps.values())).client_secret = str(body["client_secret"])


def _grants(state: State, _: dict[str, Any]) -> None:
    """``withdraw`` every consent that was given."""
    state.access.clear()
    for pair in state.refresh.values():
        pair.consumed = True


def _token_calls(state: State, _: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the calls of the token endpoint; ``though_replaced`` marks a spent token whose successor is in use."""
    return state.token_calls


_ACTIONS: dict[str, control.Action] = {
    "period": _period,
    "record": _record,
    "user": _user,
    "app": _app,
    "grants": _grants,
    "token_calls": _token_calls,
    "division": _division,
    "process": _process,
    "type_in": _type_in,
}


async def _records(request: Request) -> Response:
    state: State = request.app.state.sandbox
    table = state.divisions[request.path_params["division"]].tables[request.path_params["table"]]
    rows = [{name: value for name, value in row.items() if not name.startswith("@")} for row in table.values()]
    return control.shown(rows)


ROUTES = [
    *control.routes(seeded, _ACTIONS),
    Route("/_control/divisions/{division:int}/{table}", _records),
]

"""CODA statements (octopus §2.9, 39): taken in order, each beginning with the balance that the one before left."""

import json
from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import Response

from .booking_checks import check_right
from .bookings import touch_journal
from .call import DossierCall, answer
from .errors import Refusal
from .state import Books

OPERATION = "coda"
RECORD_LENGTH = 128


@dataclass
class Statement:
    """What is needed of one statement."""

    iban: str
    opening: Decimal
    date: str
    """``DDMMYY`` of the closing balance, or of the opening one where there is no other."""
    closing: Decimal


def post(call: DossierCall) -> Response:
    """``POST …/coda``: the statements of one file, all or none."""
    check_right(call, OPERATION)
    if not call.books.dossier["@bank_module"]:
        raise Refusal(403, -3, "bank module")
    text = _text(call)
    balances = {key: bank["balance"] for key, bank in call.books.bank_accounts.items()}
    taken = []
    for statement in statements(call, text):
        key = _journal(call, statement.iban)
        if statement.opening != balances[key]:
            raise Refusal(
                call.switches.coda_refused_status, -67, f"{statement.opening:.2f}", f"{balances[key]:.2f}", key
            )
        balances[key] = statement.closing
        taken.append((key, statement))
    for key, statement in taken:
        _keep(call.books, key, statement, text)
    return answer({"statements": len(taken)}, call.switches.coda_status)


def statements(call: DossierCall, text: str) -> list[Statement]:
    """Return the statements of a file (records 0, 1, 8, 9; amounts have three decimals).

    Raises:
        Refusal: it is no CODA file.
    """
    found: list[Statement] = []
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or lines[0][:1] != "0" or any(len(line) != RECORD_LENGTH for line in lines):
        raise Refusal(call.switches.coda_refused_status, -79, "CODA")
    try:
        for line in lines:
            if line[0] == "1":
                opening = _signed(line[42], line[43:58])
                found.append(Statement(_iban(line[1], line[5:42]), opening, line[58:64], opening))
            elif line[0] == "8":
                found[-1].closing, found[-1].date = _signed(line[41], line[42:57]), line[57:63]
    except (ArithmeticError, IndexError, ValueError):
        raise Refusal(call.switches.coda_refused_status, -79, "CODA") from None
    if not found:
        raise Refusal(call.switches.coda_refused_status, -79, "CODA")
    return found


def _text(call: DossierCall) -> str:
    form = call.switches.coda_body
    if form != "raw":
        try:
            given = json.loads(call.raw)
        except ValueError:
            given = None
        if isinstance(given, str):
            return given
        if form == "json-string":
            raise call.bad_parameter("body")
    return call.raw.decode("latin-1")


def _journal(call: DossierCall, iban: str) -> str:
    """Return the financial journal whose account this is; it needs an IBAN and a BIC."""
    for key, bank in call.books.bank_accounts.items():
        if bank["iban"] == iban and bank["bic"]:
            return key
    raise Refusal(call.switches.coda_refused_status, -10, iban)


def _keep(books: Books, key: str, statement: Statement, text: str) -> None:
    bank = books.bank_accounts[key]
    bank["balance"] = statement.closing
    books.bank_accounts.touch(key)
    journals = [one for one in books.journals.values() if one["journalKey"] == key]
    year = f"20{statement.date[4:6]}"
    journal = next((one for one in journals if _year_of(books, one) == year), journals[-1])
    journal["lastBookedDocumentNr"] += 1
    touch_journal(books, journal)
    record = {
        "journalKey": key,
        "bookyearKey": dict(journal["bookyearKey"]),
        "documentSequenceNr": journal["lastBookedDocumentNr"],
        "iban": statement.iban,
        "opening": statement.opening,
        "closing": statement.closing,
        "date": statement.date,
        "@text": text,
    }
    books.put(books.statements, str(len(books.statements) + 1), record)


def _year_of(books: Books, journal: dict[str, dict[str, int]]) -> str:
    year = books.bookyears[str(journal["bookyearKey"]["id"])]
    return str(year["endDate"])[:4]


def _signed(sign: str, digits: str) -> Decimal:
    value = Decimal(int(digits)).scaleb(-3)
    return -value if sign == "1" else value


def _iban(structure: str, account: str) -> str:
    """Return the IBAN of an account field: structure 2 and 3 hold it, 0 the twelve digits of a Belgian account."""
    if structure in "23":
        return account[:34].split()[0]
    digits = account[:12]
    check = 98 - int(f"{digits}111400") % 97  # BE is 11 14
    return f"BE{check:02d}{digits}"

"""From the CODA reader's statements to ``ParsedStatements``. A file is one document, however many statements it holds."""

from collections.abc import Sequence

import koppel_coda
from dossier_api.parsed import ParsedStatements, finding
from koppel_bookkeeping.amounts import plain
from koppel_bookkeeping.fileable import currency_code
from koppel_coda import Statement
from koppel_mesh.http.problems import FieldError, printable
from koppel_mesh.messages import DocumentKind

from . import Unreadable
from .reports import error_of, findings_of

NOTES_MAX = 100
STATEMENTS_TOLD_MAX = 1000
"""Of a file with more, the document tells the first ones; its bytes hold all."""
DEFAULT_CURRENCY = "EUR"


def read_coda(data: bytes) -> ParsedStatements:
    """Read a file of bank or cash-book statements.

    Raises:
        Unreadable: it is not CODA, or holds no statement with a date.
    """
    try:
        statements = koppel_coda.read(data)
    except koppel_coda.ReadError as error:
        raise Unreadable([error_of(error)]) from error
    closed_on = max((one.closed_on for one in statements if one.closed_on is not None), default=None)
    if closed_on is None:
        raise Unreadable([FieldError(field="statement", rule="missing", message="No statement tells its date.")])
    currencies = {currency_code(one.account.currency or DEFAULT_CURRENCY) for one in statements}
    if None in currencies:
        raise Unreadable([FieldError(field="currency", rule="invalid_code", message="A currency is three letters.")])
    accounts = {one.account.key for one in statements}
    return ParsedStatements(
        kind=DocumentKind.CASH_STATEMENT if _is_cash_book(statements) else DocumentKind.BANK_STATEMENT,
        number=_number(statements) if len(accounts) == 1 else None,
        closed_on=closed_on,
        currency=currencies.pop() if len(currencies) == 1 else None,
        closing=statements[-1].closing if len(accounts) == 1 else None,
        holder_numbers=frozenset(number for one in statements if (number := one.header.company_number.strip())),
        statements=[_told(one) for one in statements[:STATEMENTS_TOLD_MAX]],
        findings=_findings(koppel_coda.check(data, version_1=True), statements),
    )


def _is_cash_book(statements: Sequence[Statement]) -> bool:
    texts = [movement.communication for one in statements for movement in one.movements]
    return bool(texts) and all(map(koppel_coda.cash_book.is_marked, texts))


def _number(statements: Sequence[Statement]) -> str | None:
    numbers = [one.coded_number or (one.new_balance or one.old_balance).paper_number for one in statements]
    if not all(numbers):
        return None
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"


def _told(one: Statement) -> dict[str, object]:
    return {
        "account": printable(one.account.iban or one.account.number)[:37],
        "currency": one.account.currency or DEFAULT_CURRENCY,
        "number": one.coded_number or None,
        "opened_on": one.old_balance.on.isoformat() if one.old_balance.on else None,
        "opening": plain(one.old_balance.amount),
        "closed_on": one.closed_on.isoformat() if one.closed_on else None,
        "closing": plain(one.closing),
        "movements": len(one.movements),
        "separate_application": printable(one.header.separate_application) if one.is_partial else None,
    }


def _findings(report: koppel_coda.Report, statements: Sequence[Statement]) -> list[dict[str, object]]:
    """Return the broken rules; then what else the reader tolerated, as it tolerates nothing without a note."""
    broken = findings_of(report, without=koppel_coda.checking.MULTIPLE_FILES)
    lines = {one.line for one in report.findings}
    notes = [note for one in statements for note in one.notes if note.line not in lines]
    return broken + [_note(note) for note in notes[:NOTES_MAX]]


def _note(note: koppel_coda.Note) -> dict[str, object]:
    return finding(
        f"coda-{note.code}",
        "information",
        nl=f"Afwijking van de CODA-standaard, gelezen zoals bedoeld (lijn {note.line}).",
        fr=f"Écart par rapport à la norme CODA, lu selon l'intention (ligne {note.line}).",
        en=f"Not as the CODA standard writes it; read as it was meant (line {note.line}).",
        line=note.line,
    )

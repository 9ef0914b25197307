"""From the bytes of a CODA file to the rows that are kept of it. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import koppel_coda
from koppel_coda import Movement, Statement
from koppel_coda.communications import PaymentReference
from koppel_mesh.http.problems import printable

DEFAULT_CURRENCY = "EUR"
"""dossier-api takes it too where a file tells none."""
NUMBER_MAX_LENGTH = 37
NO_COMPANY = "0000000000"
GRAVE = frozenset({"CODA-14", "CODA-24", "CODA-25", "CODA-26"})
"""Broken, these mean that lines or amounts are missing or changed (coda §10): accounts that differ, counts, totals, balance.
Of the other
errors the reader has made the best, and a package will too."""


@dataclass(frozen=True)
class ReadLine:
    """One movement."""

    place: int
    amount: Decimal
    entry_on: date
    value_on: date
    message: str
    counterparty_name: str | None
    counterparty_account: str | None
    mark: str | None
    """``CB/BACA`` … where it is the line of a cash book (R133)."""


@dataclass(frozen=True)
class ReadStatement:
    """One statement of a file, with all that is kept of it."""

    place: int
    account: str
    currency: str
    bank: str
    """Who numbers it: the bank's BIC or number; empty where the file tells neither."""
    holder_number: str
    holder_name: str
    number: int
    opened_on: date | None
    opening: Decimal
    closes_on: date
    closing: Decimal
    is_partial: bool
    is_cash: bool
    faults: tuple[dict[str, str], ...]
    """Sentences in three languages: what proves that the statement is not whole."""
    lines: tuple[ReadLine, ...]


def statement_id(document_id: UUID, place: int) -> UUID:
    """Return the id of a statement: the same however often its document is read, and rising as documents came."""
    return UUID(int=document_id.int + place)


def read(data: bytes) -> list[ReadStatement]:
    """Return the statements of a file.

    Raises:
        koppel_coda.ReadError: it is not CODA.
    """
    faults = _faults(data)
    return [_read(place, one, tuple(faults[place])) for place, one in enumerate(koppel_coda.read(data), 1)]


def _faults(data: bytes) -> dict[int, list[dict[str, str]]]:
    found: dict[int, list[dict[str, str]]] = defaultdict(list)
    for finding in koppel_coda.check(data, version_1=True).errors:
        if finding.rule in GRAVE:
            message = finding.message
            found[finding.statement].append({"nl": message.nl, "fr": message.fr, "en": message.en})
    return found


def _read(place: int, one: Statement, faults: tuple[dict[str, str], ...]) -> ReadStatement:
    company = one.header.company_number.strip()
    return ReadStatement(
        place=place,
        account=_text(one.account.iban or one.account.number)[:NUMBER_MAX_LENGTH],
        currency=(one.account.currency or DEFAULT_CURRENCY).upper(),
        bank=_text(one.header.bic.strip()[:8] or one.header.bank_number.strip("0 ")),
        holder_number="" if company == NO_COMPANY else _text(company),
        holder_name=_text(one.holder_name.strip()),
        number=one.coded_number,
        opened_on=one.old_balance.on,
        opening=one.old_balance.amount,
        closes_on=one.closed_on or one.old_balance.on or date.min,
        closing=one.closing,
        is_partial=one.is_partial,
        is_cash=_is_cash(one.movements),
        faults=() if one.is_partial else faults,
        lines=tuple(_lines(one.movements)),
    )


def _is_cash(movements: Sequence[Movement]) -> bool:
    return bool(movements) and all(koppel_coda.cash_book.is_marked(movement.communication) for movement in movements)


def _lines(movements: Sequence[Movement]) -> Iterator[ReadLine]:
    for place, movement in enumerate(movements, 1):
        other = movement.counterparty
        account = other.account if other else None
        mark = koppel_coda.cash_book.mark_of(movement.communication)
        yield ReadLine(
            place=place,
            amount=movement.amount,
            entry_on=movement.entry_on,
            value_on=movement.value_on,
            message=_text(_message(movement)),
            counterparty_name=_text(other.name) or None if other else None,
            counterparty_account=_text(account.iban or account.number) if account else None,
            mark=mark.value if mark else None,
        )


def _message(movement: Movement) -> str:
    match movement.communication:
        case str() as text:
            return text
        case PaymentReference() as reference:
            return reference.printed
        case structured:
            return structured.raw.strip()


def _text(read_text: str) -> str:
    """Return text as a column can hold it."""
    return printable(read_text.replace("\0", ""))

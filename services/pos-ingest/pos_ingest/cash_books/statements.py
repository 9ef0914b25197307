"""The statement of a drawer for a period, as CODA that connector-coda takes into its chain. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

import koppel_coda
from koppel_coda import Account, Balance, Header, cash_book
from koppel_coda.cash_book import CashLine, Mark

from .lines import CashKind

LineStyle = Literal["one", "two"]
"""A day's receipts in one line (what of them is cash), or all of them in and each other method out again, as Scrada has it."""
CURRENCY = "EUR"


@dataclass(frozen=True)
class BookedMovement:
    """A line of the book; those of one day of receipts share ``receipts_id``."""

    on: date
    kind: CashKind
    amount: Decimal
    message: str
    receipts_id: UUID | None


@dataclass(frozen=True)
class StatementFacts:
    """What a statement says beside its lines."""

    iban: str
    holder_name: str
    enterprise_number: str
    number: int
    """In the book and the year, from 1."""
    opened_on: date
    """The day that the statement before it closed."""
    opening: Decimal
    closed_on: date
    closing: Decimal


def coda_of(facts: StatementFacts, movements: Sequence[BookedMovement], style: LineStyle) -> bytes:
    """Return the file of one statement.

    Raises:
        koppel_coda.WriteError: the movements do not lead from the opening to the closing balance.
    """
    written = movements if style == "two" else list(_in_one_line(movements))
    first_on = min((one.on for one in written), default=facts.closed_on)
    statement = cash_book.statement(
        Account(facts.iban, CURRENCY),
        Balance(facts.opening, facts.opened_on),
        [CashLine(one.on, one.amount, *_mark_and_parts(one.message)) for one in written],
        closed_on=facts.closed_on,
        number=facts.number,
        # Some packages want the day of the first line as the day of creation.
        header=Header(first_on, company_number=facts.enterprise_number),
        holder_name=facts.holder_name,
        closing=facts.closing,
    )
    return koppel_coda.write([statement])


def _in_one_line(movements: Sequence[BookedMovement]) -> Iterator[BookedMovement]:
    """Yield the movements, those of a day's receipts as one: what of them stayed in the drawer."""
    of_receipts: dict[UUID, Decimal] = {}
    for one in movements:
        if one.receipts_id is not None:
            of_receipts[one.receipts_id] = of_receipts.get(one.receipts_id, Decimal(0)) + one.amount
    for one in movements:
        if one.receipts_id is None:
            yield one
        elif amount := of_receipts.pop(one.receipts_id, None):
            yield BookedMovement(one.on, one.kind, amount, one.message, None)


def _mark_and_parts(message: str) -> tuple[Mark, tuple[str, ...]]:
    mark = cash_book.mark_of(message)
    if mark is None:
        raise ValueError(f"a message of a cash book begins with a mark, {message[:7]!r} is none")
    return mark, tuple(message[len(mark.value) + 1 :].split("/"))

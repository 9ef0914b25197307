"""Cash books as CODA: every line carries a mark by which packages book it, and the codes that come nearest to cash."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from .accounts import Account
from .codes import TransactionCode
from .errors import WriteError
from .model import Balance, Header, Information, Movement, Statement
from .writing.movement import INFORMATION_ROOM, MOVEMENT_ROOM

_CASH_IN = TransactionCode.of("00950000")
_CASH_OUT = TransactionCode.of("00901000")
"""Family 09, counter: there is no family for cash books, and these two are not wrong."""
_TOO_MUCH = TransactionCode.of("00968000")
_TOO_LITTLE = TransactionCode.of("00919000")
"""Family 09: difference in payment."""


_ANY_MARK = re.compile(r"(?:CB|DR)/[A-Z]{4}(?:/|$)")


class Mark(Enum):
    """What a cash line is (R133): its communication begins with the value, a slash, and what belongs to it."""

    BANK_TO_CASH = "CB/BACA"
    CASH_TO_BANK = "CB/CABA"
    CUSTOMER_PAYMENT = "CB/CLIE"
    """Customer, invoice number, remark."""
    SUPPLIER_PAYMENT = "CB/SUPP"
    """Supplier, invoice number, remark."""
    PRIVATE_WITHDRAWAL = "CB/PRTA"
    PRIVATE_DEPOSIT = "CB/PRDE"
    TAKINGS = "CB/DRCA"
    """Day, remark: takings that were typed in."""
    RECEIPTS = "DR/DRIN"
    """Day, then ``method=amount`` for each way customers paid: the whole takings of a linked receipts book."""
    RECEIPTS_NOT_IN_CASH = "DR/DRPM"
    """Day, method: the part of the receipts that never was in the drawer."""
    TILL_DIFFERENCE = "CB/DIFF"
    """Day, remark: what a count of the drawer found too much or too little. No vendor has a mark for it; this one is ours."""


@dataclass(frozen=True, slots=True)
class CashLine:
    """A line of a cash book; ``amount`` is positive for money that comes in."""

    on: date
    amount: Decimal
    mark: Mark
    parts: tuple[str, ...] = ()

    @property
    def communication(self) -> str:
        """Return what CODA carries: ``CB/CLIE/Jan Peeters/2026-17/voorschot``."""
        return f"{self.mark.value}/{'/'.join(self.parts)}".rstrip()


def receipts(day: date, takings: Mapping[str, Decimal], cash_method: str) -> tuple[CashLine, ...]:
    """Return the lines of a day's receipts: all of them in, then out again what was not paid in cash.

    Args:
        day: of the receipts.
        takings: what customers paid, by method and VAT included.
        cash_method: the method of ``takings`` that is cash.
    """
    written = f"{day:%d.%m.%Y}"
    methods = tuple(f"{method}={_plain(amount)}" for method, amount in takings.items() if amount)
    whole = CashLine(day, sum(takings.values(), Decimal("0.00")), Mark.RECEIPTS, (written, *methods))
    others = [(method, amount) for method, amount in takings.items() if method != cash_method and amount]
    return whole, *(CashLine(day, -amount, Mark.RECEIPTS_NOT_IN_CASH, (written, method)) for method, amount in others)


def _plain(amount: Decimal) -> str:
    """Write an amount with a point and without zeros at its end, as Scrada does."""
    return f"{amount.normalize():f}"


def mark_of(communication: object) -> Mark | None:
    """Return the mark a communication begins with; None for those of a bank."""
    if not isinstance(communication, str):
        return None
    head = communication[:7]
    ends = communication[7:8] in {"", "/"}
    return next((mark for mark in Mark if ends and mark.value == head), None)


def is_marked(communication: object) -> bool:
    """Return whether a communication begins as those of cash books do, be its mark one we know or not."""
    return isinstance(communication, str) and _ANY_MARK.match(communication) is not None


def statement(
    account: Account,
    opening: Balance,
    lines: Iterable[CashLine],
    *,
    closed_on: date,
    number: int,
    header: Header,
    holder_name: str = "",
    closing: Decimal | None = None,
) -> Statement:
    """Return the statement of a cash book; ``write`` makes the file of it.

    Args:
        account: under which the package knows the book; most choose the journal by its IBAN.
        opening: balance and date of the previous statement.
        lines: in any order; those of one day keep theirs.
        closed_on: the last day it covers.
        number: of the statement in its book and year, from 1, also for days without lines.
        header: some packages want ``created_on`` to be the day of the first line.
        holder_name: of the entrepreneur.
        closing: the closing balance of the book; checked.

    Raises:
        WriteError: the lines do not lead to ``closing``, one lies outside the days of the statement, or no package would
            find a journal by the account, as its check digits are wrong.
    """
    if not account.is_valid:
        raise WriteError("account", f"the check digits of {account.number} are wrong", "account")
    ordered = sorted(lines, key=lambda line: line.on)
    for place, line in enumerate(ordered, 1):
        if line.on > closed_on or (opening.on is not None and line.on < opening.on):
            raise WriteError("date", f"{line.on} is outside the statement", f"line {place}")
    total = opening.amount + sum((line.amount for line in ordered), Decimal("0.00"))
    if closing is not None and closing != total:
        raise WriteError("balance", f"the lines lead to {total}, the book says {closing}", "closing")
    return Statement(
        header=header,
        account=account,
        old_balance=Balance(opening.amount, opening.on, number),
        new_balance=Balance(total, closed_on, number),
        movements=tuple(_movement(line, number) for line in ordered),
        holder_name=holder_name,
        coded_number=number,
    )


def _movement(line: CashLine, number: int) -> Movement:
    came_in, went_out = (_TOO_MUCH, _TOO_LITTLE) if line.mark is Mark.TILL_DIFFERENCE else (_CASH_IN, _CASH_OUT)
    code = came_in if line.amount >= 0 else went_out
    text, rest = line.communication[: sum(MOVEMENT_ROOM)], line.communication[sum(MOVEMENT_ROOM) :]
    room = sum(INFORMATION_ROOM)
    pieces = [rest[start : start + room] for start in range(0, len(rest), room)]
    return Movement(
        amount=line.amount,
        code=code,
        entry_on=line.on,
        value_on=line.on,
        communication=text.rstrip(),
        paper_number=number,
        information=tuple(Information(piece.rstrip(), code) for piece in pieces),
    )

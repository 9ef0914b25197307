"""What a line of a cash book is: its kind, its sign, and the message that a package books it by (R133). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from koppel_coda.cash_book import CashLine, Mark, receipts


class CashKind(StrEnum):
    """What moves money in or out of a drawer; the value is the code in its mark."""

    BANK_TO_CASH = "BACA"
    CASH_TO_BANK = "CABA"
    CUSTOMER_PAYMENT = "CLIE"
    SUPPLIER_PAYMENT = "SUPP"
    PRIVATE_WITHDRAWAL = "PRTA"
    PRIVATE_DEPOSIT = "PRDE"
    TAKINGS = "DRCA"
    """Takings typed by hand, where no receipt book is linked."""
    RECEIPTS = "DRIN"
    """All takings of a day of the linked receipt book."""
    RECEIPTS_NOT_IN_CASH = "DRPM"
    """What of them never was in the drawer, one line for each method."""
    TILL_DIFFERENCE = "DIFF"
    """What a count found too much or too little, confirmed by a person."""


BY_HAND: Final = frozenset(CashKind) - {CashKind.RECEIPTS, CashKind.RECEIPTS_NOT_IN_CASH, CashKind.TILL_DIFFERENCE}
"""What callers enter; the others follow from receipts and counts."""
_SIGNS: Final = {
    CashKind.BANK_TO_CASH: 1,
    CashKind.PRIVATE_DEPOSIT: 1,
    CashKind.CASH_TO_BANK: -1,
    CashKind.PRIVATE_WITHDRAWAL: -1,
}
"""Customers are paid back and suppliers pay back, so the others have either sign."""
_MARKS: Final[Mapping[CashKind, Mark]] = {CashKind(mark.value[-4:]): mark for mark in Mark}


@dataclass(frozen=True)
class Movement:
    """A line of a cash book; ``amount`` is positive for money that comes in."""

    kind: CashKind
    amount: Decimal
    remark: str = ""
    party: str = ""
    invoice_number: str = ""

    def sign_problem(self) -> str | None:
        """Return why the amount cannot be that of its kind."""
        if not self.amount:
            return "a line moves money: its amount is not 0"
        sign = _SIGNS.get(self.kind)
        if sign is None or (self.amount > 0) == (sign > 0):
            return None
        way = (
            "into the drawer, so its amount is positive" if sign > 0 else "out of the drawer, so its amount is negative"
        )
        return f"{self.kind} brings money {way}"


def message_of(movement: Movement, on: date) -> str:
    """Return what the statement says of a movement: ``CB/CLIE/Jan Peeters/2026-17/voorschot``."""
    return CashLine(on, movement.amount, _MARKS[movement.kind], _parts(movement, on)).communication


def _parts(movement: Movement, on: date) -> tuple[str, ...]:
    if movement.kind in (CashKind.CUSTOMER_PAYMENT, CashKind.SUPPLIER_PAYMENT):
        return movement.party, movement.invoice_number, movement.remark
    if movement.kind in (CashKind.TAKINGS, CashKind.TILL_DIFFERENCE):
        return f"{on:%d.%m.%Y}", movement.remark
    return (movement.remark,)


def movements_of_receipts(
    day: date, payments: Mapping[str, Decimal], cash_method: str
) -> tuple[tuple[CashKind, Decimal, str], ...]:
    """Return kind, amount and message of what a day's receipts do to the drawer: all in, then out what was not paid in cash.

    A correction of payment methods takes in nothing and moves only what changed places.
    """
    lines = receipts(day, payments, cash_method)
    return tuple((CashKind(line.mark.value[-4:]), line.amount, line.communication) for line in lines if line.amount)

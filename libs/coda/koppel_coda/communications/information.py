"""Structured communications of information records (3.1 to 3.3)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from koppel_coda.scalars import AMOUNT, DATE, LONG_DATE, RATE, decimal, number, text

from .base import Structured, coded


@coded("001")
@dataclass(frozen=True, slots=True)
class CounterpartyDetails(Structured):
    """001: who the counterparty is, at full length."""

    name: Annotated[str, text(70)] = ""
    street: Annotated[str, text(35)] = ""
    locality: Annotated[str, text(35)] = ""
    identification: Annotated[str, text(35)] = ""


@dataclass(frozen=True, slots=True)
class _FourLines(Structured):
    line_1: Annotated[str, text(35)] = ""
    line_2: Annotated[str, text(35)] = ""
    line_3: Annotated[str, text(35)] = ""
    line_4: Annotated[str, text(35)] = ""


@coded("002")
@dataclass(frozen=True, slots=True)
class BankMessage(_FourLines):
    """002: a communication from the bank."""


@coded("004")
@dataclass(frozen=True, slots=True)
class CounterpartyBank(_FourLines):
    """004: the bank of the counterparty."""


@coded("005")
@dataclass(frozen=True, slots=True)
class CorrespondentBank(_FourLines):
    """005: the correspondent bank."""


@coded("006")
@dataclass(frozen=True, slots=True)
class DetailAmount(Structured):
    """006: an amount that is part of the movement. ``sign``: ``0`` credit, ``1`` debit."""

    description: Annotated[str, text(30)] = ""
    currency: Annotated[str, text(3)] = ""
    amount: Annotated[Decimal | None, AMOUNT] = None
    sign: Annotated[str, text(1)] = ""
    category: Annotated[str, text(3)] = ""

    @property
    def signed_amount(self) -> Decimal | None:
        """Return the amount, negative for a debit."""
        return -self.amount if self.amount is not None and self.sign == "1" else self.amount


@coded("007")
@dataclass(frozen=True, slots=True)
class CashDetail(Structured):
    """007: notes or coins of one denomination."""

    count: Annotated[int | None, number(7)] = None
    denomination: Annotated[Decimal | None, decimal(3, 3)] = None
    total: Annotated[Decimal | None, AMOUNT] = None


@dataclass(frozen=True, slots=True)
class _UltimateParty(Structured):
    name: Annotated[str, text(70)] = ""
    identification: Annotated[str, text(35)] = ""


@coded("008")
@dataclass(frozen=True, slots=True)
class UltimateCreditor(_UltimateParty):
    """008: for whom the money was received."""


@coded("009")
@dataclass(frozen=True, slots=True)
class UltimateDebtor(_UltimateParty):
    """009: for whom the money was paid."""


@coded("010")
@dataclass(frozen=True, slots=True)
class SecuritiesOrder(Structured):
    """010: securities bought or sold. ``number_kind``: ``N``, ``U`` or ``P``."""

    order: Annotated[str, text(13)] = ""
    file: Annotated[str, text(15)] = ""
    customer_reference: Annotated[str, text(13)] = ""
    security_code_kind: Annotated[str, text(2)] = ""
    security_code: Annotated[str, text(15)] = ""
    number_kind: Annotated[str, text(1)] = ""
    quantity: Annotated[Decimal | None, decimal(8, 4)] = None
    currency: Annotated[str, text(3)] = ""
    per_unit: Annotated[str, text(4)] = ""
    quote_currency: Annotated[str, text(3)] = ""
    price: Annotated[Decimal | None, decimal(8, 4)] = None
    rate: Annotated[Decimal | None, RATE] = None
    name: Annotated[str, text(40)] = ""
    bordereau: Annotated[str, text(13)] = ""
    coupon: Annotated[str, text(8)] = ""
    paid_on: Annotated[date | None, LONG_DATE] = None
    market: Annotated[str, text(30)] = ""
    on: Annotated[date | None, LONG_DATE] = None
    nature: Annotated[str, text(24)] = ""
    nominal: Annotated[Decimal | None, AMOUNT] = None


@coded("011")
@dataclass(frozen=True, slots=True)
class Coupons(Structured):
    """011: coupons and redemptions."""

    order: Annotated[str, text(13)] = ""
    file: Annotated[str, text(15)] = ""
    customer_reference: Annotated[str, text(13)] = ""
    security_code_kind: Annotated[str, text(2)] = ""
    security_code: Annotated[str, text(15)] = ""
    quantity: Annotated[Decimal | None, decimal(8, 4)] = None
    name: Annotated[str, text(40)] = ""
    currency: Annotated[str, text(3)] = ""
    amount: Annotated[Decimal | None, decimal(8, 6)] = None
    amount_kind: Annotated[str, text(1)] = ""
    tax: Annotated[Decimal | None, AMOUNT] = None
    nature: Annotated[str, text(24)] = ""
    coupon: Annotated[str, text(6)] = ""
    on: Annotated[date | None, DATE] = None
    rate: Annotated[Decimal | None, RATE] = None
    nominal_currency: Annotated[str, text(3)] = ""
    nominal: Annotated[Decimal | None, AMOUNT] = None

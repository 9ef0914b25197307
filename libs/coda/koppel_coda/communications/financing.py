"""Structured communications of bills, fees, credits and investments: the data inside a movement."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from koppel_coda.scalars import AMOUNT, DATE, OPEN_DATE, RATE, number, text

from .base import Structured, coded


@coded("108")
@dataclass(frozen=True, slots=True)
class Closing(Structured):
    """108: interest of a period."""

    equivalent: Annotated[Decimal | None, AMOUNT] = None
    base: Annotated[Decimal | None, AMOUNT] = None
    rate: Annotated[Decimal | None, RATE] = None
    from_on: Annotated[date | None, DATE] = None
    until_on: Annotated[date | None, DATE] = None


@coded("121")
@dataclass(frozen=True, slots=True)
class CommercialBill(Structured):
    """121: a bill of exchange."""

    amount: Annotated[Decimal | None, AMOUNT] = None
    matures_on: Annotated[date | None, DATE] = None
    agreed_maturity_on: Annotated[date | None, DATE] = None
    issued_on: Annotated[date | None, DATE] = None
    company_number: Annotated[str, text(11)] = ""
    currency: Annotated[str, text(3)] = ""
    reserved: Annotated[str, text(3)] = ""
    number: Annotated[str, text(13)] = ""
    rate: Annotated[Decimal | None, RATE] = None


@coded("122")
@dataclass(frozen=True, slots=True)
class BillInterest(Structured):
    """122: interest on a bill. ``minimum``: ``1`` it applies, ``2`` it does not."""

    days: Annotated[int | None, number(4)] = None
    rate: Annotated[Decimal | None, RATE] = None
    base: Annotated[Decimal | None, AMOUNT] = None
    minimum: Annotated[str, text(1)] = ""
    number: Annotated[str, text(13)] = ""
    matures_on: Annotated[date | None, DATE] = None


@coded("123")
@dataclass(frozen=True, slots=True)
class Fees(Structured):
    """123: fees and commissions. A guarantee without an end has ``until_on`` = ``scalars.NO_END``."""

    from_on: Annotated[date | None, DATE] = None
    until_on: Annotated[date | None, OPEN_DATE] = None
    base: Annotated[Decimal | None, AMOUNT] = None
    percentage: Annotated[Decimal | None, RATE] = None
    days: Annotated[int | None, number(4)] = None
    minimum: Annotated[str, text(1)] = ""
    guarantee: Annotated[str, text(13)] = ""


@coded("125")
@dataclass(frozen=True, slots=True)
class Credit(Structured):
    """125: a loan or another credit."""

    account: Annotated[str, text(12)] = ""
    extension: Annotated[str, text(15)] = ""
    old_balance: Annotated[Decimal | None, AMOUNT] = None
    new_balance: Annotated[Decimal | None, AMOUNT] = None
    amount: Annotated[Decimal | None, AMOUNT] = None
    currency: Annotated[str, text(3)] = ""
    from_on: Annotated[date | None, DATE] = None
    until_on: Annotated[date | None, DATE] = None
    rate: Annotated[Decimal | None, RATE] = None
    reference: Annotated[str, text(13)] = ""


@coded("126")
@dataclass(frozen=True, slots=True)
class TermInvestment(Structured):
    """126: a term deposit."""

    deposit: Annotated[str, text(15)] = ""
    amount: Annotated[Decimal | None, AMOUNT] = None
    equivalent: Annotated[Decimal | None, AMOUNT] = None
    from_on: Annotated[date | None, DATE] = None
    until_on: Annotated[date | None, DATE] = None
    interest_rate: Annotated[Decimal | None, RATE] = None
    interest: Annotated[Decimal | None, AMOUNT] = None
    currency: Annotated[str, text(3)] = ""
    exchange_rate: Annotated[Decimal | None, RATE] = None

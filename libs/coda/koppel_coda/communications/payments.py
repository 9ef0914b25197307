"""Structured communications of transfers, cards and direct debits: the data inside a movement."""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Annotated

from koppel_coda.checkdigits import is_creditor_reference, is_structured_reference
from koppel_coda.scalars import AMOUNT, DATE, RATE, TIME, decimal, text

from .base import Structured, coded


@coded("100")
@dataclass(frozen=True, slots=True)
class CreditorReference(Structured):
    """100: ISO 11649, ``RF`` with two check digits and up to 21 characters."""

    reference: Annotated[str, text(25)] = ""

    @property
    def is_valid(self) -> bool:
        """Return whether its check digits hold."""
        return is_creditor_reference(self.reference)


@dataclass(frozen=True, slots=True)
class _BelgianReference(Structured):
    reference: Annotated[str, text(12)] = ""

    @property
    def is_valid(self) -> bool:
        """Return whether its check digits hold."""
        return is_structured_reference(self.reference)

    @property
    def printed(self) -> str:
        """Return it as people write it: ``+++123/4567/89002+++``."""
        return f"+++{self.reference[:3]}/{self.reference[3:7]}/{self.reference[7:]}+++"


@coded("101")
@dataclass(frozen=True, slots=True)
class PaymentReference(_BelgianReference):
    """101: the Belgian structured reference (OGM, VCS)."""


@coded("102")
@dataclass(frozen=True, slots=True)
class ReconstitutedReference(_BelgianReference):
    """102: the Belgian structured reference as the bank reconstructed it."""


@coded("103")
@dataclass(frozen=True, slots=True)
class InstrumentNumber(Structured):
    """103: the number of a cheque, a card and the like."""

    number: Annotated[str, text(12)] = ""


@coded("105")
@dataclass(frozen=True, slots=True)
class OriginalAmount(Structured):
    """105: the amount as ordered, in its own currency."""

    gross: Annotated[Decimal | None, AMOUNT] = None
    gross_original: Annotated[Decimal | None, AMOUNT] = None
    rate: Annotated[Decimal | None, RATE] = None
    currency: Annotated[str, text(3)] = ""
    reference: Annotated[str, text(12)] = ""
    country: Annotated[str, text(2)] = ""
    equivalent_eur: Annotated[Decimal | None, AMOUNT] = None


@coded("106")
@dataclass(frozen=True, slots=True)
class Calculation(Structured):
    """106: how VAT, a tax or a commission was calculated. ``minimum``: ``1`` it applies, ``2`` it does not."""

    equivalent: Annotated[Decimal | None, AMOUNT] = None
    base: Annotated[Decimal | None, AMOUNT] = None
    percentage: Annotated[Decimal | None, RATE] = None
    minimum: Annotated[str, text(1)] = ""
    equivalent_eur: Annotated[Decimal | None, AMOUNT] = None


@coded("107")
@dataclass(frozen=True, slots=True)
class DomesticDirectDebit(Structured):
    """107: the Belgian direct debit before SEPA.

    ``outcome``: ``0`` paid, ``1`` cancelled, ``2`` other, ``D`` the payer disagrees, ``E`` other creditor number.
    """

    mandate: Annotated[str, text(12)] = ""
    central_on: Annotated[date | None, DATE] = None
    message: Annotated[str, text(30)] = ""
    outcome: Annotated[str, text(1)] = ""
    creditor: Annotated[str, text(11)] = ""


@coded("111")
@dataclass(frozen=True, slots=True)
class PosTotal(Structured):
    """111: credit of a terminal, the total of a period."""

    scheme: Annotated[str, text(1)] = ""
    terminal: Annotated[str, text(6)] = ""
    period: Annotated[str, text(3)] = ""
    first_sequence: Annotated[str, text(6)] = ""
    first_on: Annotated[date | None, DATE] = None
    last_sequence: Annotated[str, text(6)] = ""
    last_on: Annotated[date | None, DATE] = None
    transaction_kind: Annotated[str, text(1)] = ""
    name: Annotated[str, text(16)] = ""
    place: Annotated[str, text(10)] = ""


@coded("113")
@dataclass(frozen=True, slots=True)
class CardPayment(Structured):
    """113: a card at a cash machine or a terminal, seen by its holder."""

    card: Annotated[str, text(16)] = ""
    scheme: Annotated[str, text(1)] = ""
    terminal: Annotated[str, text(6)] = ""
    sequence: Annotated[str, text(6)] = ""
    on: Annotated[date | None, DATE] = None
    at: Annotated[time | None, TIME] = None
    transaction_kind: Annotated[str, text(1)] = ""
    name: Annotated[str, text(16)] = ""
    place: Annotated[str, text(10)] = ""
    original: Annotated[Decimal | None, AMOUNT] = None
    rate: Annotated[Decimal | None, RATE] = None
    currency: Annotated[str, text(3)] = ""
    volume: Annotated[Decimal | None, decimal(3, 2)] = None
    product: Annotated[str, text(2)] = ""
    unit_price: Annotated[Decimal | None, decimal(2, 3)] = None


@coded("114")
@dataclass(frozen=True, slots=True)
class PosTransaction(Structured):
    """114: credit of a terminal, one transaction."""

    scheme: Annotated[str, text(1)] = ""
    terminal: Annotated[str, text(6)] = ""
    period: Annotated[str, text(3)] = ""
    sequence: Annotated[str, text(6)] = ""
    on: Annotated[date | None, DATE] = None
    at: Annotated[time | None, TIME] = None
    transaction_kind: Annotated[str, text(1)] = ""
    name: Annotated[str, text(16)] = ""
    place: Annotated[str, text(10)] = ""
    reference: Annotated[str, text(16)] = ""


@coded("115")
@dataclass(frozen=True, slots=True)
class CashDeposit(Structured):
    """115: cash paid in at a machine."""

    card: Annotated[str, text(16)] = ""
    scheme: Annotated[str, text(1)] = ""
    terminal: Annotated[str, text(6)] = ""
    sequence: Annotated[str, text(6)] = ""
    paid_in_on: Annotated[date | None, DATE] = None
    paid_in_at: Annotated[time | None, TIME] = None
    validated_on: Annotated[date | None, DATE] = None
    validation_sequence: Annotated[str, text(6)] = ""
    original: Annotated[Decimal | None, AMOUNT] = None
    conformity: Annotated[str, text(1)] = ""
    name: Annotated[str, text(16)] = ""
    place: Annotated[str, text(10)] = ""
    message: Annotated[str, text(12)] = ""


@coded("124")
@dataclass(frozen=True, slots=True)
class CreditCardSettlement(Structured):
    """124: ``issuer`` is ``1`` Mastercard, ``2`` Visa, ``3`` American Express, ``4`` Diners, ``9`` another."""

    card: Annotated[str, text(20)] = ""
    issuer: Annotated[str, text(1)] = ""
    invoice: Annotated[str, text(12)] = ""
    identification: Annotated[str, text(15)] = ""
    on: Annotated[date | None, DATE] = None


@coded("127")
@dataclass(frozen=True, slots=True)
class SepaDirectDebit(Structured):
    """127: a SEPA direct debit.

    ``kind``: ``0`` unspecified, ``1`` recurrent, ``2`` one-off, ``3`` first, ``4`` last. ``scheme``: ``0`` unspecified,
    ``1`` core, ``2`` B2B. ``outcome``: ``0`` paid, ``1`` technical, ``2`` unspecified, ``3`` the debtor disagrees,
    ``4`` trouble with the account. ``r_transaction``: ``0`` paid, ``1`` reject, ``2`` return, ``3`` refund, ``4`` reversal,
    ``5`` cancellation.
    """

    settled_on: Annotated[date | None, DATE] = None
    kind: Annotated[str, text(1)] = ""
    scheme: Annotated[str, text(1)] = ""
    outcome: Annotated[str, text(1)] = ""
    creditor: Annotated[str, text(35)] = ""
    mandate: Annotated[str, text(35)] = ""
    message: Annotated[str, text(62)] = ""
    r_transaction: Annotated[str, text(1)] = ""
    reason: Annotated[str, text(4)] = ""

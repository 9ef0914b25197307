"""What one ticket puts in the book: amounts by VAT and payments by method, and what of it leaves with an invoice. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Self

from pos_ingest.fields import Method
from pos_ingest.rules import CASH, OUTSIDE, SINGLE_ABOVE
from pos_ingest.takings import Item

from .models import ItemType, MethodType, PaymentType, Ticket, TicketLine, TicketPayment
from .vat_types import OUTSIDE_SCOPE, VAT_TYPES

METHOD_LENGTH_MAX = 30
DESCRIPTION_LENGTH_MAX = 250
GIFT_CARD = "gift_card"
_METHOD_NAMES = {
    MethodType.OTHER: "other",
    MethodType.CASH: CASH,
    MethodType.TRANSFER: "transfer",
    MethodType.DEBIT_CARD: "debit_card",
    MethodType.CREDIT_CARD: "credit_card",
    MethodType.GIFT_CARD: GIFT_CARD,
}
_RESERVED = frozenset({CASH, GIFT_CARD, "single_purpose_voucher"})
"""The book reads more in these than a name."""


class VatKey(NamedTuple):
    """What the amounts of a day are added up by."""

    category: str
    rate: Decimal
    """In percent."""
    item: Item
    exemption: str | None = None


OUTSIDE_KEYS = {item: VatKey("O", Decimal(0), item) for item in (Item.TIP, Item.CASH_ROUNDING)}
Amounts = dict[VatKey, Decimal]
Payments = dict[Method, Decimal]


@dataclass(frozen=True, slots=True)
class TicketTakings:
    """The takings of one ticket; amounts include VAT, and the payments are the sum of the amounts."""

    amounts: Amounts
    payments: Payments
    single: str | None = None
    """What was sold, where the sale is above 250 EUR and stands by itself."""

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        amounts = [[*key._replace(rate=f"{key.rate:f}"), f"{amount:f}"] for key, amount in self.amounts.items()]  # type: ignore[arg-type]
        return {
            "amounts": amounts,
            "payments": [[name, f"{paid:f}"] for name, paid in self.payments.items()],
            "single": self.single,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Return it from what was kept."""
        amounts = {
            VatKey(category, Decimal(rate), Item(item), exemption): Decimal(amount)
            for category, rate, item, exemption, amount in kept["amounts"]
        }
        return cls(amounts, {name: Decimal(paid) for name, paid in kept["payments"]}, kept["single"])

    def reversed(self) -> Self:
        """Return what takes these takings out of the book again."""
        amounts = {key: -amount for key, amount in self.amounts.items()}
        return type(self)(amounts, {name: -paid for name, paid in self.payments.items()}, self.single)

    def without_tip(self) -> Self:
        """Return what leaves the takings when the ticket becomes an invoice: all but the tip, which is no supply."""
        tip = self.amounts.get(OUTSIDE_KEYS[Item.TIP])
        if not tip:
            return self
        amounts = {key: amount for key, amount in self.amounts.items() if key.item is not Item.TIP}
        method = self._method_of_tip()
        payments = {name: paid - tip if name == method else paid for name, paid in self.payments.items()}
        return type(self)(amounts, {name: paid for name, paid in payments.items() if paid}, self.single)

    def only_tip(self) -> Self:
        """Return what stays in the takings when the ticket becomes an invoice."""
        key = OUTSIDE_KEYS[Item.TIP]
        tip = self.amounts.get(key)
        return type(self)({key: tip}, {self._method_of_tip(): tip}) if tip else type(self)({}, {})

    def _method_of_tip(self) -> str:
        """A ticket does not say how the tip was paid: with the largest payment."""
        return max(self.payments, key=lambda name: (self.payments[name], name))


def takings_of(ticket: Ticket) -> TicketTakings:
    """Return what a valid ticket puts in the book."""
    amounts: Amounts = defaultdict(Decimal)
    for line in ticket.lines:
        amounts[_key(line)] += line.total
    payments = payments_of(ticket)
    amounts[OUTSIDE_KEYS[Item.TIP]] += ticket.tip
    rounding = sum(payments.values(), Decimal(0)) - ticket.total - ticket.tip
    amounts[OUTSIDE_KEYS[Item.CASH_ROUNDING]] += rounding
    kept = {key: amount for key, amount in sorted(amounts.items(), key=lambda each: _order(each[0])) if amount}
    return TicketTakings(kept, payments, _single(ticket, kept))


def payments_of(ticket: Ticket) -> Payments:
    """Return what was paid by each method; what came to nothing is left out."""
    payments: Payments = defaultdict(Decimal)
    for payment in ticket.payments:
        if payment.type is PaymentType.PAYMENT:
            payments[method_of(payment)] += payment.amount
    return {name: amount for name, amount in sorted(payments.items()) if amount}


def method_of(payment: TicketPayment) -> str:
    """Return what the book calls the method: as the till names it, ``cash`` and ``gift_card`` always so."""
    if payment.method_type in (MethodType.CASH, MethodType.GIFT_CARD):
        return _METHOD_NAMES[payment.method_type]
    # "/" and "=" stand between the parts of a cash line's message (R133).
    name = (payment.method_name or "").replace("/", "-").replace("=", "-").strip()[:METHOD_LENGTH_MAX].strip()
    return name if name and name.casefold() not in _RESERVED else _METHOD_NAMES[payment.method_type]


def _key(line: TicketLine) -> VatKey:
    known = VAT_TYPES[line.vat_type]
    return VatKey(known.category, line.vat_rate.normalize() + 0, _item(line), known.exemption)


def _item(line: TicketLine) -> Item:
    if line.total < 0:
        return Item.REFUND
    if line.item_type is ItemType.VOUCHER:
        return Item.MULTI_PURPOSE_VOUCHER if line.vat_type == OUTSIDE_SCOPE else Item.SINGLE_PURPOSE_VOUCHER
    return Item.SALE


def _order(key: VatKey) -> tuple[str, Decimal, str, str]:
    return key.category, key.rate, key.item.value, key.exemption or ""


def _single(ticket: Ticket, amounts: Amounts) -> str | None:
    taxed = [amount for key, amount in amounts.items() if key.item not in OUTSIDE]
    if abs(sum(taxed, Decimal(0))) <= SINGLE_ABOVE and all(abs(amount) <= SINGLE_ABOVE for amount in taxed):
        return None
    items = ", ".join(dict.fromkeys(line.item_name for line in ticket.lines if line.item_name))
    text = f"{ticket.number or ticket.receipt}: {items}" if items else ticket.number or ticket.receipt
    return "".join(letter if letter.isprintable() else " " for letter in text)[:DESCRIPTION_LENGTH_MAX].strip()

"""A till's ticket in the field spellings of Scrada's ``POST pos/receipts`` (API 1.24), as tills already write it."""

import json
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from pos_ingest.fields import EARLIEST_DAY, Whole, no_boolean

LINES_MAX = 1000
PAYMENTS_MAX = 100
PARTY_LENGTH_MAX = 10_000
PARTY_DEPTH_MAX = 5
CENT = Decimal("0.01")
FINE = Decimal("0.0001")
"""Prices of one piece, and quantities."""


class PaymentType(IntEnum):
    """What a payment is: of the customer, or money put in or taken from the drawer."""

    PAYMENT = 1
    CASH_IN_OUT = 2


class MethodType(IntEnum):
    """How something is paid."""

    OTHER = 1
    CASH = 2
    TRANSFER = 4
    DEBIT_CARD = 5
    CREDIT_CARD = 6
    GIFT_CARD = 7


class ItemType(IntEnum):
    """What is sold."""

    PRODUCT = 1
    VOUCHER = 2


def _recent(value: AwareDatetime) -> AwareDatetime:
    if value.year < EARLIEST_DAY.year or value.year > 9000:
        raise ValueError(f"a moment from {EARLIEST_DAY.year} on is wanted")
    return value


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    if not _is_shallow(value):
        raise ValueError(f"at most {PARTY_DEPTH_MAX} levels of objects and lists")
    written = json.dumps(value, default=str)
    if len(written) > PARTY_LENGTH_MAX or "\\u0000" in written or not _is_unicode(value):
        raise ValueError(f"at most {PARTY_LENGTH_MAX} characters, and no NUL or lone surrogate among them")
    return value


def _is_shallow(value: dict[str, Any]) -> bool:
    # Level by level: what writes and reads it would run out of stack.
    level: list[Any] = [value]
    for _ in range(PARTY_DEPTH_MAX):
        parts = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [inner for part in parts for inner in part]
    return not any(isinstance(each, dict | list) for each in level)


def _is_unicode(value: dict[str, Any]) -> bool:
    try:
        json.dumps(value, default=str, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Party = Annotated[dict[str, Any], AfterValidator(_storable)]
Id = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Moment = Annotated[AwareDatetime, AfterValidator(_recent)]
Amount = Annotated[
    Decimal,
    Field(max_digits=9, decimal_places=2, allow_inf_nan=False),
    AfterValidator(lambda value: value.quantize(CENT) + 0),
]
Price = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=4, allow_inf_nan=False),
    AfterValidator(lambda value: value.quantize(FINE) + 0),
]
Rate = Annotated[Decimal, Field(ge=0, lt=100, max_digits=5, decimal_places=2, allow_inf_nan=False)]


class _Part(BaseModel):
    # Fields that we do not know are a till's own business.
    model_config = ConfigDict(extra="ignore", frozen=True)


class TicketLine(_Part):
    """One line of a ticket; amounts include VAT."""

    line_id: Id | None = Field(None, alias="lineID")
    ordered_at: Moment | None = Field(None, alias="orderDateTime")
    quantity: Price
    unit_type: Whole | None = Field(None, alias="unitType")
    price: Price = Field(alias="itemInclVat")
    vat_type: Whole = Field(alias="vatType")
    vat_rate: Rate = Field(alias="vatPercentage")
    discount: Amount = Field(Decimal(0), alias="totalDiscountInclVat")
    total: Amount = Field(alias="totalInclVat")
    item_type: Annotated[ItemType, BeforeValidator(no_boolean)] = Field(ItemType.PRODUCT, alias="itemType")
    item_id: Id | None = Field(None, alias="itemID")
    item_code: Id | None = Field(None, alias="itemCode")
    item_name: Text | None = Field(None, alias="itemName")
    group_id: Id | None = Field(None, alias="groupID")
    group_name: Text | None = Field(None, alias="groupName")


class TicketPayment(_Part):
    """One payment of a ticket; what is given back is negative."""

    payment_id: Id | None = Field(None, alias="paymentID")
    paid_at: Moment | None = Field(None, alias="paymentDateTime")
    type: Annotated[PaymentType, BeforeValidator(no_boolean)] = PaymentType.PAYMENT
    amount: Amount
    method_id: Id | None = Field(None, alias="paymentMethodID")
    method_type: Annotated[MethodType, BeforeValidator(no_boolean)] = Field(alias="paymentMethodType")
    method_name: (
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=50, pattern=r"^[^\x00-\x1f]*$")] | None
    ) = Field(None, alias="paymentMethodName")
    reference: Text | None = None


class Ticket(_Part):
    """One ticket; in ``POST …/tickets`` an array of them."""

    receipt_id: Id | None = Field(None, alias="receiptID")
    number: Id | None = None
    created_at: Moment = Field(alias="receiptCreatedOn")
    finalized_at: Moment | None = Field(None, alias="receiptFinalizedOn")
    convert_to_invoice: bool | None = Field(None, alias="convertToInvoice")
    location_id: Id | None = Field(None, alias="locationID")
    location_name: Id | None = Field(None, alias="locationName")
    register_id: Id | None = Field(None, alias="registerID")
    register_name: Id | None = Field(None, alias="registerName")
    customer: Party | None = None
    delivery: Party | None = None
    purchase_order_reference: Text | None = Field(None, alias="purchaseOrderReference")
    note: Text | None = None
    total: Amount = Field(alias="totalInclVat")
    tip: Amount = Field(Decimal(0), alias="totalTip", ge=0)
    lines: list[TicketLine] = Field([], max_length=LINES_MAX)
    payments: list[TicketPayment] = Field([], max_length=PAYMENTS_MAX)

    @property
    def register(self) -> str:
        """What names the register: its id, else its name, else those of its location; empty where there is none."""
        return self.register_id or self.register_name or self.location_id or self.location_name or ""

    @property
    def locations(self) -> tuple[str, ...]:
        """What names the location."""
        return tuple(name for name in (self.location_id, self.location_name) if name)

    @property
    def receipt(self) -> str:
        """What names the receipt at its register: its id, else its number."""
        return self.receipt_id or self.number or ""

    @property
    def moment(self) -> AwareDatetime:
        """When the sale was concluded; its day is the day of the takings."""
        return self.finalized_at or self.created_at


OF_THE_INVOICE: Final = frozenset({"convert_to_invoice", "customer", "delivery", "purchase_order_reference", "note"})
"""What a till may still add to a ticket that it sent: the wish for an invoice, and what stands on it. The sale stays."""

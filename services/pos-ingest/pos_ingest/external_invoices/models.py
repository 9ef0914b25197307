"""External invoices as they are handed in, and the books that they stand in."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from koppel_bookkeeping.document import Amount as PlainAmount
from koppel_ubl.identifiers import normalise_enterprise_number
from pos_ingest.fields import BusinessDay, Key

LINES_MAX = 1000
ATTACHMENT_CHARACTERS_MAX = 10_000_000
MediaType = Annotated[str, StringConstraints(max_length=100, pattern=r"^(application|image|text)/[a-z0-9.+-]+$")]


def _bounded(amount: Decimal) -> Decimal:
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or amount.adjusted() > 11 or not isinstance(exponent, int) or exponent < -6:
        raise ValueError("at most 12 digits before and 6 after the point")
    return amount


def _cents(amount: Decimal) -> Decimal:
    if amount != amount.quantize(Decimal("0.01")):
        raise ValueError("an amount has at most 2 decimals")
    return amount


def _enterprise_number(text: str) -> str:
    number = normalise_enterprise_number(text)
    if number is None:
        raise ValueError("not a Belgian enterprise number: ten digits, the last two are 97 minus the rest modulo 97")
    return number


def _bare(value: Any) -> Any:
    return "".join(value.split()) if isinstance(value, str) else value


Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")
]
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Code = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Number = Annotated[PlainAmount, AfterValidator(_bounded)]
"""A price or a quantity."""
Amount = Annotated[Number, AfterValidator(_cents)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Journals = Annotated[dict[UUID, Code], Field(max_length=20)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CustomerAddress(_Part):
    """Where the customer is."""

    street: Short | None = None
    postal_code: Short | None = None
    city: Short | None = None
    country: Country = "BE"


class InvoiceCustomer(_Part):
    """Who the invoice is for: found in the dossier by code, else by number or name, else made."""

    code: Code | None = None
    name: Short
    enterprise_number: Annotated[str, StringConstraints(max_length=30), AfterValidator(_enterprise_number)] | None = (
        None
    )
    vat_number: (
        Annotated[str, BeforeValidator(_bare), StringConstraints(pattern=r"^[A-Z]{2}[0-9A-Z+*]{2,13}$")] | None
    ) = None
    peppol_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}:[!-~]{1,50}$")] | None = Field(
        None, description="Electronic address, as scheme:value; a Belgian business has one by its enterprise number"
    )
    address: CustomerAddress = CustomerAddress()
    email: Short | None = None


class InvoiceLine(_Part):
    """What was sold."""

    name: Short
    description: Text | None = None
    quantity: Number = Decimal(1)
    unit: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,3}$")] = Field(
        "C62", description="UN/ECE Recommendation 20"
    )
    price: Number = Field(description="Of one; with or without VAT, as the invoice says. Negative: it is given back")
    discount: Annotated[Amount, Field(ge=0)] = Decimal(0)
    vat_category: Annotated[str, StringConstraints(pattern=r"^(S|Z|E|AE|K|G|O)$")] = "S"
    vat_rate: Annotated[Number, Field(ge=0, le=100)] | None = Field(None, description="In percent; none for O")
    exemption_reason: Text | None = Field(None, description="Why there is no VAT: for category E, in words")
    exemption_code: Annotated[str, StringConstraints(pattern=r"^VATEX-[A-Z0-9-]{2,30}$")] | None = None
    ledger_account: Code | None = Field(None, description="Written on the line as booking reference (BT-133)")
    total: Amount | None = Field(None, description="Of the line, as the sender has it: must follow from the rest")


class PrecedingInvoice(_Part):
    """The invoice that a credit note is about."""

    number: Short
    issue_date: BusinessDay | None = None


class InvoiceAttachment(_Part):
    """A file to go along, in base64."""

    file_name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f/\\]+$")
    ]
    media_type: MediaType = Field(
        examples=["application/pdf"], description="One of those that invoices may hold (BR-CL-24)"
    )
    description: Short | None = None
    content: Annotated[str, StringConstraints(min_length=4, max_length=ATTACHMENT_CHARACTERS_MAX)] = Field(repr=False)


class InvoicePayment(_Part):
    """How the customer pays."""

    iban: Annotated[str, BeforeValidator(_bare), StringConstraints(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$")]
    reference: Short | None = Field(None, description="Structured (+++…+++) or free")


class NewSalesInvoice(_Part):
    """An invoice or credit note to a customer; amounts of a credit note are positive."""

    book_id: UUID | None = Field(None, description="Of an invoice book; without one the target's journal holds")
    number: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30, pattern=r"^[ -~]+$")]
        | None
    ) = Field(None, description="Not given, the book's number format makes the next one")
    external_reference: Short | None = Field(None, description="The sender's own; it stands on no invoice")
    is_credit_note: bool = False
    issue_date: BusinessDay
    due_date: BusinessDay | None = None
    delivery_date: BusinessDay | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"
    exchange_rate: Annotated[Number, Field(gt=0)] | None = Field(None, description="Euros for one unit of the currency")
    prices_include_vat: bool = False
    customer: InvoiceCustomer
    lines: Annotated[list[InvoiceLine], Field(min_length=1, max_length=LINES_MAX)]
    preceding_invoices: Annotated[list[PrecedingInvoice], Field(max_length=50)] = []
    buyer_reference: Short | None = None
    order_reference: Short | None = None
    note: Text | None = None
    payment: InvoicePayment | None = None
    paid: Annotated[Amount, Field(ge=0)] = Field(Decimal(0), description="What was paid already")
    rounding: Annotated[Amount, Field(gt=-1, lt=1)] = Field(
        Decimal(0), description="What is added to the total for it to be paid, such as cash in steps of 5 cents"
    )
    total: Amount | None = Field(None, description="To pay, as the sender has it: must follow from lines and rounding")
    total_vat: Amount | None = Field(None, description="As the sender has it: must follow from the lines")
    attachments: Annotated[list[InvoiceAttachment], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _discounts_fit(self) -> Self:
        for place, line in enumerate(self.lines):
            if line.discount and line.discount > abs(line.quantity * line.price):
                raise ValueError(f"line {place + 1}: the discount is more than the line")
        return self


class SalesInvoice(BaseModel):
    """An external invoice as kept."""

    id: UUID
    dossier_id: UUID
    book_id: UUID | None
    number: str
    external_reference: str | None
    is_credit_note: bool
    issue_date: date
    currency: str
    total: PlainAmount = Field(description="Including VAT")
    customer_name: str | None
    document_id: UUID | None = Field(description="Of the dossier; none while it is on its way there")
    created_at: datetime


class NewInvoiceBook(_Part):
    """A book of external invoices to make: where they are booked and how they are numbered."""

    name: Short
    key: Key | None = Field(None, description="What {BookKey} stands for; unset: S1, S2 …")
    number_format: Short | None = Field(
        None, examples=["F-{Year}-{InvoiceNumber:5}"], description="None: senders number"
    )
    journal: Code | None = Field(None, description="Comes before the customer's and the target's")
    journals: Journals = Field({}, description="By connection, where its books call the journal something else")
    forward: bool = Field(True, description="Whether its invoices go on to the accountant's package")


class InvoiceBookChanges(_Part):
    """What to change of a book; what is not named stays. It is for invoices that come later."""

    name: Short = ""
    number_format: Short | None = None
    journal: Code | None = None
    journals: Journals = {}
    forward: bool = True


class InvoiceBook(BaseModel):
    """A book of external invoices."""

    id: UUID
    dossier_id: UUID
    name: str
    key: str
    number_format: str | None
    journal: str | None
    journals: dict[UUID, str]
    forward: bool

"""An invoice or credit note as bookkeeping needs it. The business terms of EN 16931 (BT-, BG-) are named beside each field.

Values are as written in the document: amounts keep their sign, texts their spelling; what is absent is None or empty.
The kind is the class — ``Invoice`` or ``CreditNote`` — and stands apart from the sign: a credit note's amounts are
positive, a negative invoice is an invoice.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .identifiers import find_structured_reference, parse_structured_reference
from .parties import NOBODY, Address, Identifier, Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """BG-14, BG-26."""

    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingReference:
    """BG-3: a preceding invoice."""

    number: str | None = None
    issue_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """BG-24: a supporting document, embedded or linked."""

    id: str | None = None
    description: str | None = None
    type_code: str | None = None
    uri: str | None = None
    media_type: str | None = None
    """As declared."""
    file_name: str | None = None
    """Without folders, control characters or anything else a file system could stumble over."""
    content: bytes | None = None

    @property
    def is_pdf(self) -> bool:
        """Whether the content begins as a PDF does, whatever is declared."""
        return self.content is not None and self.content[:1024].lstrip()[:5] == b"%PDF-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """BG-13, BG-15."""

    actual_date: date | None = None
    """BT-72."""
    location: Identifier | None = None
    address: Address | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMeans:
    """BG-16 to BG-19."""

    code: str | None = None
    text: str | None = None
    due_date: date | None = None
    references: tuple[str, ...] = ()
    """BT-83."""
    instruction: str | None = None
    """Where e-FFF puts the structured reference."""
    account: str | None = None
    """BT-84, usually an IBAN."""
    account_name: str | None = None
    bic: str | None = None
    card_number: str | None = None
    card_holder: str | None = None
    mandate: str | None = None
    """BT-89."""
    debited_account: str | None = None
    """BT-91."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCategory:
    """Category code (S, Z, E, AE, K, G, O, L, M) with its rate in percent."""

    category: str | None = None
    rate: Decimal | None = None
    exemption_code: str | None = None
    exemption_reason: str | None = None
    name: str | None = None
    """The Belgian VAT code of UBL.BE and e-FFF, a hint that Peppol tolerates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceCharge:
    """BG-20, BG-21 on the document; BG-27, BG-28 on a line (there without VAT: the line's applies)."""

    is_charge: bool
    amount: Decimal
    base: Decimal | None = None
    percent: Decimal | None = None
    reason: str | None = None
    reason_code: str | None = None
    vat: VatCategory | None = None
    accounting_cost: str | None = None

    @property
    def signed_amount(self) -> Decimal:
        """What it adds to the total: negative for an allowance."""
        return self.amount if self.is_charge else -self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class VatSubtotal:
    """BG-23: VAT of one category and rate."""

    category: str | None
    rate: Decimal | None
    taxable: Decimal
    tax: Decimal
    exemption_code: str | None = None
    exemption_reason: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """BG-22."""

    lines: Decimal | None = None
    """BT-106."""
    allowances: Decimal | None = None
    """BT-107."""
    charges: Decimal | None = None
    """BT-108."""
    without_vat: Decimal | None = None
    """BT-109."""
    with_vat: Decimal | None = None
    """BT-112."""
    prepaid: Decimal | None = None
    """BT-113."""
    rounding: Decimal | None = None
    """BT-114."""
    payable: Decimal | None = None
    """BT-115."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """BG-29."""

    net: Decimal | None = None
    """BT-146."""
    gross: Decimal | None = None
    """BT-148."""
    discount: Decimal | None = None
    """BT-147."""
    base_quantity: Decimal | None = None
    """BT-149."""
    base_unit: str | None = None
    """BT-150."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """BG-32: a name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """BG-31."""

    name: str | None = None
    description: str | None = None
    seller_id: str | None = None
    buyer_id: str | None = None
    standard_id: Identifier | None = None
    classifications: tuple[Identifier, ...] = ()
    origin_country: str | None = None
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """BG-25."""

    id: str | None = None
    notes: tuple[str, ...] = ()
    object: Identifier | None = None
    """BT-128."""
    quantity: Decimal | None = None
    unit: str | None = None
    net: Decimal | None = None
    """BT-131."""
    accounting_cost: str | None = None
    """BT-133: the buyer's booking reference, often a ledger account."""
    order_line: str | None = None
    order: str | None = None
    period: Period | None = None
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    item: Item = Item()
    vat: VatCategory = VatCategory()
    """BG-30; where a line has none (e-FFF): its own VAT total's, else the only one of the document."""
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What invoices and credit notes have in common, which is all of it."""

    number: str | None = None
    """BT-1."""
    issue_date: date | None = None
    """BT-2."""
    due_date: date | None = None
    """BT-9."""
    type_code: str | None = None
    """BT-3."""
    currency: str | None = None
    """BT-5."""
    tax_currency: str | None = None
    """BT-6."""
    customization_id: str | None = None
    """BT-24."""
    profile_id: str | None = None
    """BT-23."""
    ubl_version: str | None = None
    notes: tuple[str, ...] = ()
    """BT-22, with BT-21 in front as written."""
    tax_point_date: date | None = None
    """BT-7."""
    tax_point_code: str | None = None
    """BT-8."""
    accounting_cost: str | None = None
    """BT-19."""
    buyer_reference: str | None = None
    """BT-10."""
    period: Period | None = None
    order: str | None = None
    """BT-13."""
    sales_order: str | None = None
    """BT-14."""
    billing_references: tuple[BillingReference, ...] = ()
    despatch: str | None = None
    """BT-16."""
    receipt: str | None = None
    """BT-15."""
    tender: str | None = None
    """BT-17."""
    contract: str | None = None
    """BT-12."""
    project: str | None = None
    """BT-11."""
    object: Identifier | None = None
    """BT-18."""
    attachments: tuple[Attachment, ...] = ()
    seller: Party = NOBODY
    buyer: Party = NOBODY
    payee: Party | None = None
    tax_representative: Party | None = None
    delivery: Delivery | None = None
    payment_means: tuple[PaymentMeans, ...] = ()
    payment_terms: str | None = None
    """BT-20."""
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    vat_total: Decimal | None = None
    """BT-110."""
    vat_total_in_tax_currency: Decimal | None = None
    """BT-111."""
    vat_breakdown: tuple[VatSubtotal, ...] = ()
    totals: Totals = Totals()
    lines: tuple[Line, ...] = ()
    unread: tuple[str, ...] = ()
    """Paths of what the document holds and this model does not; nothing is dropped silently."""

    @property
    def payment_reference(self) -> str | None:
        """BT-83 as written; the first one."""
        return next((text for means in self.payment_means for text in means.references), None)

    @property
    def structured_reference(self) -> str | None:
        """The Belgian structured reference as twelve digits, wherever the document puts it; None when there is none."""
        for means in self.payment_means:
            for text in (*means.references, means.instruction or ""):
                if (digits := parse_structured_reference(text)) is not None:
                    return digits
        for text in (self.payment_terms or "", *self.notes):
            if (digits := find_structured_reference(text)) is not None:
                return digits
        return None

    @property
    def pdf(self) -> Attachment | None:
        """The human-readable PDF: the one described as the invoice itself, else the first embedded one."""
        pdfs = [attachment for attachment in self.attachments if attachment.is_pdf]
        described = [
            one for one in pdfs if (one.description or "").replace(" ", "").lower() in _ITSELF or one.id == self.number
        ]
        return next(iter(described or pdfs), None)

    @property
    def exchange_rate(self) -> Decimal | None:
        """BT-111 / BT-110: the rate of a document in foreign currency; None without both. Peppol knows no other field."""
        if not self.vat_total or self.vat_total_in_tax_currency is None:
            return None
        return self.vat_total_in_tax_currency / self.vat_total


_ITSELF = frozenset({"commercialinvoice", "creditnote", "invoice"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Document):
    """UBL Invoice, but for those whose type code says credit note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote(Document):
    """UBL CreditNote, and e-FFF's Invoice of type 381."""

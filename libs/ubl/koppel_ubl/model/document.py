"""The document itself: one model, two kinds."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from koppel_ubl.identifiers import parse_structured_reference

from .attachments import Attachment, is_named_as_document, picture_of
from .lines import Line
from .money import NO_TOTALS, AllowanceCharge, Totals, VatSubtotal
from .parties import NOBODY, Delivery, Identifier, Party
from .payment import PaymentMeans
from .payment_reference import payment_reference
from .period import Period


@dataclass(frozen=True, kw_only=True)
class BillingReference:
    """BG-3: a preceding invoice."""

    number: str | None = None
    """BT-25."""
    issue_date: date | None = None
    """BT-26."""
    is_credit_note: bool = False
    """Whether the document refers to it as a credit note; no business term."""


@dataclass(frozen=True, kw_only=True)
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
    other_currencies: tuple[str, ...] = ()
    """Currencies besides BT-5 of amounts that make the total (PEPPOL-EN16931-R051); ``unmapped`` tells where they stand."""
    customization_id: str | None = None
    """BT-24."""
    profile_id: str | None = None
    """BT-23."""
    ubl_version: str | None = None
    """UBLVersionID; no business term."""
    notes: tuple[str, ...] = ()
    """BG-1: BT-22, with its subject code BT-21 in front as UBL has it: ``#AAI#text``."""
    tax_point_date: date | None = None
    """BT-7."""
    tax_point_code: str | None = None
    """BT-8."""
    accounting_cost: str | None = None
    """BT-19."""
    buyer_reference: str | None = None
    """BT-10."""
    period: Period | None = None
    """BG-14."""
    order: str | None = None
    """BT-13."""
    sales_order: str | None = None
    """BT-14."""
    billing_references: tuple[BillingReference, ...] = ()
    """BG-3."""
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
    """BG-24."""
    seller: Party = NOBODY
    """BG-4."""
    buyer: Party = NOBODY
    """BG-7."""
    payee: Party | None = None
    """BG-10."""
    tax_representative: Party | None = None
    """BG-11."""
    delivery: Delivery | None = None
    """BG-13."""
    payment_means: tuple[PaymentMeans, ...] = ()
    """BG-16."""
    payment_terms: str | None = None
    """BT-20."""
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    """BG-20, BG-21, in the order of the document."""
    vat_total: Decimal | None = None
    """BT-110."""
    vat_total_in_tax_currency: Decimal | None = None
    """BT-111."""
    vat_breakdown: tuple[VatSubtotal, ...] = ()
    """BG-23."""
    totals: Totals = NO_TOTALS
    """BG-22."""
    lines: tuple[Line, ...] = ()
    """BG-25."""
    unmapped: tuple[str, ...] = ()
    """Paths of the elements and attributes this model has no place for; nothing is dropped silently."""

    @property
    def payment_reference(self) -> str | None:
        """What the payer is to quote: a structured or creditor reference, else BT-83 as written; None when there is none.

        A structured reference is twelve digits, a creditor reference (ISO 11649) begins with RF and has no blanks.
        """
        texts = (self.payment_terms, *self.notes)
        others = [one.number for one in self.billing_references]
        is_credit_note = isinstance(self, CreditNote)
        return payment_reference(self.payment_means, texts, others, number=self.number, is_credit_note=is_credit_note)

    @property
    def structured_reference(self) -> str | None:
        """The payment reference where it is a Belgian structured one, as twelve digits; else None."""
        return parse_structured_reference(self.payment_reference or "")

    @property
    def creditor_id(self) -> str | None:
        """BT-90: the SEPA creditor identifier, which the payee has, else the seller."""
        parties = (self.payee or NOBODY, self.seller)
        return next((one.value for party in parties for one in party.identifiers if one.scheme == "SEPA"), None)

    @property
    def picture(self) -> Attachment | None:
        """The embedded PDF, PNG or JPEG that shows the document itself, as ``picture_of`` finds it; None when none does."""
        return picture_of(self.attachments, self.number, self.type_code)

    def names_itself_in(self, attachment: Attachment) -> bool:
        """Return whether the sender says that an attachment shows the document itself; the first PDF may show anything."""
        return is_named_as_document(attachment, self.number, self.type_code)

    @property
    def pdf(self) -> Attachment | None:
        """The human-readable PDF: the picture of the document where that is a PDF."""
        picture = self.picture
        return picture if picture is not None and picture.is_pdf else None

    @property
    def exchange_rate(self) -> Decimal | None:
        """BT-111 / BT-110: the rate of a document in foreign currency; None without both. Peppol knows no other field."""
        if not self.vat_total or self.vat_total_in_tax_currency is None:
            return None
        return self.vat_total_in_tax_currency / self.vat_total


@dataclass(frozen=True, kw_only=True)
class Invoice(Document):
    """A UBL Invoice, except with the type code of a credit note."""


@dataclass(frozen=True, kw_only=True)
class CreditNote(Document):
    """UBL CreditNote, and e-FFF's Invoice of type 381."""

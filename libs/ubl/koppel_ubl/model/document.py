"""The document itself: one model, two kinds."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from koppel_ubl.identifiers import StructuredReference, find_structured_reference, parse_structured_reference
from koppel_ubl.model.attachments import Attachment, SupportingDocument
from koppel_ubl.model.basics import Identifier, Note, Period
from koppel_ubl.model.lines import Line
from koppel_ubl.model.money import AllowanceCharge, Totals, VatBreakdown
from koppel_ubl.model.parties import Delivery, Party
from koppel_ubl.model.payment import PaymentMeans

_RECEIPTS_REFERENCES = frozenset({"dagontvangsten", "recettes journalières", "recettes journalieres", "daily receipts"})
_PDF_DESCRIPTIONS = frozenset({"commercialinvoice", "creditnote"})  # UBL.BE; what Belgian packages look for


@dataclass(frozen=True, slots=True)
class PrecedingInvoice:
    """BG-3: the invoice a credit note or correction refers to."""

    number: str
    """BT-25"""
    issued_on: date | None = None
    """BT-26"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What Invoice and CreditNote share, which is everything but the kind.

    The kind is told by the class (and `kind`), never by a sign: a credit note's amounts are positive, a negative invoice
    corrects. Amounts are as written.
    """

    kind: ClassVar[Literal["invoice", "credit_note"]]

    number: str
    """BT-1; empty when the document leaves it empty"""
    issued_on: date
    """BT-2"""
    currency: str
    """BT-5: ISO 4217, of every amount not said to be otherwise"""
    seller: Party
    """BG-4"""
    buyer: Party
    """BG-7"""
    totals: Totals
    """BG-22"""
    lines: tuple[Line, ...]
    """BG-25"""
    vat_breakdown: tuple[VatBreakdown, ...] = ()
    """BG-23"""
    type_code: str | None = None
    """BT-3: UNCL 1001, e.g. 380 invoice, 381 credit note, 389 self-billed invoice"""
    due_on: date | None = None
    """BT-9"""
    specification: str | None = None
    """BT-24: cbc:CustomizationID"""
    process: str | None = None
    """BT-23: cbc:ProfileID"""
    ubl_version: str | None = None
    """cbc:UBLVersionID"""
    uuid: str | None = None
    """cbc:UUID; no business term"""
    notes: tuple[Note, ...] = ()
    """BG-1"""
    tax_point_on: date | None = None
    """BT-7"""
    tax_point_code: str | None = None
    """BT-8"""
    tax_currency: str | None = None
    """BT-6"""
    accounting_cost: str | None = None
    """BT-19: the buyer's booking reference"""
    buyer_reference: str | None = None
    """BT-10"""
    period: Period | None = None
    """BG-14"""
    purchase_order: str | None = None
    """BT-13"""
    sales_order: str | None = None
    """BT-14"""
    preceding_invoices: tuple[PrecedingInvoice, ...] = ()
    """BG-3"""
    despatch_advice: str | None = None
    """BT-16"""
    receiving_advice: str | None = None
    """BT-15"""
    tender: str | None = None
    """BT-17"""
    contract: str | None = None
    """BT-12"""
    project: str | None = None
    """BT-11"""
    invoiced_object: Identifier | None = None
    """BT-18"""
    supporting_documents: tuple[SupportingDocument, ...] = ()
    """BG-24"""
    payee: Party | None = None
    """BG-10: who is paid when not the seller (factoring)"""
    tax_representative: Party | None = None
    """BG-11"""
    delivery: Delivery | None = None
    """BG-13"""
    payment_means: tuple[PaymentMeans, ...] = ()
    """BG-16"""
    payment_terms: str | None = None
    """BT-20"""
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    """BG-20 and BG-21, as ordered in the document"""
    unread: tuple[str, ...] = ()
    """Paths of elements and attributes the model does not hold; nothing is dropped silently"""
    derived: tuple[str, ...] = ()
    """Fields the document does not write and a rule of the README's table filled in, e.g. `totals.gross`"""

    @property
    def is_credit_note(self) -> bool:
        """Whether this is a credit note, whatever its root element or sign."""
        return self.kind == "credit_note"

    @property
    def is_self_billed(self) -> bool:
        """Issued by the buyer in the seller's name (389, 527, 261)."""
        return self.type_code in {"389", "527", "261"}

    @property
    def is_daily_receipts(self) -> bool:
        """Day totals of a till: no real customer, booked in the receipts journal.

        Recognised by the buyer reference tills write, or by a nameless buyer at the seller's own endpoint.
        """
        if (self.buyer_reference or "").strip().lower() in _RECEIPTS_REFERENCES:
            return True
        buyer = self.buyer
        anonymous = buyer.vat_id is None and buyer.registration is None and buyer.endpoint is not None
        return anonymous and buyer.endpoint == self.seller.endpoint

    @property
    def allowances(self) -> tuple[AllowanceCharge, ...]:
        """BG-20."""
        return tuple(entry for entry in self.allowances_charges if not entry.is_charge)

    @property
    def charges(self) -> tuple[AllowanceCharge, ...]:
        """BG-21."""
        return tuple(entry for entry in self.allowances_charges if entry.is_charge)

    @property
    def structured_reference(self) -> StructuredReference | None:
        """The machine-readable payment reference, from BT-83, else from where e-FFF files keep it, else from the terms."""
        for means in self.payment_means:
            for text in (means.reference, means.instruction_id, means.instruction_note):
                reference = parse_structured_reference(text) if text else None
                if reference is not None:
                    return reference
        for text in (*(means.reference for means in self.payment_means), self.payment_terms):
            reference = find_structured_reference(text) if text else None
            if reference is not None:
                return reference
        return None

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Every embedded file, in order."""
        return tuple(entry.attachment for entry in self.supporting_documents if entry.attachment is not None)

    @property
    def readable_pdf(self) -> Attachment | None:
        """The PDF a person would call the invoice: the one described so, else the one with its number, else the first."""
        pdfs = [
            (entry, entry.attachment)
            for entry in self.supporting_documents
            if entry.attachment is not None and entry.attachment.detected_type == "application/pdf"
        ]
        for entry, attachment in pdfs:
            if (entry.description or "").replace(" ", "").lower() in _PDF_DESCRIPTIONS:
                return attachment
        for entry, attachment in pdfs:
            if entry.id == self.number:
                return attachment
        return pdfs[0][1] if pdfs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Document):
    """A request for payment."""

    kind = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote(Document):
    """Takes back what an invoice asked; also what e-FFF writes as an Invoice of type 381."""

    kind = "credit_note"

"""The document as a whole: its elements, in the order of the schema for each kind, and the model they become."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from lxml import etree

from koppel_ubl.model import Attachment, CreditNote, Document, Identifier, Invoice, Line, Period, VatSubtotal

from .lines import CREDIT_NOTE_LINE, INVOICE_LINE, vat_with
from .money import ALLOWANCE_CHARGE, TAX_TOTAL, TOTALS
from .parties import BUYER, DELIVERY, OTHER, SELLER, accounting_values, party_of
from .payment import MEANS, TERMS
from .references import BILLING, DOCUMENT, INVOICED_OBJECT, PROJECT_REFERENCE, reference
from .shape import CAC, CBC, Entry, Notes, Shape, Values, built, day, into, many, one, shape, text, texts

INVOICE_ROOT: Final = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE_ROOT: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
_CREDIT_TYPES: Final = frozenset({"381", "396", "261", "81", "83", "532"})
"""UNTDID 1001 codes that credit; e-FFF writes 381 inside an Invoice."""

_PERIOD = shape(day("cbc:StartDate", "start"), day("cbc:EndDate", "end"), text("cbc:DescriptionCode", "code"))
_ORDER = shape(text("cbc:ID", "order"), text("cbc:SalesOrderID", "sales_order"))
_FIRST: Final = (
    text("cbc:UBLVersionID", "ubl_version"),
    text("cbc:CustomizationID", "customization_id"),
    text("cbc:ProfileID", "profile_id"),
    text("cbc:ID", "number"),
    day("cbc:IssueDate", "issue_date"),
)
_TAX_POINT: Final = day("cbc:TaxPointDate", "tax_point_date")
_CODES: Final = (
    text("cbc:DocumentCurrencyCode", "currency"),
    text("cbc:TaxCurrencyCode", "tax_currency"),
    text("cbc:AccountingCostCode", "accounting_code", read_only=True),
    text("cbc:AccountingCost", "accounting_cost"),
    text("cbc:BuyerReference", "buyer_reference"),
    one("cac:InvoicePeriod", "span", _PERIOD),
    into("cac:OrderReference", _ORDER),
    many("cac:BillingReference", "billing_references", BILLING),
    into("cac:DespatchDocumentReference", reference("despatch")),
    into("cac:ReceiptDocumentReference", reference("receipt")),
)
_TENDER: Final = into("cac:OriginatorDocumentReference", reference("tender"))
_CONTRACT: Final = into("cac:ContractDocumentReference", reference("contract"))
_ADDITIONAL: Final = many("cac:AdditionalDocumentReference", "documents", DOCUMENT)
_PARTIES_TO_TOTALS: Final = (
    one("cac:AccountingSupplierParty", "seller", SELLER),
    one("cac:AccountingCustomerParty", "buyer", BUYER),
    one("cac:PayeeParty", "payee", OTHER),
    one("cac:TaxRepresentativeParty", "tax_representative", OTHER),
    one("cac:Delivery", "delivery", DELIVERY),
    many("cac:PaymentMeans", "payment_means", MEANS),
    many("cac:PaymentTerms", "terms", TERMS),
    many("cac:AllowanceCharge", "allowances_charges", ALLOWANCE_CHARGE),
    many("cac:TaxTotal", "tax_totals", TAX_TOTAL),
    one("cac:LegalMonetaryTotal", "totals", TOTALS),
)
_INVOICE_ENTRIES: Final[tuple[Entry, ...]] = (
    *_FIRST,
    day("cbc:DueDate", "due_date"),
    text("cbc:InvoiceTypeCode", "type_code"),
    texts("cbc:Note", "notes"),
    _TAX_POINT,
    *_CODES,
    _TENDER,
    _CONTRACT,
    _ADDITIONAL,
    into("cac:ProjectReference", reference("project")),
    *_PARTIES_TO_TOTALS,
    many("cac:InvoiceLine", "lines", INVOICE_LINE),
)
_CREDIT_NOTE_ENTRIES: Final[tuple[Entry, ...]] = (
    *_FIRST,
    _TAX_POINT,
    text("cbc:CreditNoteTypeCode", "type_code"),
    texts("cbc:Note", "notes"),
    *_CODES,
    _CONTRACT,
    _ADDITIONAL,
    _TENDER,
    *_PARTIES_TO_TOTALS,
    many("cac:CreditNoteLine", "lines", CREDIT_NOTE_LINE),
)
_DIRECT: Final = frozenset(
    {each.name for each in fields(Document)}
    - {"seller", "buyer", "notes", "billing_references", "payment_means", "allowances_charges", "lines", "unread"}
)
"""Fields whose value stands among the gathered ones as it is."""
_REPEATED: Final = ("notes", "billing_references", "payment_means", "allowances_charges")


def make(values: Values, root: etree._Element, notes: Notes) -> Invoice | CreditNote:
    """Return the document, ``unread`` still empty."""
    found: Values = {name: value for name, value in values.items() if name in _DIRECT}
    for name in _REPEATED:
        if name in values:
            found[name] = tuple(values[name])
    if "accounting_code" in values:
        if "accounting_cost" in values:
            notes.skip_below(root, "{*}AccountingCostCode")
        found.setdefault("accounting_cost", values["accounting_code"])
    found["seller"], found["buyer"] = party_of(values.get("seller")), party_of(values.get("buyer"))
    found.update(_span(values.get("span")))
    found.update(_documents(values, root, notes))
    breakdown = _tax(values, found, notes)
    terms = [text for each in values.get("terms", ()) for text in each.get("notes", ())]
    if terms:
        found["payment_terms"] = "\n".join(terms)
    if "due_date" not in found:
        found["due_date"] = next((each.due_date for each in found.get("payment_means", ()) if each.due_date), None)
    lines = values.get("lines", ())
    found["lines"] = tuple(_with_vat(lines, breakdown[0]) if len(breakdown) == 1 else lines)
    is_credit = root.tag == CREDIT_NOTE_ROOT or values.get("type_code") in _CREDIT_TYPES
    return built(CreditNote, found) if is_credit else built(Invoice, found)


def _span(values: Values | None) -> Values:
    if values is None:
        return {}
    start, end = values.get("start"), values.get("end")
    period = Period(start=start, end=end) if start or end else None
    return {"period": period, "tax_point_code": values.get("code")}


def _documents(values: Values, root: etree._Element, notes: Notes) -> Values:
    found: Values = {}
    attachments = []
    fields_by_type = {INVOICED_OBJECT: "object", PROJECT_REFERENCE: "project"}
    for position, document in enumerate(values.get("documents", ())):
        if isinstance(document, Attachment):
            attachments.append(document)
            continue
        field, identifier = fields_by_type[document["type_code"]], document["id"]
        if field in found or field in values:
            notes.skip(root.findall(CAC + "AdditionalDocumentReference")[position])
            continue
        found[field] = identifier.value if field == "project" and identifier else identifier
    if attachments:
        found["attachments"] = tuple(attachments)
    return found


def _tax(values: Values, found: Values, notes: Notes) -> tuple[VatSubtotal, ...]:
    """Tell the VAT totals apart: the one in the accounting currency (BT-111) has no breakdown."""
    currency, tax_currency = values.get("currency"), values.get("tax_currency")
    breakdown: list[VatSubtotal] = []
    for total in values.get("tax_totals", ()):
        written_in, subtotals = total.get("currency"), total.get("subtotals", ())
        is_second = tax_currency is not None and written_in == tax_currency != currency
        field = "vat_total_in_tax_currency" if is_second else "vat_total"
        if field in found or (is_second and subtotals):
            notes.skip(total["element"])
        elif written_in not in {currency, tax_currency, None}:
            notes.skip_below(total["element"], CBC + "TaxAmount/@currencyID")
        if "tax" in total:
            found.setdefault(field, total["tax"])
        if not breakdown or not is_second:
            breakdown += subtotals
    found["vat_breakdown"] = tuple(breakdown)
    return found["vat_breakdown"]  # type: ignore[no-any-return]


def _with_vat(lines: list[Line], only: VatSubtotal) -> Iterator[Line]:
    """Give lines without VAT that of the document's only breakdown (e-FFF)."""
    for line in lines:
        yield line if line.vat.category is not None else replace(line, vat=vat_with(line.vat, only))


def unmake(document: Document) -> Mapping[str, Any]:
    """Return the values from which the document's elements are written."""
    values: Values = {each.name: getattr(document, each.name) for each in fields(Document)}
    documents: list[Any] = []
    if document.object is not None:
        documents.append({"id": document.object, "type_code": INVOICED_OBJECT})
    if document.project is not None and isinstance(document, CreditNote):
        documents.append({"id": Identifier(document.project), "type_code": PROJECT_REFERENCE})
    start, end = (document.period.start, document.period.end) if document.period else (None, None)
    span = {"start": start, "end": end, "code": document.tax_point_code}
    values.update(
        documents=[*documents, *document.attachments],
        span=span if any(span.values()) else None,
        terms=[{"notes": (document.payment_terms,)}] if document.payment_terms else (),
        seller=accounting_values(document.seller),
        buyer=accounting_values(document.buyer),
        tax_totals=_tax_totals(document),
    )
    return values


def _tax_totals(document: Document) -> list[Values]:
    totals: list[Values] = []
    if document.vat_total is not None or document.vat_breakdown:
        first = {"tax": document.vat_total, "currency": document.currency, "subtotals": document.vat_breakdown}
        totals.append(first)
    if document.vat_total_in_tax_currency is not None:
        totals.append({"tax": document.vat_total_in_tax_currency, "currency": document.tax_currency})
    return totals


INVOICE: Final = Shape(_INVOICE_ENTRIES, make, unmake)
CREDIT_NOTE: Final = Shape(_CREDIT_NOTE_ENTRIES, make, unmake)
EITHER: Final = Shape((*_INVOICE_ENTRIES, *_CREDIT_NOTE_ENTRIES), make, unmake)
"""For reading, which takes the elements of one kind inside the other as older senders put them there."""

"""The document as a whole: its elements, in the order of the schema for each kind, and the model they become."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from koppel_ubl.model import (
    AllowanceCharge,
    Attachment,
    CreditNote,
    Document,
    Identifier,
    Invoice,
    Line,
    Period,
    Totals,
    VatCategory,
    VatSubtotal,
)

from .aggregate import (
    CAC,
    CBC,
    Aggregate,
    Entry,
    Notes,
    Values,
    aggregate,
    built,
    day,
    into,
    many,
    one,
    required,
    sole,
    text,
    texts,
)
from .lines import CREDIT_NOTE_LINE, INVOICE_LINE, vat_with
from .money import ALLOWANCE_CHARGE, TAX_TOTAL, TOTALS
from .parties import BUYER, DELIVERY, OTHER, SELLER, accounting_values, party_of
from .payment import MEANS, TERMS
from .references import BILLING, DOCUMENT, INVOICED_OBJECT, PROJECT_REFERENCE

INVOICE_ROOT: Final = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE_ROOT: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
CREDIT_NOTE_TYPES: Final = frozenset(
    {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"}
)
"""Codes of UNTDID 1001 that credit, as BR-CL-01 lists them.

The code decides and not the root: e-FFF writes 381 inside an Invoice, and some senders a debit code inside a CreditNote. A code
of neither list decides nothing.
"""
INVOICE_TYPES: Final = frozenset(
    {"71", "80", "82", "84", "102", "130", "202", "203", "204", "211", "218", "219", "295", "325", "326", "331", "380"}
    | {"382", "383", "384", "385", "386", "387", "388", "389", "390", "393", "394", "395", "456", "457", "471", "472"}
    | {"473", "500", "501", "527", "553", "575", "623", "633", "751", "780", "817", "870", "875", "876", "877", "935"}
)
"""Codes that debit, as BR-CL-01 lists them. It has 81 as well, which credits."""

_PERIOD = aggregate(day("cbc:StartDate", "start"), day("cbc:EndDate", "end"), text("cbc:DescriptionCode", "code"))
_ORDER = aggregate(required(text("cbc:ID", "order")), text("cbc:SalesOrderID", "sales_order"))
_FIRST: Final = (
    text("cbc:UBLVersionID", "ubl_version"),
    text("cbc:CustomizationID", "customization_id"),
    text("cbc:ProfileID", "profile_id"),
    required(text("cbc:ID", "number")),
    required(day("cbc:IssueDate", "issue_date")),
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
    sole("cac:DespatchDocumentReference", "cbc:ID", "despatch"),
    sole("cac:ReceiptDocumentReference", "cbc:ID", "receipt"),
)
_TENDER: Final = sole("cac:OriginatorDocumentReference", "cbc:ID", "tender")
_CONTRACT: Final = sole("cac:ContractDocumentReference", "cbc:ID", "contract")
_ADDITIONAL: Final = many("cac:AdditionalDocumentReference", "documents", DOCUMENT)
_PARTIES_TO_TOTALS: Final = (
    required(one("cac:AccountingSupplierParty", "seller", SELLER)),
    required(one("cac:AccountingCustomerParty", "buyer", BUYER)),
    one("cac:PayeeParty", "payee", OTHER),
    one("cac:TaxRepresentativeParty", "tax_representative", OTHER),
    one("cac:Delivery", "delivery", DELIVERY),
    many("cac:PaymentMeans", "payment_means", MEANS),
    many("cac:PaymentTerms", "terms", TERMS),
    many("cac:AllowanceCharge", "allowances_charges", ALLOWANCE_CHARGE),
    many("cac:TaxTotal", "tax_totals", TAX_TOTAL),
    required(one("cac:LegalMonetaryTotal", "totals", TOTALS)),
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
    sole("cac:ProjectReference", "cbc:ID", "project"),
    *_PARTIES_TO_TOTALS,
    required(many("cac:InvoiceLine", "lines", INVOICE_LINE)),
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
    required(many("cac:CreditNoteLine", "lines", CREDIT_NOTE_LINE)),
)
_REPEATED: Final = ("notes", "billing_references", "payment_means", "allowances_charges")


def make(values: Values, root: etree._Element, notes: Notes) -> Invoice | CreditNote:
    """Return the document, ``unmapped`` still empty."""
    for name in _REPEATED:
        if name in values:
            values[name] = tuple(values[name])
    if "accounting_code" in values:
        code = values.pop("accounting_code")
        if values.setdefault("accounting_cost", code) != code:
            notes.skip_below(root, "{*}AccountingCostCode")
    values["seller"], values["buyer"] = party_of(values.get("seller")), party_of(values.get("buyer"))
    if "span" in values:
        values.update(_span(values.pop("span")))
    if "documents" in values:
        _documents(values, root, notes)
    breakdown = _tax(values, notes)
    if "terms" in values:
        terms = [text for each in values.pop("terms") for text in each.get("notes", ())]
        values["payment_terms"] = "\n".join(terms) or None
    if "due_date" not in values:
        values["due_date"] = next((each.due_date for each in values.get("payment_means", ()) if each.due_date), None)
    lines = values.get("lines", ())
    values["lines"] = tuple(_with_vat(lines, breakdown[0]) if len(breakdown) == 1 else lines)
    if len(breakdown) == 1 and "allowances_charges" in values:
        values["allowances_charges"] = tuple(_adjustments_with_vat(values["allowances_charges"], breakdown[0]))
    code = (values.get("type_code") or "").strip()
    is_credit = code in CREDIT_NOTE_TYPES or (root.tag == CREDIT_NOTE_ROOT and code not in INVOICE_TYPES)
    return built(CreditNote, values) if is_credit else built(Invoice, values)


def _span(values: Values) -> Values:
    start, end = values.get("start"), values.get("end")
    period = Period(start=start, end=end) if start or end else None
    return {"period": period, "tax_point_code": values.get("code")}


def _documents(values: Values, root: etree._Element, notes: Notes) -> None:
    attachments = []
    elements: list[etree._Element] = []
    fields_by_type = {INVOICED_OBJECT: "object", PROJECT_REFERENCE: "project"}
    for position, document in enumerate(values.pop("documents")):
        if isinstance(document, Attachment):
            attachments.append(document)
            continue
        field, identifier = fields_by_type[document["type_code"]], document["id"]
        if field in values:
            elements = elements or root.findall(CAC + "AdditionalDocumentReference")  # once: there may be very many
            notes.skip(elements[position])
        else:
            values[field] = identifier.value if field == "project" and identifier else identifier
    values["attachments"] = tuple(attachments)


def _tax(values: Values, notes: Notes) -> tuple[VatSubtotal, ...]:
    """Tell the VAT totals apart by their currency, whatever their order; return the breakdown of the document's own."""
    totals = values.pop("tax_totals", ())
    currency, tax_currency = in_capitals(values.get("currency")), in_capitals(values.get("tax_currency"))
    if tax_currency is None and len(totals) > 1:
        tax_currency = values["tax_currency"] = _other_currency(totals, currency)
    own: list[Values] = []
    for total in totals:
        written_in = in_capitals(total.get("currency"))
        if tax_currency is None or written_in != tax_currency or written_in == currency:
            if written_in not in {currency, tax_currency, None}:
                notes.skip_below(total["element"], CBC + "TaxAmount/@currencyID")
            own.append(total)
        elif "vat_total_in_tax_currency" in values:
            notes.skip(total["element"])
        else:
            if total.get("subtotals"):  # BT-111 has none; those in the other currency are not the document's
                notes.skip_below(total["element"], CAC + "TaxSubtotal")
            if "tax" in total:
                values["vat_total_in_tax_currency"] = total["tax"]
    counted = _counted(own, values.get("totals"))
    for total in own:
        if not any(total is each for each in counted):
            notes.skip(total["element"])
    stated = [total["tax"] for total in counted if "tax" in total]
    if stated:
        values["vat_total"] = sum(stated[1:], stated[0])
    breakdown: tuple[VatSubtotal, ...] = tuple(each for total in counted for each in total.get("subtotals", ()))
    values["vat_breakdown"] = breakdown
    return breakdown


def in_capitals(code: str | None) -> str | None:
    """Return a currency as the list has it; small letters break a rule (BR-CL-04, BR-CL-05), and name the same one."""
    return code.upper() if code else None


def _other_currency(totals: list[Values], currency: str | None) -> str | None:
    """Return the currency of a second VAT total where the document does not name it (BT-6); None where it has none."""
    others = {total["currency"] for total in totals if in_capitals(total.get("currency")) not in {currency, None}}
    has_own = any(in_capitals(total.get("currency")) == currency for total in totals)
    return others.pop() if has_own and len(others) == 1 else None


def _counted(own: list[Values], totals: Totals | None) -> list[Values]:
    """Return those of several VAT totals in the document's currency that make its VAT (BR-53 allows one).

    Some senders write one for each rate, others repeat the total, with or without its breakdown: the document's totals with
    and without VAT tell which. Where they do not, the first counts, with the first breakdown.
    """
    if len(own) < 2:
        return own
    with_breakdown = [total for total in own if total.get("subtotals")] or own
    if totals is not None and totals.with_vat is not None and totals.without_vat is not None:
        vat = totals.with_vat - totals.without_vat
        if sum((total.get("tax") or Decimal(0) for total in own), Decimal(0)) == vat:
            return own
        if fitting := [total for total in with_breakdown if total.get("tax") == vat]:
            return fitting[:1]
    return with_breakdown[:1]


def _with_vat(lines: list[Line], only: VatSubtotal) -> Iterator[Line]:
    """Give lines without VAT that of the document's only breakdown (e-FFF)."""
    for line in lines:
        yield line if line.vat.category is not None else replace(line, vat=vat_with(line.vat, only))


def _adjustments_with_vat(adjustments: tuple[AllowanceCharge, ...], only: VatSubtotal) -> Iterator[AllowanceCharge]:
    """Give allowances and charges of the document without VAT that of its only breakdown."""
    for each in adjustments:
        vat = each.vat or VatCategory()
        yield each if vat.category is not None else replace(each, vat=vat_with(vat, only))


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


INVOICE: Final = Aggregate(_INVOICE_ENTRIES, make, unmake)
CREDIT_NOTE: Final = Aggregate(_CREDIT_NOTE_ENTRIES, make, unmake)
EITHER: Final = Aggregate((*_INVOICE_ENTRIES, *_CREDIT_NOTE_ENTRIES), make, unmake)
"""For reading: accepts elements of either kind in the other, as older senders write them."""

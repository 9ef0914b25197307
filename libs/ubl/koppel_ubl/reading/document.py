"""The way in: bytes → tree → Invoice or CreditNote."""

import re
from typing import Any

from koppel_ubl.errors import ReadError
from koppel_ubl.model.basics import Note, Period
from koppel_ubl.model.document import CreditNote, Invoice
from koppel_ubl.reading.fallbacks import breakdown_of, complete_lines, totals_of
from koppel_ubl.reading.lines import read_line
from koppel_ubl.reading.money import read_allowance_charge, read_monetary_total, read_tax_total
from koppel_ubl.reading.parties import read_accounting_party, read_delivery, read_party
from koppel_ubl.reading.references import additional_document, preceding_invoice, read_payment_means
from koppel_ubl.reading.rules import (
    CAC,
    CBC,
    Context,
    Element,
    Table,
    Values,
    day,
    fail,
    into,
    many,
    one,
    path_of,
    read_into,
    require,
    text,
    text_of,
    tuples,
)
from koppel_ubl.safe_xml import parse

_INVOICE = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
_CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
_ENVELOPE_NAMESPACE = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"
# UNCL 1001 codes EN 16931 gives to credit notes. e-FFF v1 writes them in an Invoice root (381, positive amounts).
_CREDIT_NOTE_TYPES = frozenset(
    {"381", "396", "261", "81", "83", "532", "262", "296", "308", "420", "458", "502", "503"}
)
_SUBJECT = re.compile(r"#([A-Z0-9]{2,3})#(.*)", re.DOTALL)


def read(data: bytes) -> Invoice | CreditNote:
    """Read a UBL 2.1 Invoice or CreditNote: Peppol BIS Billing 3, any EN 16931 flavour, UBL.BE, e-FFF.

    Lenient about what a person would understand, strict about what would be booked wrongly.

    Raises:
        ReadError: the bytes are hostile, malformed, no invoice, or lack what bookkeeping needs.
    """
    root = parse(data)
    context = Context()
    element = _unwrap(root, context)
    is_credit_note = element.tag == _CREDIT_NOTE
    if not is_credit_note and element.tag != _INVOICE:
        raise ReadError(
            f"the root element is {str(element.tag)[:120]}, not a UBL 2 Invoice or CreditNote",
            code="wrong_root",
            line=element.sourceline if isinstance(element.sourceline, int) else None,
            path=path_of(element),
        )
    values = read_into(element, _DOCUMENT, {}, context)
    _finish(element, values, context)
    if is_credit_note or values.get("type_code") in _CREDIT_NOTE_TYPES:
        return CreditNote(**values)
    return Invoice(**values)


def _unwrap(root: Element, context: Context) -> Element:
    """The document inside a Peppol envelope (SBDH)."""
    if root.tag != f"{_ENVELOPE_NAMESPACE}StandardBusinessDocument":
        return root
    documents = [child for child in root if child.tag in {_INVOICE, _CREDIT_NOTE}]
    if len(documents) != 1:
        raise fail(root, f"the envelope holds {len(documents)} invoices or credit notes instead of one", "wrong_root")
    for child in root:
        if child is not documents[0]:
            context.skip(child)
    return documents[0]


def _finish(element: Element, values: Values, context: Context) -> None:
    """Check what cannot be missing, then complete and freeze."""
    for field, tag in _REQUIRED:
        require(element, values, field, tag)
    values.setdefault("number", "")
    if "currency" not in values:
        values["currency"] = _currency_of_amounts(element, context)
        context.derived.append("currency")
    context.currency = values["currency"]
    tax_totals = values.pop("tax_totals", [])
    entries = values.get("allowances_charges", [])
    breakdown = breakdown_of(tax_totals, values["lines"], entries, context)
    lines = complete_lines(values["lines"], breakdown, context)
    values["totals"] = totals_of(values["totals"], tax_totals, lines, context)
    values["lines"], values["vat_breakdown"] = lines, breakdown
    if "due_on" not in values:
        due = [means.due_on for means in values.get("payment_means", ()) if means.due_on is not None]
        if due:
            values["due_on"] = due[0]
    for amount, currency in context.foreign:
        if currency != context.currency:
            context.note(f"{path_of(amount)}/@currencyID")
    tuples(values, "notes", "preceding_invoices", "supporting_documents", "payment_means", "allowances_charges")
    values["unread"] = tuple(context.unread)
    values["derived"] = tuple(dict.fromkeys(context.derived))


_REQUIRED = (
    ("issued_on", "cbc:IssueDate"),
    ("seller", "cac:AccountingSupplierParty"),
    ("buyer", "cac:AccountingCustomerParty"),
    ("totals", "cac:LegalMonetaryTotal"),
    ("lines", "cac:InvoiceLine"),
)


def _currency_of_amounts(element: Element, context: Context) -> str:
    """BT-5 is missing: the one currency all amounts are in."""
    currencies = {currency for _, currency in context.foreign}
    if len(currencies) != 1 or not (only := currencies.pop()):
        raise fail(element, "cbc:DocumentCurrencyCode is missing", "missing")
    return only


def _currency(element: Element, values: Values, context: Context) -> None:
    """BT-5, kept at hand to tell amounts in other currencies."""
    code = text_of(element)
    if code and "currency" not in values:
        values["currency"] = context.currency = code
    context.skip_attributes(element)


def _note(element: Element, values: Values, context: Context) -> None:
    """BG-1: the subject code stands in front of the text (`#AAI#`)."""
    content = text_of(element)
    if content:
        match = _SUBJECT.fullmatch(content)
        note = Note(match[2].strip(), match[1]) if match else Note(content)
        values.setdefault("notes", []).append(note)
    context.skip_attributes(element)


_PERIOD: Table = {
    f"{CBC}StartDate": day("start_on"),
    f"{CBC}EndDate": day("end_on"),
    f"{CBC}DescriptionCode": text("code"),
}


def _period(element: Element, values: Values, context: Context) -> None:
    """BG-14 and the VAT point code BT-8, which UBL keeps in it."""
    found: dict[str, Any] = read_into(element, _PERIOD, {}, context)
    code = found.pop("code", None)
    if "period" in values or (code and "tax_point_code" in values):
        context.skip(element)
        return
    if code:
        values["tax_point_code"] = code
    if found:
        values["period"] = Period(**found)


def _reference(field: str) -> Any:
    return into({f"{CBC}ID": text(field)})


_DOCUMENT: Table = {
    f"{CBC}UBLVersionID": text("ubl_version"),
    f"{CBC}CustomizationID": text("specification"),
    f"{CBC}ProfileID": text("process"),
    f"{CBC}ID": text("number"),
    f"{CBC}UUID": text("uuid"),
    f"{CBC}IssueDate": day("issued_on"),
    f"{CBC}DueDate": day("due_on"),
    f"{CBC}InvoiceTypeCode": text("type_code"),
    f"{CBC}CreditNoteTypeCode": text("type_code"),
    f"{CBC}Note": _note,
    f"{CBC}TaxPointDate": day("tax_point_on"),
    f"{CBC}DocumentCurrencyCode": _currency,
    f"{CBC}TaxCurrencyCode": text("tax_currency"),
    f"{CBC}AccountingCost": text("accounting_cost"),
    f"{CBC}BuyerReference": text("buyer_reference"),
    f"{CAC}InvoicePeriod": _period,
    f"{CAC}OrderReference": into({f"{CBC}ID": text("purchase_order"), f"{CBC}SalesOrderID": text("sales_order")}),
    f"{CAC}BillingReference": preceding_invoice,
    f"{CAC}DespatchDocumentReference": _reference("despatch_advice"),
    f"{CAC}ReceiptDocumentReference": _reference("receiving_advice"),
    f"{CAC}OriginatorDocumentReference": _reference("tender"),
    f"{CAC}ContractDocumentReference": _reference("contract"),
    f"{CAC}ProjectReference": _reference("project"),
    f"{CAC}AdditionalDocumentReference": additional_document,
    f"{CAC}AccountingSupplierParty": one("seller", read_accounting_party),
    f"{CAC}AccountingCustomerParty": one("buyer", read_accounting_party),
    f"{CAC}PayeeParty": one("payee", read_party),
    f"{CAC}TaxRepresentativeParty": one("tax_representative", read_party),
    f"{CAC}Delivery": one("delivery", read_delivery),
    f"{CAC}PaymentMeans": many("payment_means", read_payment_means),
    f"{CAC}PaymentTerms": into({f"{CBC}Note": text("payment_terms")}),
    f"{CAC}AllowanceCharge": many("allowances_charges", read_allowance_charge),
    f"{CAC}TaxTotal": many("tax_totals", read_tax_total),
    f"{CAC}LegalMonetaryTotal": one("totals", read_monetary_total),
    f"{CAC}InvoiceLine": many("lines", read_line),
    f"{CAC}CreditNoteLine": many("lines", read_line),
}

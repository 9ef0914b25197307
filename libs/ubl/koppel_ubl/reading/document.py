"""The document as a whole: its kind, header, references, payment, totals."""

from lxml import etree

from koppel_ubl import safe_xml
from koppel_ubl.errors import ReadError
from koppel_ubl.model import BillingReference, CreditNote, Invoice, PaymentMeans, Period, Totals

from . import parties, vat
from .attachments import References
from .lines import lines, period
from .node import Node, local

_INVOICE = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
_CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
_ENVELOPE = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}StandardBusinessDocument"
_CREDIT_TYPES = frozenset({"381", "396", "261", "81", "83", "532"})
"""UNTDID 1001 codes that credit; e-FFF writes 381 inside an Invoice."""


def read(data: bytes) -> Invoice | CreditNote:
    """Read a UBL 2.1 (or 2.0) invoice or credit note.

    Lenient about rules, strict about safety and about what cannot be understood: a missing number is None, a number that
    is no number is an error. ``document.unread`` lists what the model has no place for.

    Args:
        data: the bytes as received, in UTF-8, UTF-16 or Latin-1, with or without a Peppol envelope (SBDH).

    Raises:
        ReadError: with a stable ``code``; the only exception this function raises for any bytes.
    """
    root = _document(safe_xml.parse(data))
    unread: list[str] = []
    node = Node(root, local(str(root.tag)), unread)
    type_code = node.text("InvoiceTypeCode") or node.text("CreditNoteTypeCode")
    is_credit = root.tag == _CREDIT_NOTE or type_code in _CREDIT_TYPES
    currency, tax_currency = node.text("DocumentCurrencyCode"), node.text("TaxCurrencyCode")
    tax = vat.totals(node, currency, tax_currency)
    references = References(node)
    means = tuple(_payment_means(one) for one in node.nodes("PaymentMeans"))
    span, point_code = _period(node)
    order, sales_order = _order(node)
    fields = {
        "number": node.text("ID"),
        "issue_date": node.day("IssueDate"),
        "due_date": node.day("DueDate") or next((one.due_date for one in means if one.due_date), None),
        "type_code": type_code,
        "currency": currency,
        "tax_currency": tax_currency,
        "customization_id": node.text("CustomizationID"),
        "profile_id": node.text("ProfileID"),
        "ubl_version": node.text("UBLVersionID"),
        "notes": node.texts("Note"),
        "tax_point_date": node.day("TaxPointDate"),
        "tax_point_code": point_code,
        "accounting_cost": node.text("AccountingCost") or node.text("AccountingCostCode"),
        "buyer_reference": node.text("BuyerReference"),
        "period": span,
        "order": order,
        "sales_order": sales_order,
        "billing_references": tuple(_billing_references(node)),
        "despatch": _reference(node, "DespatchDocumentReference"),
        "receipt": _reference(node, "ReceiptDocumentReference"),
        "tender": _reference(node, "OriginatorDocumentReference"),
        "contract": _reference(node, "ContractDocumentReference"),
        "project": _reference(node, "ProjectReference") or references.project,
        "object": references.object,
        "attachments": references.attachments,
        "seller": parties.accounting_party(node.node("AccountingSupplierParty")),
        "buyer": parties.accounting_party(node.node("AccountingCustomerParty")),
        "payee": parties.party(node.node("PayeeParty")),
        "tax_representative": parties.party(node.node("TaxRepresentativeParty")),
        "delivery": parties.delivery(node.node("Delivery")),
        "payment_means": means,
        "payment_terms": _terms(node),
        "allowances_charges": vat.allowances_charges(node),
        "vat_total": tax.total,
        "vat_total_in_tax_currency": tax.in_tax_currency,
        "vat_breakdown": tax.breakdown,
        "totals": _totals(node),
        "lines": lines(node, tax.breakdown),
    }
    node.done()
    kind = CreditNote if is_credit else Invoice
    return kind(**fields, unread=tuple(unread))  # type: ignore[arg-type]


def _document(root: etree._Element) -> etree._Element:
    if root.tag == _ENVELOPE:
        inside = [child for child in root if child.tag in {_INVOICE, _CREDIT_NOTE}]
        if len(inside) == 1:
            return inside[0]
        raise ReadError("wrong_root", "The envelope holds no UBL invoice or credit note.", line=root.sourceline)
    if root.tag not in {_INVOICE, _CREDIT_NOTE}:
        name = local(str(root.tag))[:80]
        raise ReadError(
            "wrong_root", f"The document is <{name}>, not a UBL 2 Invoice or CreditNote.", line=root.sourceline
        )
    return root


def _billing_references(node: Node) -> list[BillingReference]:
    found = []
    for one in node.nodes("BillingReference"):
        for name in ("InvoiceDocumentReference", "CreditNoteDocumentReference"):
            reference = one.node(name)
            if reference is not None:
                found.append(BillingReference(number=reference.text("ID"), issue_date=reference.day("IssueDate")))
                reference.done()
    return found


def _payment_means(node: Node) -> PaymentMeans:
    code_element = node.element("PaymentMeansCode")
    code, text = (
        (None, None) if code_element is None else ((code_element.text or "").strip() or None, code_element.get("name"))
    )
    account = node.node("PayeeFinancialAccount")
    number = name = bic = None
    if account is not None:
        number, name = account.text("ID"), account.text("Name")
        bic = _branch(account)
        account.done()
    card = node.node("CardAccount")
    card_number = card_holder = None
    if card is not None:
        card_number, card_holder = card.text("PrimaryAccountNumberID"), card.text("HolderName")
        card.text("NetworkID")
        card.done()
    mandate = node.node("PaymentMandate")
    mandate_id = debited = None
    if mandate is not None:
        mandate_id = mandate.text("ID")
        payer = mandate.node("PayerFinancialAccount")
        if payer is not None:
            debited = payer.text("ID")
            payer.done()
        mandate.done()
    return PaymentMeans(
        code=code,
        text=text,
        due_date=node.day("PaymentDueDate"),
        references=node.texts("PaymentID"),
        instruction=node.text("InstructionID") or next(iter(node.texts("InstructionNote")), None),
        account=number,
        account_name=name,
        bic=bic,
        card_number=card_number,
        card_holder=card_holder,
        mandate=mandate_id,
        debited_account=debited,
    )


def _branch(account: Node) -> str | None:
    branch = account.node("FinancialInstitutionBranch")
    if branch is None:
        return None
    bic = branch.text("ID")
    institution = branch.node("FinancialInstitution")
    if institution is not None:
        bic = bic or institution.text("ID")
        institution.done()
    branch.done()
    return bic


def _period(node: Node) -> tuple[Period | None, str | None]:
    one = node.node("InvoicePeriod")
    if one is None:
        return None, None
    code = one.text("DescriptionCode")
    read = period(one)
    empty = read is None or (read.start is None and read.end is None)
    return None if empty else read, code


def _order(node: Node) -> tuple[str | None, str | None]:
    one = node.node("OrderReference")
    if one is None:
        return None, None
    found = one.text("ID"), one.text("SalesOrderID")
    one.done()
    return found


def _reference(node: Node, name: str) -> str | None:
    one = node.node(name)
    if one is None:
        return None
    found = one.text("ID")
    one.done()
    return found


def _terms(node: Node) -> str | None:
    notes: list[str] = []
    for one in node.nodes("PaymentTerms"):
        notes += one.texts("Note")
    return "\n".join(notes) or None


def _totals(node: Node) -> Totals:
    one = node.node("LegalMonetaryTotal")
    if one is None:
        return Totals()
    read = Totals(
        lines=one.number("LineExtensionAmount"),
        allowances=one.number("AllowanceTotalAmount"),
        charges=one.number("ChargeTotalAmount"),
        without_vat=one.number("TaxExclusiveAmount"),
        with_vat=one.number("TaxInclusiveAmount"),
        prepaid=one.number("PrepaidAmount"),
        rounding=one.number("PayableRoundingAmount"),
        payable=one.number("PayableAmount"),
    )
    one.done()
    return read

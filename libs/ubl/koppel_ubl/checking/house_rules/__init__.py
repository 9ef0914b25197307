"""Rules of our own, for what no official rule covers (ubl §0, point 7): warnings only, the document stays valid.

The tolerances of the standard let VAT be wrong by 0.99; no rule checks the check digits of a payment reference, or whether
a PDF is one. Such a fault takes an hour of work when the invoice is paid or booked.
"""

import binascii
import re
from collections.abc import Iterator
from decimal import Decimal

from lxml import etree

from koppel_ubl import identifiers
from koppel_ubl.checking.codes import codes
from koppel_ubl.checking.engine import (
    Facts,
    Group,
    Layer,
    RuleSet,
    Value,
    amount,
    cached_by_shape,
    cents,
    decimal,
    normalised,
    share,
)
from koppel_ubl.report import Rule

DIGITS_MAX = 20
CENT = Decimal("0.01")
_REFERENCE = re.compile(r"[+*]{3}[0-9/ ]+[+*]{3}|[0-9]{12}|[0-9]{3}/[0-9]{4}/[0-9]{5}")
_CREDITOR = re.compile(r"RF[0-9]{2}.+", re.IGNORECASE)
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{10,}")
_START_OF_PDF = b"%PDF-"
_BASE64_START_CHARACTERS = 400
_PDF_MAY_START_AFTER = 200
"""PDF readers search for the mark in the first bytes, not only at the start."""

RULES = RuleSet("house_rules", rule_by_rule=True)
_SIDES = ("cac:AccountingSupplierParty", "cac:AccountingCustomerParty")


@RULES.on("cac:PaymentMeans/cbc:PaymentID").search(
    "KOPPEL-REFERENCE",
    "warning",
    "BT-83",
    nl="De controlecijfers van deze betalingsreferentie kloppen niet; de betaling wordt niet herkend.",
    fr="Les chiffres de contrôle de cette communication sont faux ; le paiement ne sera pas reconnu.",
    en="The check digits of this payment reference are wrong; the payment will not be recognised.",
)
def wrong_references(reference: Value, facts: Facts) -> Iterator[Value]:
    text = normalised(reference.text)
    if (_REFERENCE.fullmatch(text) and identifiers.parse_structured_reference(text) is None) or (
        _CREDITOR.fullmatch(text) and not identifiers.is_creditor_reference(text)
    ):
        yield reference


@RULES.on("cac:PayeeFinancialAccount/cbc:ID", "cac:PayerFinancialAccount/cbc:ID").search(
    "KOPPEL-IBAN",
    "warning",
    "BT-84",
    nl="Dit rekeningnummer is geen geldige IBAN.",
    fr="Ce numéro de compte n'est pas un IBAN valable.",
    en="This account number is not a valid IBAN.",
)
def wrong_accounts(number: Value, facts: Facts) -> Iterator[Value]:
    text = normalised(number.text)
    if _IBAN.fullmatch(text) and not identifiers.is_iban(text):
        yield number


@RULES.on("/cac:AccountingSupplierParty/cac:Party", "/cac:AccountingCustomerParty/cac:Party").search(
    "KOPPEL-ENTERPRISE-NUMBER",
    "warning",
    "BT-30, BT-31, BT-47, BT-48",
    nl="Het btw-nummer en het ondernemingsnummer van deze partij zijn van twee ondernemingen.",
    fr="Le numéro de TVA et le numéro d'entreprise de cette partie désignent deux entreprises.",
    en="The VAT number and the enterprise number of this party are those of two enterprises.",
)
def different_numbers(party: Group, facts: Facts) -> Iterator[Value]:
    companies = party.elements("cac:PartyLegalEntity", "cbc:CompanyID")
    numbers = [number.text for number in party.elements("cac:PartyTaxScheme", "cbc:CompanyID") if _is_belgian(number)]
    of_vat: set[str | None] | None = None
    for company in companies:
        if not numbers or company.get("schemeID") != "0208" or f"BE{company.text}" in numbers:
            continue
        if of_vat is None:
            of_vat = {identifiers.normalise_enterprise_number(normalised(number)) for number in numbers} - {None}
        own = identifiers.normalise_enterprise_number(normalised(company.text))
        if own is not None and of_vat and own not in of_vat:
            yield company


def _is_belgian(number: Value) -> bool:
    return number.token.start == "BE" or normalised(number.text)[:2].upper() == "BE"


@RULES.on("/").search(
    "KOPPEL-LINE-ID",
    "warning",
    "BT-126",
    nl="Twee lijnen hebben hetzelfde nummer.",
    fr="Deux lignes portent le même numéro.",
    en="Two lines have the same number.",
)
def repeated_lines(document: Group, facts: Facts) -> Iterator[Value]:
    seen: set[str] = set()
    for name in ("cac:InvoiceLine", "cac:CreditNoteLine"):
        for number in document.elements(name, "cbc:ID"):
            text = normalised(number.text)
            if text in seen:
                yield number
            seen.add(text)


@RULES.on("cac:TaxSubtotal").search(
    "KOPPEL-VAT-CENT",
    "warning",
    "BT-117",
    nl="Het btw-bedrag wijkt meer dan een cent af van maatstaf maal tarief.",
    fr="Le montant de TVA s'écarte de plus d'un centime de la base multipliée par le taux.",
    en="The VAT amount differs by more than a cent from the base times the rate.",
)
def wrong_vat(breakdown: Group, facts: Facts) -> Iterator[Value]:
    rate = _rate(breakdown)
    tax, base = amount(breakdown, "cbc:TaxAmount"), amount(breakdown, "cbc:TaxableAmount")
    if tax is not None and base is not None and rate is not None and abs(cents(base * share(rate)) - tax) > CENT:
        yield from breakdown.values("cbc:TaxAmount")[:1]


@cached_by_shape
def _rate(breakdown: Group) -> Decimal | None:
    return next(map(decimal, breakdown.elements("cac:TaxCategory", "cbc:Percent")), None)


@RULES.on("cac:Attachment/cbc:EmbeddedDocumentBinaryObject").search(
    "KOPPEL-PDF",
    "warning",
    "BT-125",
    nl="Deze bijlage heet een PDF maar is er geen.",
    fr="Cette annexe se dit un PDF mais n'en est pas un.",
    en="This attachment is declared as a PDF but is not one.",
)
def false_pdfs(content: Value, facts: Facts) -> Iterator[Value]:
    if content.get("mimeCode") == "application/pdf" and _START_OF_PDF not in _start_of(content):
        yield content


def _start_of(content: Value) -> bytes:
    text = "".join(content.text[:_BASE64_START_CHARACTERS].split())
    try:
        return binascii.a2b_base64(text[: len(text) // 4 * 4])[: _PDF_MAY_START_AFTER + len(_START_OF_PDF)]
    except ValueError:
        return b""


@RULES.on("/").search(
    "KOPPEL-DUE-DATE",
    "warning",
    "BT-9",
    nl="Er is een bedrag te betalen maar geen vervaldag en geen betalingsvoorwaarden.",
    fr="Un montant est à payer, sans échéance ni conditions de paiement.",
    en="There is an amount to pay, but no due date and no payment terms.",
)
def without_due_date(document: Group, facts: Facts) -> Iterator[Value]:
    dated = document.has("cbc:DueDate") or document.elements("cac:PaymentMeans", "cbc:PaymentDueDate")
    if dated or document.elements("cac:PaymentTerms", "cbc:Note") or facts.is_credit_note:
        return
    for payable in document.elements("cac:LegalMonetaryTotal", "cbc:PayableAmount"):
        if decimal(payable) > 0:
            yield payable


@RULES.on("/cbc:InvoiceTypeCode", "/cbc:CreditNoteTypeCode").search(
    "KOPPEL-TYPE-CODE",
    "warning",
    "BT-3",
    nl="De typecode past niet bij dit soort document; de code beslist of het een factuur of een creditnota is.",
    fr="Le code de type ne convient pas à ce genre de document ; il décide si c'est une facture ou une note de crédit.",
    en="The type code does not fit this kind of document; the code decides whether it is an invoice or a credit note.",
)
def contradicting_types(code: Value, facts: Facts) -> Iterator[Value]:
    text = normalised(code.text)
    is_credit = text in codes("credit_note_types")
    if is_credit != facts.is_credit_note and (is_credit or text in codes("invoice_types")):
        yield code


@RULES.on("cbc:*Amount", "cbc:*Quantity", "cbc:*Percent", "cbc:*Numeric").search(
    "KOPPEL-DIGITS",
    "warning",
    "",
    nl=f"Dit getal heeft meer dan {DIGITS_MAX} cijfers; boekhoudpakketten aanvaarden dat niet.",
    fr=f"Ce nombre a plus de {DIGITS_MAX} chiffres ; les logiciels comptables ne l'acceptent pas.",
    en=f"This number has more than {DIGITS_MAX} digits; bookkeeping packages do not accept it.",
)
def endless_numbers(value: Value, facts: Facts) -> Iterator[Value]:
    if value.token.is_number or len(value.text) <= DIGITS_MAX:
        return
    if sum(sign.isdigit() for sign in value.text) > DIGITS_MAX:
        yield value


@RULES.on("/").search(
    "KOPPEL-SAME-ENDPOINT",
    "warning",
    "BT-34, BT-49",
    nl="Verkoper en koper hebben hetzelfde elektronische adres: dit document kan niet over het Peppol-netwerk worden verstuurd.",
    fr="Vendeur et acheteur ont la même adresse électronique : ce document ne peut être envoyé par le réseau Peppol.",
    en="Seller and buyer have the same electronic address: this document cannot be sent over the Peppol network.",
)
def same_endpoint(document: Group, facts: Facts) -> Iterator[Value]:
    sellers, buyers = (document.elements(side, "cac:Party", "cbc:EndpointID") for side in _SIDES)
    texts = {normalised(seller.text) for seller in sellers}
    if not any(normalised(buyer.text) in texts for buyer in buyers):
        return
    addresses = {(normalised(seller.text), seller.get("schemeID")) for seller in sellers}
    same = {(normalised(buyer.text), buyer.get("schemeID")): buyer for buyer in buyers}
    for address in addresses & same.keys():
        yield same[address]


def _found(rule: Rule, element: etree._Element) -> str | None:
    return None if rule.id == "KOPPEL-PDF" else normalised(element.text)


LAYER = Layer("house_rules", RULES.by_id, RULES.assertions, _found)

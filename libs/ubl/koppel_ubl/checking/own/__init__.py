"""What no official rule sees and bookkeeping needs (reference sheet §0, point 7): warnings only, the document stays valid.

The tolerances of the standard let VAT be wrong by 0.99; nothing looks at the check digits of a payment reference, or at
whether a PDF is one. Each of these costs somebody an hour when the invoice is paid or booked.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from koppel_ubl import identifiers
from koppel_ubl.checking.about import About
from koppel_ubl.checking.facts import Facts
from koppel_ubl.checking.layer import Layer
from koppel_ubl.checking.places import Place
from koppel_ubl.checking.question import Question, Said
from koppel_ubl.checking.report import Rule, Sentence
from koppel_ubl.checking.shape import by_shape
from koppel_ubl.checking.tree import Group, Value
from koppel_ubl.checking.values import amount, cents, decimal, normalised, share

DIGITS_MAX = 20
_NUMBERS = ("Amount", "Quantity", "Percent", "Numeric")
CENT = Decimal("0.01")
_REFERENCE = re.compile(r"[+*]{3}[0-9/ ]+[+*]{3}|[0-9]{12}|[0-9]{3}/[0-9]{4}/[0-9]{5}")
_CREDITOR = re.compile(r"RF[0-9]{2}.+", re.IGNORECASE)
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{10,}")
_START_OF_PDF = b"%PDF-"
_BASE64_START_CHARACTERS = 400
_PDF_MAY_START_AFTER = 200
"""Readers of PDF look for its mark in the first bytes, not only at the very first."""

Check = Callable[[Any, Facts], Iterator[Value]]
"""Gives the values that are wrong, of those at or below a place."""
RULES: dict[str, Rule] = {}
_CHECKS: list[tuple[Callable[[Place], bool], Question]] = []


def _rule(
    rule_id: str, term: str, *takes: Callable[[Place], bool], nl: str, fr: str, en: str
) -> Callable[[Check], Check]:
    """Make a rule of the check that follows, at the places that are taken; those of the first are told first."""
    RULES[rule_id] = rule = Rule(rule_id, "warning", "own", term, Sentence(nl, fr, en))

    def add(check: Check) -> Check:
        for each in takes:
            question = Question(
                lambda node, facts: next(check(node, facts), None) is None,
                lambda node, facts: [Said(rule, value) for value in check(node, facts)],
                phase=len(_CHECKS),
            )
            _CHECKS.append((each, question))
        return check

    return add


def _at(name: str, *around: str) -> Callable[[Place], bool]:
    return lambda place: place.name == name and place.is_below(*around)


def _is_document(place: Place) -> bool:
    return place.above is None


def _is_party_of_document(place: Place) -> bool:
    side = place.above
    return place.name == "cac:Party" and side is not None and side.is_of_document and side.name in _SIDES


_SIDES = ("cac:AccountingSupplierParty", "cac:AccountingCustomerParty")


@_rule(
    "KOPPEL-REFERENCE",
    "BT-83",
    _at("cbc:PaymentID", "cac:PaymentMeans"),
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


@_rule(
    "KOPPEL-IBAN",
    "BT-84",
    _at("cbc:ID", "cac:PayeeFinancialAccount"),
    _at("cbc:ID", "cac:PayerFinancialAccount"),
    nl="Dit rekeningnummer is geen geldige IBAN.",
    fr="Ce numéro de compte n'est pas un IBAN valable.",
    en="This account number is not a valid IBAN.",
)
def wrong_accounts(number: Value, facts: Facts) -> Iterator[Value]:
    text = normalised(number.text)
    if _IBAN.fullmatch(text) and not identifiers.is_iban(text):
        yield number


@_rule(
    "KOPPEL-ENTERPRISE-NUMBER",
    "BT-30, BT-31, BT-47, BT-48",
    _is_party_of_document,
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


@_rule(
    "KOPPEL-LINE-ID",
    "BT-126",
    _is_document,
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


@_rule(
    "KOPPEL-VAT-CENT",
    "BT-117",
    _at("cac:TaxSubtotal"),
    nl="Het btw-bedrag wijkt meer dan een cent af van maatstaf maal tarief.",
    fr="Le montant de TVA s'écarte de plus d'un centime de la base multipliée par le taux.",
    en="The VAT amount is more than a cent away from the base times the rate.",
)
def wrong_vat(breakdown: Group, facts: Facts) -> Iterator[Value]:
    rate = _rate(breakdown)
    tax, base = amount(breakdown, "cbc:TaxAmount"), amount(breakdown, "cbc:TaxableAmount")
    if tax is not None and base is not None and rate is not None and abs(cents(base * share(rate)) - tax) > CENT:
        yield from breakdown.values("cbc:TaxAmount")[:1]


@by_shape
def _rate(breakdown: Group) -> Decimal | None:
    return next(map(decimal, breakdown.elements("cac:TaxCategory", "cbc:Percent")), None)


@_rule(
    "KOPPEL-PDF",
    "BT-125",
    _at("cbc:EmbeddedDocumentBinaryObject", "cac:Attachment"),
    nl="Deze bijlage heet een PDF maar is er geen.",
    fr="Cette annexe se dit un PDF mais n'en est pas un.",
    en="This attachment is called a PDF and is none.",
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


@_rule(
    "KOPPEL-DUE-DATE",
    "BT-9",
    _is_document,
    nl="Er is een bedrag te betalen maar geen vervaldag en geen betalingsvoorwaarden.",
    fr="Un montant est à payer, sans échéance ni conditions de paiement.",
    en="There is an amount to pay, and no due date or payment terms.",
)
def without_due_date(document: Group, facts: Facts) -> Iterator[Value]:
    dated = document.has("cbc:DueDate") or document.elements("cac:PaymentMeans", "cbc:PaymentDueDate")
    if dated or document.elements("cac:PaymentTerms", "cbc:Note") or facts.is_credit_note:
        return
    for payable in document.elements("cac:LegalMonetaryTotal", "cbc:PayableAmount"):
        if decimal(payable) > 0:
            yield payable


@_rule(
    "KOPPEL-DIGITS",
    "",
    lambda place: not place.is_group and place.name.endswith(_NUMBERS),
    nl=f"Dit getal heeft meer dan {DIGITS_MAX} cijfers; boekhoudpakketten nemen dat niet aan.",
    fr=f"Ce nombre a plus de {DIGITS_MAX} chiffres ; les logiciels comptables ne l'acceptent pas.",
    en=f"This number has more than {DIGITS_MAX} digits; bookkeeping packages do not take that.",
)
def endless_numbers(value: Value, facts: Facts) -> Iterator[Value]:
    if value.token.is_number or len(value.text) <= DIGITS_MAX:
        return
    if sum(sign.isdigit() for sign in value.text) > DIGITS_MAX:
        yield value


@_rule(
    "KOPPEL-SAME-ENDPOINT",
    "BT-34, BT-49",
    _is_document,
    nl="Verkoper en koper hebben hetzelfde elektronische adres: dit document mag niet over het Peppol-netwerk.",
    fr="Vendeur et acheteur ont la même adresse électronique : ce document ne peut passer par le réseau Peppol.",
    en="Seller and buyer have the same electronic address: this document may not go over the Peppol network.",
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


def _questions(place: Place, about: About) -> tuple[Question, ...]:
    if "own" not in place.asked:
        place.asked["own"] = tuple(question for takes, question in _CHECKS if takes(place))
    return place.asked["own"]  # type: ignore[return-value]  # the layer keeps its own there


def _found(rule: Rule, element: etree._Element) -> str | None:
    return None if rule.id == "KOPPEL-PDF" else normalised(element.text)


LAYER = Layer("own", RULES, _questions, _found)

"""What no official rule sees and bookkeeping needs (reference sheet §0, point 7): warnings only, the document stays valid.

The tolerances of the standard let VAT be wrong by 0.99; nothing looks at the check digits of a payment reference, or at
whether a PDF is one. Each of these costs somebody an hour when the invoice is paid or booked.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext

from koppel_ubl import identifiers
from koppel_ubl.checking.layer import Layer, Subject, finding
from koppel_ubl.checking.report import Finding, Rule, Sentence
from koppel_ubl.checking.tree import Element, Group, Tree
from koppel_ubl.checking.values import DIGITS, NotCastableError, cents, decimal, normalised, share

OCCURRENCES_MAX = 100
DIGITS_MAX = 20
CENT = Decimal("0.01")
_REFERENCE = re.compile(r"[+*]{3}[0-9/ ]+[+*]{3}|[0-9]{12}|[0-9]{3}/[0-9]{4}/[0-9]{5}")
_CREDITOR = re.compile(r"RF[0-9]{2}.+", re.IGNORECASE)
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{10,}")
_START_OF_PDF = b"%PDF-"
_BASE64_START_CHARACTERS = 400
_PDF_MAY_START_AFTER = 200
"""Readers of PDF look for its mark in the first bytes, not only at the very first."""

Check = Callable[[Tree], Iterator[Element]]
RULES: dict[str, Rule] = {}
_CHECKS: list[tuple[Rule, Check]] = []


def _rule(rule_id: str, term: str, *, nl: str, fr: str, en: str) -> Callable[[Check], Check]:
    RULES[rule_id] = rule = Rule(rule_id, "warning", "own", term, Sentence(nl, fr, en))

    def add(check: Check) -> Check:
        _CHECKS.append((rule, check))
        return check

    return add


@_rule(
    "KOPPEL-REFERENCE",
    "BT-83",
    nl="De controlecijfers van deze betalingsreferentie kloppen niet; de betaling wordt niet herkend.",
    fr="Les chiffres de contrôle de cette communication sont faux ; le paiement ne sera pas reconnu.",
    en="The check digits of this payment reference are wrong; the payment will not be recognised.",
)
def wrong_references(tree: Tree) -> Iterator[Element]:
    for means in tree.all("cac:PaymentMeans"):
        for reference in means.values.get("cbc:PaymentID", ()):
            text = normalised(reference.text)
            if (_REFERENCE.fullmatch(text) and identifiers.parse_structured_reference(text) is None) or (
                _CREDITOR.fullmatch(text) and not identifiers.is_creditor_reference(text)
            ):
                yield reference


@_rule(
    "KOPPEL-IBAN",
    "BT-84",
    nl="Dit rekeningnummer is geen geldige IBAN.",
    fr="Ce numéro de compte n'est pas un IBAN valable.",
    en="This account number is not a valid IBAN.",
)
def wrong_accounts(tree: Tree) -> Iterator[Element]:
    for name in ("cac:PayeeFinancialAccount", "cac:PayerFinancialAccount"):
        for account in tree.all(name):
            for number in account.values.get("cbc:ID", ()):
                text = normalised(number.text)
                if _IBAN.fullmatch(text) and not identifiers.is_iban(text):
                    yield number


@_rule(
    "KOPPEL-ENTERPRISE-NUMBER",
    "BT-30, BT-31, BT-47, BT-48",
    nl="Het btw-nummer en het ondernemingsnummer van deze partij zijn van twee ondernemingen.",
    fr="Le numéro de TVA et le numéro d'entreprise de cette partie désignent deux entreprises.",
    en="The VAT number and the enterprise number of this party are those of two enterprises.",
)
def different_numbers(tree: Tree) -> Iterator[Element]:
    for name in ("cac:AccountingSupplierParty", "cac:AccountingCustomerParty"):
        for party in (party for side in tree.root.groups.get(name, ()) for party in side.groups.get("cac:Party", ())):
            numbers = [
                number for number in party.elements("cac:PartyTaxScheme", "cbc:CompanyID") if _is_belgian(number)
            ]
            of_vat = {identifiers.normalise_enterprise_number(normalised(number.text)) for number in numbers} - {None}
            for company in party.elements("cac:PartyLegalEntity", "cbc:CompanyID"):
                own = identifiers.normalise_enterprise_number(normalised(company.text))
                if company.get("schemeID") == "0208" and own is not None and of_vat and own not in of_vat:
                    yield company


def _is_belgian(number: Element) -> bool:
    return normalised(number.text)[:2].upper() == "BE"


@_rule(
    "KOPPEL-LINE-ID",
    "BT-126",
    nl="Twee lijnen hebben hetzelfde nummer.",
    fr="Deux lignes portent le même numéro.",
    en="Two lines have the same number.",
)
def repeated_lines(tree: Tree) -> Iterator[Element]:
    seen: set[str] = set()
    for name in ("cac:InvoiceLine", "cac:CreditNoteLine"):
        for line in tree.root.groups.get(name, ()):
            for number in line.values.get("cbc:ID", ()):
                text = normalised(number.text)
                if text in seen:
                    yield number
                seen.add(text)


@_rule(
    "KOPPEL-VAT-CENT",
    "BT-117",
    nl="Het btw-bedrag wijkt meer dan een cent af van maatstaf maal tarief.",
    fr="Le montant de TVA s'écarte de plus d'un centime de la base multipliée par le taux.",
    en="The VAT amount is more than a cent away from the base times the rate.",
)
def wrong_vat(tree: Tree) -> Iterator[Element]:
    for breakdown in tree.all("cac:TaxSubtotal"):
        taxes, bases = breakdown.values.get("cbc:TaxAmount"), breakdown.values.get("cbc:TaxableAmount")
        rates = breakdown.elements("cac:TaxCategory", "cbc:Percent")
        if taxes and bases and rates:
            expected = cents(decimal(bases[0]) * share(decimal(rates[0])))
            if abs(expected - decimal(taxes[0])) > CENT:
                yield taxes[0]


@_rule(
    "KOPPEL-PDF",
    "BT-125",
    nl="Deze bijlage heet een PDF maar is er geen.",
    fr="Cette annexe se dit un PDF mais n'en est pas un.",
    en="This attachment is called a PDF and is none.",
)
def false_pdfs(tree: Tree) -> Iterator[Element]:
    for attachment in tree.all("cac:Attachment"):
        for content in attachment.values.get("cbc:EmbeddedDocumentBinaryObject", ()):
            if content.get("mimeCode") == "application/pdf" and _START_OF_PDF not in _start_of(content):
                yield content


def _start_of(content: Element) -> bytes:
    text = "".join((content.text or "")[:_BASE64_START_CHARACTERS].split())
    try:
        return binascii.a2b_base64(text[: len(text) // 4 * 4])[: _PDF_MAY_START_AFTER + len(_START_OF_PDF)]
    except ValueError:
        return b""


@_rule(
    "KOPPEL-DUE-DATE",
    "BT-9",
    nl="Er is een bedrag te betalen maar geen vervaldag en geen betalingsvoorwaarden.",
    fr="Un montant est à payer, sans échéance ni conditions de paiement.",
    en="There is an amount to pay, and no due date or payment terms.",
)
def without_due_date(tree: Tree) -> Iterator[Element]:
    root = tree.root
    dated = "cbc:DueDate" in root.values or root.has("cac:PaymentMeans", "cbc:PaymentDueDate")
    if dated or root.has("cac:PaymentTerms", "cbc:Note") or tree.is_credit_note:
        return
    for amount in root.elements("cac:LegalMonetaryTotal", "cbc:PayableAmount"):
        if decimal(amount) > 0:
            yield amount


@_rule(
    "KOPPEL-DIGITS",
    "",
    nl=f"Dit getal heeft meer dan {DIGITS_MAX} cijfers; boekhoudpakketten nemen dat niet aan.",
    fr=f"Ce nombre a plus de {DIGITS_MAX} chiffres ; les logiciels comptables ne l'acceptent pas.",
    en=f"This number has more than {DIGITS_MAX} digits; bookkeeping packages do not take that.",
)
def endless_numbers(tree: Tree) -> Iterator[Element]:
    for place, _, value in tree.seen:
        if value is None or len(value.text or "") <= DIGITS_MAX or not place.name.endswith(_NUMBERS):
            continue
        if sum(sign.isdigit() for sign in value.text or "") > DIGITS_MAX:
            yield value


_NUMBERS = ("Amount", "Quantity", "Percent", "Numeric")


@_rule(
    "KOPPEL-SAME-ENDPOINT",
    "BT-34, BT-49",
    nl="Verkoper en koper hebben hetzelfde elektronische adres: dit document mag niet over het Peppol-netwerk.",
    fr="Vendeur et acheteur ont la même adresse électronique : ce document ne peut passer par le réseau Peppol.",
    en="Seller and buyer have the same electronic address: this document may not go over the Peppol network.",
)
def same_endpoint(tree: Tree) -> Iterator[Element]:
    sides = [
        {(normalised(one.text), one.get("schemeID")): one for one in _endpoints(tree.root, name)}
        for name in ("cac:AccountingSupplierParty", "cac:AccountingCustomerParty")
    ]
    for address in sides[0].keys() & sides[1].keys():
        yield sides[1][address]


def _endpoints(root: Group, side: str) -> list[Element]:
    return root.elements(side, "cac:Party", "cbc:EndpointID")


def judge(subject: Subject) -> list[Finding]:
    """Return the findings of one document; what is no number is the matter of the structure."""
    findings: list[Finding] = []
    with localcontext(DIGITS):
        for rule, check in _CHECKS:
            found: list[Element] = []
            try:
                for element in check(subject.tree):
                    found.append(element)
                    if len(found) == OCCURRENCES_MAX:
                        break
            except NotCastableError:
                pass
            is_file = rule.id == "KOPPEL-PDF"
            findings += [finding(rule, element, None if is_file else normalised(element.text)) for element in found]
    return findings


LAYER = Layer("own", RULES, judge)

"""Greece: the number of an invoice in six parts, MARK, and the tax numbers of both sides."""

import re

from koppel_ubl.check_digits import is_greek_tax_number
from koppel_ubl.checking.engine import Facts, Group, Node, Value, normalised
from koppel_ubl.checking.peppol.facts import registrations, vat_numbers
from koppel_ubl.checking.peppol.patterns import GREECE, GREEK, WITHIN_GREECE
from koppel_ubl.checking.peppol.xpath import Path, is_number, string
from koppel_ubl.report import Sentence

from .paths import DESCRIPTION, REPRESENTATIVE, SUPPLIER, SUPPORTING

KINDS = frozenset({"1.1", "1.6", "2.1", "2.4", "5.1", "5.2"})
MARK, INVOICE_URL = "##M.AR.K##", "##INVOICE|URL##"
_DATE = re.compile(r"(0?[1-9]|[12][0-9]|3[01])[-\\/ ]?(0?[1-9]|1[0-2])[-\\/ ]?(19|20)[0-9]{2}")
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_MARK = re.compile(r"[1-9][0-9]*")
_ISSUED = Path("cbc:IssueDate")
_NAME = Path("cac:PartyName/cbc:Name")
_LINK = Path("cac:Attachment/cac:ExternalReference/cbc:URI")
_TAX_SCHEME = Path("cac:TaxScheme/cbc:ID")


def _is_sender(facts: Facts) -> bool:
    return facts.context.supplier_country in GREEK


def _is_number(node: Node, facts: Facts) -> bool:
    return _is_sender(facts) and node.place.is_of_document


def _is_of_sender(node: Node, facts: Facts) -> bool:
    return _is_sender(facts)


def _is_within_greece(node: Node, facts: Facts) -> bool:
    return _is_sender(facts) and facts.context.customer_country in GREEK


def _is_vat_number(company: Value, facts: Facts) -> bool:
    return _is_sender(facts) and _TAX_SCHEME.value(company.group) == "VAT"


def _is_at_home(facts: Facts) -> bool:
    return _is_sender(facts) and facts.context.supplier_address_country == "GR"


def _is_mark(number: Value, facts: Facts) -> bool:
    return _is_at_home(facts) and MARK in DESCRIPTION.texts(number.group)


def _is_link(reference: Group, facts: Facts) -> bool:
    return _is_sender(facts) and INVOICE_URL in DESCRIPTION.texts(reference)


def _is_of_greek_seller(endpoint: Value, facts: Facts) -> bool:
    return facts.context.supplier_own_country in GREEK


_number = GREECE.on("cbc:ID", where=_is_number)
_seller = GREECE.on("cac:AccountingSupplierParty/cac:Party", where=_is_of_sender)
_seller_vat = GREECE.on("cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID", where=_is_vat_number)
_document = GREECE.on("/", where=lambda root, facts: _is_at_home(facts))
_mark = GREECE.on("cac:AdditionalDocumentReference/cbc:ID", where=_is_mark)
_link = GREECE.on("cac:AdditionalDocumentReference", where=_is_link)
_buyer = GREECE.on("cac:AccountingCustomerParty/cac:Party", where=_is_of_sender)
_seller_endpoint = GREECE.on("cac:AccountingSupplierParty/cac:Party/cbc:EndpointID", where=_is_of_greek_seller)
_greek_buyer = WITHIN_GREECE.on("cac:AccountingCustomerParty/cac:Party", where=_is_within_greece)
_buyer_endpoint = WITHIN_GREECE.on("cac:AccountingCustomerParty/cac:Party/cbc:EndpointID", where=_is_within_greece)


def _parts(node: Node) -> list[str]:
    return string(node).split("|")


def _part(node: Node, place: int) -> str:
    parts = _parts(node)
    return parts[place] if place < len(parts) else ""


def _has_six_parts(node: Node, facts: Facts) -> bool:
    return len(_parts(node)) == 6


def _has_tax_number(node: Node, facts: Facts) -> bool:
    first = _part(node, 0)
    parties = (SUPPLIER.first(facts.root), REPRESENTATIVE.first(facts.root))
    known = {number[2:11] for party in parties if party is not None for number in vat_numbers(party)}
    return len(normalised(first)) == 9 and is_greek_tax_number(first) and first in known


def _has_issue_date(node: Node, facts: Facts) -> bool:
    day = _part(node, 1)
    return bool(_DATE.match(day)) and day.split("/")[:3] == _ISSUED.text(facts.root).split("-")[:3][::-1]


def _has_establishment(node: Node, facts: Facts) -> bool:
    place = _part(node, 2)
    return bool(_INTEGER.fullmatch(place)) and is_number(place) and int(place) >= 0


def _has_kind(node: Node, facts: Facts) -> bool:
    kind = _part(node, 3)
    return bool(normalised(kind)) and kind in KINDS


def _has_series(node: Node, facts: Facts) -> bool:
    return bool(_part(node, 4))


def _has_serial_number(node: Node, facts: Facts) -> bool:
    return bool(_part(node, 5))


for _rule, _test, _what in (
    (
        "1",
        _has_six_parts,
        Sentence("zes delen met | ertussen", "six parties séparées par |", "six parts with | between"),
    ),
    ("2", _has_tax_number, Sentence("eerst het fiscale nummer", "d'abord le numéro fiscal", "first the tax number")),
    ("3", _has_issue_date, Sentence("dan de datum DD/MM/JJJJ", "puis la date JJ/MM/AAAA", "then the date DD/MM/YYYY")),
    ("4", _has_establishment, Sentence("dan de vestiging", "puis l'établissement", "then the establishment")),
    ("5", _has_kind, Sentence("dan het Griekse documenttype", "puis le type grec", "then the Greek type of document")),
    ("6", _has_series, Sentence("dan een reeks", "puis une série", "then a series")),
    ("7", _has_serial_number, Sentence("ten slotte een volgnummer", "enfin un numéro d'ordre", "last a serial number")),
):
    _number.rule(
        f"GR-R-001-{_rule}",
        "fatal",
        "BT-1",
        nl=f"Een Grieks factuurnummer heeft {_what.nl}.",
        fr=f"Un numéro de facture grec comporte {_what.fr}.",
        en=f"A Greek invoice number has {_what.en}.",
    )(_test)


def _has_name(party: Group, facts: Facts) -> bool:
    return bool(_NAME.text(party))


_seller.rule(
    "GR-R-002",
    "fatal",
    "BT-28",
    nl="Een Griekse verkoper vermeldt zijn naam (PartyName).",
    fr="Un vendeur grec indique son nom (PartyName).",
    en="A Greek seller states its name (PartyName).",
)(_has_name)
_buyer.rule(
    "GR-R-005",
    "fatal",
    "BT-45",
    nl="Een Griekse verkoper vermeldt de naam van de koper (PartyName).",
    fr="Un vendeur grec indique le nom de l'acheteur (PartyName).",
    en="A Greek seller states the name of the buyer (PartyName).",
)(_has_name)


def _has_one_tax_number(party: Group, facts: Facts) -> bool:
    numbers = registrations(party, "VAT")
    return len(numbers) == 1 and numbers[0][:2] == "EL" and is_greek_tax_number(numbers[0][2:])


_seller.rule(
    "GR-S-011",
    "warning",
    "BT-31",
    nl="Een Griekse verkoper heeft precies één btw-nummer: EL en een geldig fiscaal nummer.",
    fr="Un vendeur grec a exactement un numéro de TVA : EL et un numéro fiscal valable.",
    en="A Greek seller has exactly one VAT number: EL and a valid tax number.",
)(_has_one_tax_number)
_greek_buyer.rule(
    "GR-R-006",
    "fatal",
    "BT-48",
    nl="Een Griekse koper heeft precies één btw-nummer: EL en een geldig fiscaal nummer.",
    fr="Un acheteur grec a exactement un numéro de TVA : EL et un numéro fiscal valable.",
    en="A Greek buyer has exactly one VAT number: EL and a valid tax number.",
)(_has_one_tax_number)


@_seller_vat.rule(
    "GR-R-003",
    "fatal",
    "BT-31",
    nl="Een Grieks btw-nummer is EL en een geldig fiscaal nummer.",
    fr="Un numéro de TVA grec est EL suivi d'un numéro fiscal valable.",
    en="A Greek VAT number is EL and a valid tax number.",
)
def vat_number_is_greek(company: Value, facts: Facts) -> bool:
    text = string(company)
    return text[:2] == "EL" and is_greek_tax_number(text[2:])


def _described(root: Group, description: str) -> int:
    return sum(description in DESCRIPTION.texts(reference) for reference in SUPPORTING.each(root))


_document.rule(
    "GR-R-004-1",
    "fatal",
    "BT-122",
    nl="Een Griekse factuur vermeldt één keer haar MARK.",
    fr="Une facture grecque indique une fois son MARK.",
    en="A Greek invoice states its MARK once.",
)(lambda root, facts: _described(root, MARK) == 1)
_document.rule(
    "GR-S-008-1",
    "warning",
    "BT-124",
    nl="Een Griekse factuur vermeldt één keer haar webadres.",
    fr="Une facture grecque indique une fois son adresse web.",
    en="A Greek invoice states its web address once.",
)(lambda root, facts: _described(root, INVOICE_URL) == 1)
_document.rule(
    "GR-R-008-2",
    "fatal",
    "BT-124",
    nl="Een Griekse factuur vermeldt haar webadres hoogstens één keer.",
    fr="Une facture grecque indique son adresse web une fois au plus.",
    en="A Greek invoice states its web address once at most.",
)(lambda root, facts: _described(root, INVOICE_URL) <= 1)
_mark.rule(
    "GR-R-004-2",
    "fatal",
    "BT-122",
    nl="Een MARK is een positief getal.",
    fr="Un MARK est un nombre positif.",
    en="A MARK is a positive number.",
)(lambda number, facts: bool(_MARK.match(string(number))))
_link.rule(
    "GR-R-008-3",
    "fatal",
    "BT-124",
    nl="Bij een webadres hoort het adres zelf (URI).",
    fr="Une adresse web comporte l'adresse elle-même (URI).",
    en="A web address has the address itself (URI).",
)(lambda reference, facts: bool(_LINK.value(reference)))


def _is_tax_number(endpoint: Value, facts: Facts) -> bool:
    return endpoint.get("schemeID") == "9933" and is_greek_tax_number(string(endpoint))


for _context, _rule, _term, _nl, _fr, _en in (
    (_seller_endpoint, "GR-R-009", "BT-34", "verkoper", "vendeur", "seller"),
    (_buyer_endpoint, "GR-R-010", "BT-49", "koper", "acheteur", "buyer"),
):
    _context.rule(
        _rule,
        "fatal",
        _term,
        nl=f"Het elektronische adres van een Griekse {_nl} is een geldig fiscaal nummer (schema 9933).",
        fr=f"L'adresse électronique d'un {_fr} grec est un numéro fiscal valable (schéma 9933).",
        en=f"The electronic address of a Greek {_en} is a valid tax number (scheme 9933).",
    )(_is_tax_number)

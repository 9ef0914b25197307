"""The Netherlands: addresses, KVK or OIN numbers, and how is paid."""

from koppel_ubl.checking.engine import Facts, Group, Node, Value, normalised
from koppel_ubl.checking.peppol.patterns import NETHERLANDS, is_dutch
from koppel_ubl.checking.peppol.xpath import Path, decimal_or_none, string

from .paths import COUNTRY, MEANS_CODE, REPRESENTATIVE

MEANS = frozenset({"30", "48", "49", "57", "58", "59"})
_ADDRESS = (Path("cbc:StreetName"), Path("cbc:CityName"), Path("cbc:PostalZone"))
_PRECEDING = Path("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")
_ORDER = Path("cac:OrderReference/cbc:ID")
_PAYABLE = Path("cbc:PayableAmount")
_PAYMENT = Path("cac:PaymentMeans")


def _has_dutch_buyer(node: Node, facts: Facts) -> bool:
    return is_dutch(facts.context.customer_address_country)


def _has_dutch_representative(node: Node, facts: Facts) -> bool:
    party = REPRESENTATIVE.first(facts.root)
    return party is not None and is_dutch(COUNTRY.text(party))


_credit_note = NETHERLANDS.on("cbc:CreditNoteTypeCode")
_seller_address = NETHERLANDS.on("cac:AccountingSupplierParty/cac:Party/cac:PostalAddress")
_seller_number = NETHERLANDS.on("cac:AccountingSupplierParty/cac:Party/cac:PartyLegalEntity/cbc:CompanyID")
_buyer_address = NETHERLANDS.on("cac:AccountingCustomerParty/cac:Party/cac:PostalAddress", where=_has_dutch_buyer)
_buyer_number = NETHERLANDS.on(
    "cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:CompanyID", where=_has_dutch_buyer
)
_representative_address = NETHERLANDS.on(
    "cac:TaxRepresentativeParty/cac:PostalAddress", where=_has_dutch_representative
)
_totals = NETHERLANDS.on("cac:LegalMonetaryTotal")
_means = NETHERLANDS.on("cac:PaymentMeans")
_order_line = NETHERLANDS.on("cac:OrderLineReference/cbc:LineID")


@_credit_note.rule(
    "NL-R-001",
    "fatal",
    "BG-3",
    nl="Een Nederlandse creditnota verwijst naar de factuur die ze corrigeert.",
    fr="Une note de crédit néerlandaise renvoie à la facture qu'elle corrige.",
    en="A Dutch credit note refers to the invoice that it corrects.",
)
def corrects_an_invoice(code: Value, facts: Facts) -> bool:
    return _PRECEDING.exists(facts.root)


def _is_whole(address: Group, facts: Facts) -> bool:
    return all(path.exists(address) for path in _ADDRESS)


def _is_kvk_or_oin(number: Value, facts: Facts) -> bool:
    return not {"0106", "0190"}.isdisjoint(str(number.get("schemeID", "")).split(" ")) and bool(
        normalised(string(number))
    )


for _rule, _term, _context, _nl, _fr, _en in (
    ("NL-R-002", "BG-5", _seller_address, "de verkoper", "du vendeur", "the seller"),
    ("NL-R-004", "BG-8", _buyer_address, "de koper", "de l'acheteur", "the buyer"),
    (
        "NL-R-006",
        "BG-12",
        _representative_address,
        "de fiscaal vertegenwoordiger",
        "du représentant",
        "the representative",
    ),
):
    _context.rule(
        _rule,
        "fatal",
        _term,
        nl=f"Het Nederlandse adres van {_nl} heeft een straat, een plaats en een postcode.",
        fr=f"L'adresse néerlandaise {_fr} comporte une rue, une localité et un code postal.",
        en=f"The Dutch address of {_en} has a street, a city and a post code.",
    )(_is_whole)

for _rule, _term, _context, _nl, _fr, _en in (
    ("NL-R-003", "BT-30", _seller_number, "de verkoper", "du vendeur", "the seller"),
    ("NL-R-005", "BT-47", _buyer_number, "de koper", "de l'acheteur", "the buyer"),
):
    _context.rule(
        _rule,
        "fatal",
        _term,
        nl=f"Het registratienummer van {_nl} is een KVK-nummer (0106) of OIN (0190).",
        fr=f"Le numéro d'enregistrement {_fr} est un numéro KVK (0106) ou OIN (0190).",
        en=f"The registration number of {_en} is a KVK number (0106) or OIN (0190).",
    )(_is_kvk_or_oin)


@_totals.rule(
    "NL-R-007",
    "fatal",
    "BG-16",
    nl="Wie in Nederland een bedrag vraagt, zegt hoe het betaald wordt.",
    fr="Qui demande un montant aux Pays-Bas indique comment le payer.",
    en="A document with an amount due in the Netherlands states the means of payment.",
)
def says_how_to_pay(totals: Group, facts: Facts) -> bool:
    # Since 3.0.20 only where the buyer is Dutch too.
    payable = decimal_or_none(_PAYABLE.first(totals))
    if not is_dutch(facts.context.customer_address_country) or (payable is not None and payable <= 0):
        return True
    return _PAYMENT.exists(facts.root)


@_means.rule(
    "NL-R-008",
    "fatal",
    "BT-81",
    nl="Tussen Nederlandse partijen is de betaalwijze 30, 48, 49, 57, 58 of 59.",
    fr="Entre parties néerlandaises, le moyen de paiement est 30, 48, 49, 57, 58 ou 59.",
    en="Between Dutch parties the means of payment is 30, 48, 49, 57, 58 or 59.",
)
def meansis_dutch(means: Group, facts: Facts) -> bool:
    # Since 3.0.20 only where the buyer is Dutch too.
    return not is_dutch(facts.context.customer_address_country) or MEANS_CODE.value(means) in MEANS


@_order_line.rule(
    "NL-R-009",
    "fatal",
    "BT-13",
    nl="Wie naar een bestellijn verwijst, vermeldt ook de bestelling.",
    fr="Qui renvoie à une ligne de commande indique aussi la commande.",
    en="A document that refers to an order line also states the order.",
)
def order_is_given(line: Group, facts: Facts) -> bool:
    return _ORDER.exists(facts.root)

"""Rules about seller, buyer, payee, tax representative and the place of delivery."""

from koppel_ubl.checking.codes import as_text
from koppel_ubl.checking.engine import Facts, Group, Value

from .conditions import filled, given
from .rules import RULES
from .terms import is_vat

SELLER = RULES.on("cac:AccountingSupplierParty")
SELLER_ADDRESS = RULES.on("cac:AccountingSupplierParty/cac:Party/cac:PostalAddress")
SELLER_ENDPOINT = RULES.on("cac:AccountingSupplierParty/cac:Party/cbc:EndpointID")
BUYER_ADDRESS = RULES.on("cac:AccountingCustomerParty/cac:Party/cac:PostalAddress")
BUYER_ENDPOINT = RULES.on("cac:AccountingCustomerParty/cac:Party/cbc:EndpointID")
PAYEE = RULES.on("cac:PayeeParty")
REPRESENTATIVE = RULES.on("cac:TaxRepresentativeParty")
REPRESENTATIVE_ADDRESS = RULES.on("cac:TaxRepresentativeParty/cac:PostalAddress")
DELIVERY_ADDRESS = RULES.on("cac:Delivery/cac:DeliveryLocation/cac:Address")
VAT_NUMBER = RULES.on("cac:PartyTaxScheme", where=lambda scheme, facts: is_vat(scheme))

_COUNTRY = ("cac:Country", "cbc:IdentificationCode")

SELLER_ADDRESS.rule(
    "BR-09",
    "fatal",
    "BT-40",
    nl="Vermeld het land van de verkoper.",
    fr="Indiquez le pays du vendeur.",
    en="State the country of the seller.",
)(filled(*_COUNTRY))

BUYER_ADDRESS.rule(
    "BR-11",
    "fatal",
    "BT-55",
    nl="Vermeld het land van de koper.",
    fr="Indiquez le pays de l'acheteur.",
    en="State the country of the buyer.",
)(filled(*_COUNTRY))


@PAYEE.rule(
    "BR-17",
    "fatal",
    "BT-59",
    nl="Vermeld de naam van de begunstigde, en alleen als die een ander is dan de verkoper.",
    fr="Indiquez le nom du bénéficiaire, et seulement s'il n'est pas le vendeur.",
    en="State the name of the payee, and only where it is someone else than the seller.",
)
def payee_is_someone_else(payee: Group, facts: Facts) -> bool:
    names = _texts(payee, "cac:PartyName", "cbc:Name")
    around = payee.parent
    sellers = around.all("cac:AccountingSupplierParty", "cac:Party") if around else []
    same_name = any(names & _texts(seller, "cac:PartyName", "cbc:Name") for seller in sellers)
    numbers = _texts(payee, "cac:PartyIdentification", "cbc:ID")
    same_number = any(numbers & _texts(seller, "cac:PartyIdentification", "cbc:ID") for seller in sellers)
    return bool(names) and not same_name and not same_number


def _texts(group: Group, *path: str) -> set[str]:
    return {element.text for element in group.elements(*path)}


REPRESENTATIVE.rule(
    "BR-18",
    "fatal",
    "BT-62",
    nl="Vermeld de naam van de fiscaal vertegenwoordiger.",
    fr="Indiquez le nom du représentant fiscal.",
    en="State the name of the tax representative.",
)(filled("cac:PartyName", "cbc:Name"))


@REPRESENTATIVE.rule(
    "BR-19",
    "fatal",
    "BG-12",
    nl="Vermeld het adres van de fiscaal vertegenwoordiger.",
    fr="Indiquez l'adresse du représentant fiscal.",
    en="State the address of the tax representative.",
)
def representative_has_address(party: Group, facts: Facts) -> bool:
    return party.has("cac:PostalAddress")


REPRESENTATIVE_ADDRESS.rule(
    "BR-20",
    "fatal",
    "BT-69",
    nl="Vermeld het land van de fiscaal vertegenwoordiger.",
    fr="Indiquez le pays du représentant fiscal.",
    en="State the country of the tax representative.",
)(filled(*_COUNTRY))


@REPRESENTATIVE.rule(
    "BR-56",
    "fatal",
    "BT-63",
    nl="Vermeld het btw-nummer van de fiscaal vertegenwoordiger.",
    fr="Indiquez le numéro de TVA du représentant fiscal.",
    en="State the VAT number of the tax representative.",
)
def representative_has_vat_number(party: Group, facts: Facts) -> bool:
    return any(scheme.has("cbc:CompanyID") and is_vat(scheme) for scheme in party.all("cac:PartyTaxScheme"))


DELIVERY_ADDRESS.rule(
    "BR-57",
    "fatal",
    "BT-80",
    nl="Vermeld het land van het leveringsadres.",
    fr="Indiquez le pays de l'adresse de livraison.",
    en="State the country of the delivery address.",
)(given(*_COUNTRY))


@SELLER_ENDPOINT.rule(
    "BR-62",
    "fatal",
    "BT-34",
    nl="Vermeld het schema van het elektronische adres van de verkoper (schemeID).",
    fr="Indiquez le schéma de l'adresse électronique du vendeur (schemeID).",
    en="State the scheme of the electronic address of the seller (schemeID).",
)
def seller_endpoint_has_scheme(endpoint: Value, facts: Facts) -> bool:
    return endpoint.get("schemeID") is not None


@BUYER_ENDPOINT.rule(
    "BR-63",
    "fatal",
    "BT-49",
    nl="Vermeld het schema van het elektronische adres van de koper (schemeID).",
    fr="Indiquez le schéma de l'adresse électronique de l'acheteur (schemeID).",
    en="State the scheme of the electronic address of the buyer (schemeID).",
)
def buyer_endpoint_has_scheme(endpoint: Value, facts: Facts) -> bool:
    return endpoint.get("schemeID") is not None


@VAT_NUMBER.rule(
    "BR-CO-09",
    "fatal",
    "BT-31, BT-48, BT-63",
    nl="Een btw-nummer begint met de letters van het land, zoals BE (Griekenland: EL).",
    fr="Un numéro de TVA commence par les lettres du pays, comme BE (Grèce : EL).",
    en="A VAT number begins with the letters of the country, such as BE (Greece: EL).",
)
def vat_number_begins_with_country(scheme: Group, facts: Facts) -> bool:
    # The official rule looks for the two characters anywhere in a text of codes, so that one letter or none passes too.
    number = scheme.value("cbc:CompanyID")
    start = "" if number is None else number.token.start
    return start == "EL" or start in as_text("countries")


@SELLER.rule(
    "BR-CO-26",
    "fatal",
    "BT-29, BT-30, BT-31",
    nl="Vermeld een btw-nummer, een registratienummer of een ander nummer van de verkoper.",
    fr="Indiquez un numéro de TVA, d'enregistrement ou un autre identifiant du vendeur.",
    en="State a VAT number, a registration number or another identifier of the seller.",
)
def seller_has_an_identifier(seller: Group, facts: Facts) -> bool:
    return any(
        party.has("cac:PartyIdentification", "cbc:ID")
        or party.has("cac:PartyLegalEntity", "cbc:CompanyID")
        or any(scheme.has("cbc:CompanyID") and is_vat(scheme) for scheme in party.all("cac:PartyTaxScheme"))
        for party in seller.all("cac:Party")
    )

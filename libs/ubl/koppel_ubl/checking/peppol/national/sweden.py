"""Sweden: the organisation number, rates, F-skatt, and the payment systems Plusgirot and Bankgirot."""

from decimal import Decimal

from koppel_ubl.check_digits import is_swedish_number
from koppel_ubl.checking.engine import Context, Facts, Group, Test, Value, normalised
from koppel_ubl.checking.peppol.facts import vat_numbers
from koppel_ubl.checking.peppol.patterns import SWEDEN
from koppel_ubl.checking.peppol.xpath import Path, is_number, number, string

from .paths import COMPANY, CUSTOMER, MEANS_CODE, PAYEE_BANK, REGISTRATION, SUPPLIER, TAX_SCHEME

RATES = frozenset({Decimal(25), Decimal(12), Decimal(6)})
_CATEGORY = Path("cbc:ID")
_PERCENT = Path("cbc:Percent")
_PARTY = "cac:AccountingSupplierParty/cac:Party"


def _is_vat_registered(facts: Facts) -> bool:
    party = SUPPLIER.first(facts.root)
    return party is not None and any(each[:2] == "SE" for each in vat_numbers(party))


def _is_registered_seller(party: Group, facts: Facts) -> bool:
    return any(each[:2] == "SE" for each in vat_numbers(party))


def _is_other_scheme(company: Value, facts: Facts) -> bool:
    scheme = company.group
    party = scheme.parent
    return party is not None and REGISTRATION.exists(party) and TAX_SCHEME.value(scheme).upper() != "VAT"


def _is_standard(category: Group, facts: Facts) -> bool:
    return "S" in _CATEGORY.texts(category) and _is_vat_registered(facts)


def _pays_by(bank: str) -> Test:
    def takes(account: Value, facts: Facts) -> bool:
        means = account.group.parent
        return means is not None and MEANS_CODE.value(means) == "30" and PAYEE_BANK.value(means) == bank

    return takes


def _means_of(*codes: str, domestic: bool = False) -> Test:
    def takes(means: Group, facts: Facts) -> bool:
        buyer = CUSTOMER.first(facts.root)
        inside = not domestic or (buyer is not None and facts.context.customer_address_country == "SE")
        return inside and not set(codes).isdisjoint(MEANS_CODE.texts(means))

    return takes


_registered = SWEDEN.on(_PARTY, where=_is_registered_seller)
_legal_entity = SWEDEN.on(f"{_PARTY}/cac:PartyLegalEntity", where=lambda node, facts: COMPANY.exists(node))
_other_scheme = SWEDEN.on(f"{_PARTY}/cac:PartyTaxScheme/cbc:CompanyID", where=_is_other_scheme)
_standard = SWEDEN.on("cac:TaxCategory", "cac:ClassifiedTaxCategory", where=_is_standard)
_plusgiro = SWEDEN.on("cac:PayeeFinancialAccount/cbc:ID", where=_pays_by("SE:PLUSGIRO"))
_bankgiro = SWEDEN.on("cac:PayeeFinancialAccount/cbc:ID", where=_pays_by("SE:BANKGIRO"))
_old_giro = SWEDEN.on("cac:PaymentMeans", where=_means_of("50", "56"))
_abroad = SWEDEN.on("cac:PaymentMeans", where=_means_of("31", domestic=True))


def _first_vat_number(party: Group) -> str:
    return next(iter(vat_numbers(party)), "")


@_registered.rule(
    "SE-R-001",
    "fatal",
    "BT-31",
    nl="Een Zweeds btw-nummer telt 14 tekens.",
    fr="Un numéro de TVA suédois compte 14 signes.",
    en="A Swedish VAT number has 14 characters.",
)
def vat_number_has_its_length(party: Group, facts: Facts) -> bool:
    return len(normalised(_first_vat_number(party))) == 14


@_registered.rule(
    "SE-R-002",
    "fatal",
    "BT-31",
    nl="Een Zweeds btw-nummer is SE met twaalf cijfers.",
    fr="Un numéro de TVA suédois est SE suivi de douze chiffres.",
    en="A Swedish VAT number is SE with twelve digits.",
)
def vat_number_is_digits(party: Group, facts: Facts) -> bool:
    return is_number(_first_vat_number(party)[2:14])


@_legal_entity.rule(
    "SE-R-003",
    "fatal",
    "BT-30",
    nl="Een Zweeds organisatienummer is een getal.",
    fr="Un numéro d'organisation suédois est un nombre.",
    en="A Swedish organisation number is a number.",
)
def number_is_digits(entity: Group, facts: Facts) -> bool:
    return is_number(COMPANY.text(entity))


@_legal_entity.rule(
    "SE-R-004",
    "fatal",
    "BT-30",
    nl="Een Zweeds organisatienummer telt tien cijfers.",
    fr="Un numéro d'organisation suédois compte dix chiffres.",
    en="A Swedish organisation number has ten digits.",
)
def number_has_its_length(entity: Group, facts: Facts) -> bool:
    return len(COMPANY.value(entity)) == 10


@_legal_entity.rule(
    "SE-R-013",
    "fatal",
    "BT-30",
    nl="Het controlecijfer van het Zweedse organisatienummer klopt niet.",
    fr="Le chiffre de contrôle du numéro d'organisation suédois est faux.",
    en="The check digit of the Swedish organisation number is wrong.",
)
def number_has_its_check_digit(entity: Group, facts: Facts) -> bool:
    return is_swedish_number(COMPANY.value(entity))


@_other_scheme.rule(
    "SE-R-005",
    "fatal",
    "BT-32",
    nl="De fiscale inschrijving van een Zweedse verkoper luidt 'Godkänd för F-skatt'.",
    fr="L'inscription fiscale d'un vendeur suédois s'écrit « Godkänd för F-skatt ».",
    en="The tax registration of a Swedish seller reads 'Godkänd för F-skatt'.",
)
def is_approved_for_tax(company: Value, facts: Facts) -> bool:
    return normalised(string(company)).upper() == "GODKÄND FÖR F-SKATT"


@_standard.rule(
    "SE-R-006",
    "fatal",
    "BT-119",
    nl="De Zweedse btw-tarieven zijn 25, 12 en 6.",
    fr="Les taux de TVA suédois sont 25, 12 et 6.",
    en="The Swedish VAT rates are 25, 12 and 6.",
)
def rate_is_swedish(category: Group, facts: Facts) -> bool:
    return number(_PERCENT.text(category)) in RATES


def _giro(rule_ids: tuple[str, str], account: Context, name: str, lengths: tuple[int, int]) -> None:
    least, most = lengths
    account.rule(
        rule_ids[0],
        "warning",
        "BT-84",
        nl=f"Een {name}-nummer bestaat uit cijfers.",
        fr=f"Un numéro {name} se compose de chiffres.",
        en=f"A {name} number consists of digits.",
    )(lambda node, facts: is_number(normalised(string(node))))
    account.rule(
        rule_ids[1],
        "warning",
        "BT-84",
        nl=f"Een {name}-nummer telt {least} tot {most} cijfers.",
        fr=f"Un numéro {name} compte {least} à {most} chiffres.",
        en=f"A {name} number has {least} to {most} digits.",
    )(lambda node, facts: least <= len(normalised(string(node))) <= most)


_giro(("SE-R-007", "SE-R-010"), _plusgiro, "Plusgiro", (2, 8))
_giro(("SE-R-008", "SE-R-009"), _bankgiro, "Bankgiro", (7, 8))

_old_giro.rule(
    "SE-R-011",
    "warning",
    "BT-81",
    nl="Gebruik voor Bankgiro en Plusgiro betaalwijze 30.",
    fr="Utilisez le moyen de paiement 30 pour Bankgiro et Plusgiro.",
    en="Use means of payment 30 for Bankgiro and Plusgiro.",
)(lambda means, facts: False)
_abroad.rule(
    "SE-R-012",
    "warning",
    "BT-81",
    nl="Gebruik binnen Zweden betaalwijze 30.",
    fr="Utilisez le moyen de paiement 30 à l'intérieur de la Suède.",
    en="Use means of payment 30 within Sweden.",
)(lambda means, facts: False)

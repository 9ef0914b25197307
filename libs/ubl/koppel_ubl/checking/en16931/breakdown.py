"""Rules about the VAT breakdown, whatever the category."""

from decimal import Decimal

from koppel_ubl.checking.engine import ZERO, Facts, Group, amount, cached_by_shape, cents, decimal, rounded, share

from .conditions import given, two_decimals
from .rules import RULES
from .terms import category_code, is_vat

VAT_TOTAL = RULES.on("/cac:TaxTotal")
BREAKDOWN = RULES.on("cac:TaxTotal/cac:TaxSubtotal")

ONE = Decimal(1)


@VAT_TOTAL.rule(
    "BR-CO-14",
    "fatal",
    "BT-110",
    nl="Het btw-totaal klopt niet met de som van de btw per tarief.",
    fr="Le total de la TVA ne correspond pas à la somme de la TVA par taux.",
    en="The VAT total is not the sum of the VAT per rate.",
)
def vat_adds_up(total: Group, facts: Facts) -> bool:
    breakdowns = total.groups("cac:TaxSubtotal")
    if not breakdowns:
        return True
    stated = amount(total, "cbc:TaxAmount")
    return stated is not None and stated == cents(
        sum((amount(one, "cbc:TaxAmount") or ZERO for one in breakdowns), ZERO)
    )


BREAKDOWN.rule(
    "BR-45",
    "fatal",
    "BT-116",
    nl="Vermeld in elke btw-uitsplitsing de maatstaf van heffing.",
    fr="Indiquez la base imposable dans chaque ventilation de la TVA.",
    en="State the taxable amount in every VAT breakdown.",
)(given("cbc:TaxableAmount"))

BREAKDOWN.rule(
    "BR-46",
    "fatal",
    "BT-117",
    nl="Vermeld in elke btw-uitsplitsing het btw-bedrag.",
    fr="Indiquez le montant de TVA dans chaque ventilation de la TVA.",
    en="State the VAT amount in every VAT breakdown.",
)(given("cbc:TaxAmount"))


@BREAKDOWN.rule(
    "BR-47",
    "fatal",
    "BT-118",
    nl="Vermeld in elke btw-uitsplitsing de btw-categorie.",
    fr="Indiquez la catégorie de TVA dans chaque ventilation de la TVA.",
    en="State the VAT category in every VAT breakdown.",
)
def breakdown_has_category(breakdown: Group, facts: Facts) -> bool:
    return any(category.has("cbc:ID") for category in _vat_categories(breakdown))


@BREAKDOWN.rule(
    "BR-48",
    "fatal",
    "BT-119",
    nl="Vermeld in elke btw-uitsplitsing het tarief, behalve buiten het toepassingsgebied (O).",
    fr="Indiquez le taux dans chaque ventilation de la TVA, sauf hors champ d'application (O).",
    en="State the rate in every VAT breakdown, except outside the scope of VAT (O).",
)
def breakdown_has_rate(breakdown: Group, facts: Facts) -> bool:
    categories = _vat_categories(breakdown)
    return any(category.has("cbc:Percent") or category_code(category) == "O" for category in categories)


@BREAKDOWN.rule(
    "BR-CO-17",
    "fatal",
    "BT-117",
    nl="Het btw-bedrag is niet de maatstaf van heffing maal het tarief.",
    fr="Le montant de TVA n'est pas la base imposable fois le taux.",
    en="The VAT amount is not the taxable amount times the rate.",
)
def vat_is_base_times_rate(breakdown: Group, facts: Facts) -> bool:
    tax = amount(breakdown, "cbc:TaxAmount")
    if tax is None:
        return False
    percent = _rate(breakdown)
    if percent is None or rounded(percent) == 0:
        return rounded(tax) == 0
    base = amount(breakdown, "cbc:TaxableAmount")
    return base is not None and is_near(tax, base, percent)


@cached_by_shape
def _rate(breakdown: Group) -> Decimal | None:
    percents = (percent for category in _vat_categories(breakdown) for percent in category.values("cbc:Percent"))
    return next(map(decimal, percents), None)


def is_near(tax: Decimal, base: Decimal, percent: Decimal) -> bool:
    """Return whether a VAT amount is less than one unit of money off; signs do not count."""
    return -ONE < cents(abs(base) * share(percent)) - abs(tax) < ONE


def _vat_categories(breakdown: Group) -> list[Group]:
    return [category for category in breakdown.groups("cac:TaxCategory") if is_vat(category)]


BREAKDOWN.rule(
    "BR-DEC-19",
    "fatal",
    "BT-116",
    nl="Hoogstens twee decimalen voor de maatstaf van heffing.",
    fr="Deux décimales au plus pour la base imposable.",
    en="No more than two decimals for the taxable amount.",
)(two_decimals("cbc:TaxableAmount"))

BREAKDOWN.rule(
    "BR-DEC-20",
    "fatal",
    "BT-117",
    nl="Hoogstens twee decimalen voor het btw-bedrag van een tarief.",
    fr="Deux décimales au plus pour le montant de TVA d'un taux.",
    en="No more than two decimals for the VAT amount of a rate.",
)(two_decimals("cbc:TaxAmount"))

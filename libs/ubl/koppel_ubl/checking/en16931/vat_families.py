"""The families of VAT categories: nine times nearly the same rules, with the differences as data.

``BR-S-05`` and ``BR-Z-05`` both test the rate of a line, for different values. A family holds its values;
``vat_categories.py`` makes the rules from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from koppel_ubl.checking.engine import Facts, Group, amount, in_binary, sign
from koppel_ubl.report import Sentence

from .facts import (
    buyer_has_vat_number,
    buyer_is_registered,
    representative_has_vat_number,
    seller_has_tax_number,
    seller_has_vat_number,
)
from .vat_sums import LINES, sums, use_of, uses

RateTest = Callable[[Group], bool]
NumbersTest = Callable[[Facts], bool]
SURE = Decimal("0.001")
ONE = Decimal(1)


def above_zero(category: Group) -> bool:
    """Require a rate above zero."""
    percent = category.value("cbc:Percent")
    return percent is not None and sign(percent) > 0


def zero_or_above(category: Group) -> bool:
    """Require a rate of zero or above."""
    percent = category.value("cbc:Percent")
    return percent is not None and sign(percent) >= 0


def exactly_zero(category: Group) -> bool:
    """Require the rate zero."""
    return amount(category, "cbc:Percent") == 0


def no_rate(category: Group) -> bool:
    """Require that there is no rate."""
    return not category.has("cbc:Percent")


def with_tax_number(facts: Facts) -> bool:
    """Require a tax registration of the seller, or a VAT number of the representative."""
    return seller_has_tax_number(facts) or representative_has_vat_number(facts)


def with_vat_number(facts: Facts) -> bool:
    """Require a VAT number of the seller or of the representative."""
    return seller_has_vat_number(facts) or representative_has_vat_number(facts)


def with_registered_buyer(facts: Facts) -> bool:
    """Require what S requires of the seller, and a buyer with a VAT or registration number."""
    return with_tax_number(facts) and (buyer_has_vat_number(facts) or buyer_is_registered(facts))


def with_both_vat_numbers(facts: Facts) -> bool:
    """Require VAT numbers on both sides."""
    return with_vat_number(facts) and buyer_has_vat_number(facts)


def without_vat_numbers(facts: Facts) -> bool:
    """Require that no VAT number is given."""
    return not with_vat_number(facts) and not buyer_has_vat_number(facts)


NUMBERS: dict[NumbersTest, Sentence] = {
    with_tax_number: Sentence(
        "een btw-nummer of fiscaal nummer van de verkoper, of het btw-nummer van zijn fiscaal vertegenwoordiger",
        "un numéro de TVA ou fiscal du vendeur, ou le numéro de TVA de son représentant fiscal",
        "a VAT or tax number of the seller, or the VAT number of its tax representative",
    ),
    with_vat_number: Sentence(
        "het btw-nummer van de verkoper of van zijn fiscaal vertegenwoordiger",
        "le numéro de TVA du vendeur ou de son représentant fiscal",
        "the VAT number of the seller or of its tax representative",
    ),
    with_registered_buyer: Sentence(
        "een fiscaal nummer van de verkoper, en het btw- of ondernemingsnummer van de koper",
        "un numéro fiscal du vendeur, et le numéro de TVA ou d'entreprise de l'acheteur",
        "a tax number of the seller, and the VAT or registration number of the buyer",
    ),
    with_both_vat_numbers: Sentence(
        "het btw-nummer van de verkoper (of zijn vertegenwoordiger) en dat van de koper",
        "le numéro de TVA du vendeur (ou de son représentant) et celui de l'acheteur",
        "the VAT number of the seller (or its representative) and that of the buyer",
    ),
    without_vat_numbers: Sentence(
        "geen enkel btw-nummer, niet van de verkoper, niet van de koper en niet van een vertegenwoordiger",
        "aucun numéro de TVA, ni du vendeur, ni de l'acheteur, ni d'un représentant",
        "no VAT number at all, of seller, buyer or representative",
    ),
}
RATES: dict[RateTest, Sentence] = {
    above_zero: Sentence("een tarief boven nul", "un taux supérieur à zéro", "a rate above zero"),
    zero_or_above: Sentence("een tarief van nul of meer", "un taux de zéro ou plus", "a rate of zero or more"),
    exactly_zero: Sentence("het tarief nul", "le taux zéro", "the rate zero"),
    no_rate: Sentence("geen tarief", "aucun taux", "no rate"),
}


@dataclass(frozen=True, slots=True)
class Family:
    """What a VAT category requires.

    Attributes:
        prefix: of its rules: ``BR-IC`` for the category ``K``.
        breakdown: how many breakdowns there are when the category is used.
        per_rate: whether amounts are compared for each rate, to one unit of money; else for the category, exactly.
        reason: whether a reason of exemption must, or may not, be given.
    """

    prefix: str
    code: str
    name: Sentence
    breakdown: Literal["one", "some", "some of any scheme"]
    numbers: NumbersTest
    rate: RateTest
    per_rate: bool
    reason: bool


FAMILIES = (
    Family("BR-S", "S", Sentence("normaal tarief", "taux normal", "standard rate"),
           "some of any scheme", with_tax_number, above_zero, True, False),
    Family("BR-Z", "Z", Sentence("nultarief", "taux zéro", "zero rate"),
           "one", with_tax_number, exactly_zero, False, False),
    Family("BR-E", "E", Sentence("vrijgesteld", "exonéré", "exempt"),
           "one", with_tax_number, exactly_zero, False, True),
    Family("BR-AE", "AE", Sentence("btw verlegd", "autoliquidation", "reverse charge"),
           "one", with_registered_buyer, exactly_zero, False, True),
    Family("BR-IC", "K", Sentence("intracommunautaire levering", "livraison intracommunautaire", "intra-Community supply"),
           "one", with_both_vat_numbers, exactly_zero, False, True),
    Family("BR-G", "G", Sentence("uitvoer", "exportation", "export"),
           "one", with_vat_number, exactly_zero, False, True),
    Family("BR-O", "O", Sentence("buiten het toepassingsgebied", "hors champ d'application", "outside the scope of VAT"),
           "one", without_vat_numbers, no_rate, False, True),
    Family("BR-IG", "L", Sentence("IGIC van de Canarische Eilanden", "IGIC des îles Canaries", "IGIC of the Canary Islands"),
           "some", with_tax_number, zero_or_above, True, False),
    Family("BR-IP", "M", Sentence("IPSI van Ceuta en Melilla", "IPSI de Ceuta et Melilla", "IPSI of Ceuta and Melilla"),
           "some", with_tax_number, zero_or_above, True, False),
)  # fmt: skip


def within_one(base: Decimal, total: Decimal) -> bool:
    """Return whether an amount is less than one unit of money away from a total.

    The official rule adds and takes one in binary, which only shows where the distance is one to the last digit.
    """
    difference = abs(base - total)
    if abs(difference - ONE) > SURE and abs(base) < 1_000_000_000:
        return difference < ONE
    near = in_binary(base)
    return in_binary(near - ONE) < total < in_binary(near + ONE)


def amounts_agree(family: Family, category: Group, facts: Facts) -> bool:
    """Return whether the taxable amount around a breakdown's category is the sum of what has that category."""
    base = amount(category.parent, "cbc:TaxableAmount") if category.parent else None
    use = use_of(category) if family.per_rate else family.code
    if use is None:
        return True
    vat = sums(facts)
    for lines in LINES:
        counts = vat.has(lines, use) if family.code == "S" else facts.tree.all(lines)
        if base is not None and counts:
            stated = vat.of(lines, use)
            if within_one(base, stated) if family.per_rate else base == stated:
                return True
    return False


def uses_agree(family: Family, facts: Facts) -> bool:
    """Return whether a category has as many breakdowns as its use requires."""
    vat, code = uses(facts), family.code
    if family.breakdown == "one":
        return not vat.is_used(code) or vat.breakdown_vat[code] == 1
    if family.breakdown == "some":
        if vat.either_vat[code] + vat.lines_vat[code] == 0:
            return vat.breakdown_vat[code] == 0
        # The official rules ask for the code without blanks around it, and that of L forgets to ask for the tax scheme.
        return (vat.breakdown_as_written if code == "L" else vat.breakdown_as_written_vat)[code] > 0
    return (vat.either[code] + vat.lines[code] > 0) == (vat.breakdown[code] > 0)

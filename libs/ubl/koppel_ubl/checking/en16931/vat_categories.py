"""The rules of each VAT category, made from its family (BR-S-…, BR-Z-…, BR-AE-…), and the rules of single categories."""

from collections import Counter

from koppel_ubl.checking.engine import Facts, Group, Test, amount
from koppel_ubl.report import Sentence

from .breakdown import is_near
from .rules import RULES
from .terms import category_code, is_charge, is_vat
from .vat_families import FAMILIES, NUMBERS, RATES, Family, amounts_agree, uses_agree
from .vat_sums import rate_of, uses


def _kind(category: Group, facts: Facts) -> str | None:
    return category_code(category) if is_vat(category) else None


def _kind_within(category: Group, facts: Facts) -> str | None:
    around = category.parent
    charge = is_charge(around) if around else None
    return None if charge is None or not is_vat(category) else f"{charge} {category_code(category)}"


BREAKDOWNS = RULES.by_kind("/cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory", kind=_kind)
OF_ALLOWANCES_AND_CHARGES = RULES.by_kind("cac:AllowanceCharge/cac:TaxCategory", kind=_kind_within)
OF_LINES = RULES.by_kind(
    "cac:InvoiceLine/cac:Item/cac:ClassifiedTaxCategory",
    "cac:CreditNoteLine/cac:Item/cac:ClassifiedTaxCategory",
    kind=_kind,
)

_LINE = Sentence("een lijn", "une ligne", "a line")
_ALLOWANCE = Sentence("een korting", "une remise", "an allowance")
_CHARGE = Sentence("een toeslag", "un supplément", "a charge")


def _of_document(family: Family) -> None:
    document = RULES.on("/", where=lambda document, facts: family.code in uses(facts).codes)
    nl, fr, en = family.name.nl, family.name.fr, family.name.en
    many = family.breakdown != "one"
    document.rule(
        f"{family.prefix}-01",
        "fatal",
        "BG-23",
        nl=f"Wie categorie {family.code} ({nl}) gebruikt, geeft er {'minstens' if many else 'precies'} één btw-uitsplitsing van.",
        fr=f"L'usage de la catégorie {family.code} ({fr}) demande {'au moins' if many else 'exactement'} une ventilation de TVA.",
        en=f"Category {family.code} ({en}) needs {'at least' if many else 'exactly'} one VAT breakdown, and the reverse.",
    )(lambda document, facts: uses_agree(family, facts))
    needed = NUMBERS[family.numbers]
    for number, what, test in (
        ("02", _LINE, _numbers_of_lines(family)),
        ("03", _ALLOWANCE, _numbers_of(family, charges=False)),
        ("04", _CHARGE, _numbers_of(family, charges=True)),
    ):
        document.rule(
            f"{family.prefix}-{number}",
            "fatal",
            "BT-31, BT-32, BT-48, BT-63",
            nl=f"Met {what.nl} in categorie {family.code} ({nl}) vermeldt de factuur {needed.nl}.",
            fr=f"Avec {what.fr} en catégorie {family.code} ({fr}), la facture indique {needed.fr}.",
            en=f"With {what.en} in category {family.code} ({en}) the invoice gives {needed.en}.",
        )(test)


def _numbers_of_lines(family: Family) -> Test:
    def holds(document: Group, facts: Facts) -> bool:
        vat, code = uses(facts), family.code
        if code == "S":
            # The official rule looks for VAT only where it asks for the number: S of another scheme always fails it.
            return not vat.lines["S"] or (vat.lines_vat["S"] > 0 and family.numbers(facts))
        return not vat.lines_vat[code] or family.numbers(facts)

    return holds


def _numbers_of(family: Family, *, charges: bool) -> Test:
    def holds(document: Group, facts: Facts) -> bool:
        vat, code = uses(facts), family.code
        if code == "O":
            used = vat.document_charges_vat if charges else vat.document_allowances_vat
        elif code == "L" and charges:
            # Here the official rule compares the code as it is written, blanks included.
            return not vat.charges_as_written_vat[code] or family.numbers(facts)
        else:
            used = vat.charges_vat if charges else vat.allowances_vat
        return not used[code] or family.numbers(facts)

    return holds


def _of_uses(family: Family) -> None:
    required = RATES[family.rate]
    for context, number, what, term in (
        (OF_LINES.of(family.code), "05", _LINE, "BT-152"),
        (OF_ALLOWANCES_AND_CHARGES.of(f"False {family.code}"), "06", _ALLOWANCE, "BT-96"),
        (OF_ALLOWANCES_AND_CHARGES.of(f"True {family.code}"), "07", _CHARGE, "BT-103"),
    ):
        context.rule(
            f"{family.prefix}-{number}",
            "fatal",
            term,
            nl=f"Bij {what.nl} in categorie {family.code} ({family.name.nl}) hoort {required.nl}.",
            fr=f"Pour {what.fr} en catégorie {family.code} ({family.name.fr}), il faut {required.fr}.",
            en=f"With {what.en} in category {family.code} ({family.name.en}), state {required.en}.",
        )(lambda category, facts: family.rate(category))


def _of_breakdown(family: Family) -> None:
    context, code, name = BREAKDOWNS.of(family.code), family.code, family.name
    context.rule(
        f"{family.prefix}-08",
        "fatal",
        "BT-116",
        nl=f"De maatstaf van heffing van {code} ({name.nl}) is niet de som van wat die categorie heeft.",
        fr=f"La base imposable de {code} ({name.fr}) n'est pas la somme de ce qui porte cette catégorie.",
        en=f"The taxable amount of {code} ({name.en}) is not the sum of the amounts in that category.",
    )(lambda category, facts: amounts_agree(family, category, facts))
    context.rule(
        f"{family.prefix}-09",
        "fatal",
        "BT-117",
        nl=f"De btw van {code} ({name.nl}) is {'niet maatstaf maal tarief' if family.per_rate else 'niet nul'}.",
        fr=f"La TVA de {code} ({name.fr}) n'est pas {'la base fois le taux' if family.per_rate else 'nulle'}.",
        en=f"The VAT of {code} ({name.en}) is not {'the base times the rate' if family.per_rate else 'zero'}.",
    )(_tax_is_base_times_rate if family.per_rate else _tax_is_zero)
    context.rule(
        f"{family.prefix}-10",
        "fatal",
        "BT-120, BT-121",
        nl=f"Bij {code} ({name.nl}) hoort {'een' if family.reason else 'geen'} reden van vrijstelling.",
        fr=f"Pour {code} ({name.fr}), {'indiquez un' if family.reason else 'pas de'} motif d'exonération.",
        en=f"Category {code} ({name.en}) {'requires a' if family.reason else 'allows no'} reason for exemption.",
    )(lambda category, facts: _has_reason(category) is family.reason)


def _has_reason(category: Group) -> bool:
    return category.has("cbc:TaxExemptionReason") or category.has("cbc:TaxExemptionReasonCode")


def _tax_is_zero(category: Group, facts: Facts) -> bool:
    tax = amount(category.parent, "cbc:TaxAmount") if category.parent else None
    return tax is not None and tax == 0


def _tax_is_base_times_rate(category: Group, facts: Facts) -> bool:
    around = category.parent
    assert around is not None
    tax, base, percent = amount(around, "cbc:TaxAmount"), amount(around, "cbc:TaxableAmount"), rate_of(category)
    return tax is not None and base is not None and percent is not None and is_near(tax, base, percent)


for _family in FAMILIES:
    _of_document(_family)
    _of_breakdown(_family)
    _of_uses(_family)

INTRA_COMMUNITY = RULES.on("/", where=lambda document, facts: uses(facts).breakdown_vat["K"] > 0)
OUTSIDE_SCOPE = RULES.on("/", where=lambda document, facts: uses(facts).breakdown_vat["O"] > 0)


@INTRA_COMMUNITY.rule(
    "BR-IC-11",
    "fatal",
    "BT-72, BG-14",
    nl="Bij een intracommunautaire levering hoort een leveringsdatum of een factuurperiode.",
    fr="Une livraison intracommunautaire demande une date de livraison ou une période de facturation.",
    en="An intra-Community supply needs a date of delivery or a period of the invoice.",
)
def delivery_is_dated(document: Group, facts: Facts) -> bool:
    if len(document.text("cac:Delivery", "cbc:ActualDeliveryDate")) > 1:
        return True
    return any(period.shape.parts for period in document.groups("cac:InvoicePeriod"))


@INTRA_COMMUNITY.rule(
    "BR-IC-12",
    "fatal",
    "BT-80",
    nl="Bij een intracommunautaire levering hoort het land van levering.",
    fr="Une livraison intracommunautaire demande le pays de livraison.",
    en="An intra-Community supply needs the country of delivery.",
)
def delivery_has_country(document: Group, facts: Facts) -> bool:
    path = ("cac:Delivery", "cac:DeliveryLocation", "cac:Address", "cac:Country", "cbc:IdentificationCode")
    return len(document.text(*path)) > 1


def _only_outside(which: str) -> Test:
    def holds(document: Group, facts: Facts) -> bool:
        counts: Counter[str] = getattr(uses(facts), which)
        return all(code == "O" or not count for code, count in counts.items())

    return holds


for _number, _where, _term, _used in (
    ("11", Sentence("btw-uitsplitsing", "ventilation de TVA", "VAT breakdown"), "BG-23", "breakdown_vat"),
    ("12", Sentence("lijn", "ligne", "line"), "BT-151", "lines_vat"),
    ("13", Sentence("korting", "remise", "allowance"), "BT-95", "allowances_vat"),
    ("14", Sentence("toeslag", "supplément", "charge"), "BT-102", "charges_vat"),
):
    OUTSIDE_SCOPE.rule(
        f"BR-O-{_number}",
        "fatal",
        _term,
        nl=f"Naast categorie O (buiten het toepassingsgebied) staat geen {_where.nl} van een andere categorie.",
        fr=f"À côté de la catégorie O (hors champ d'application), pas de {_where.fr} d'une autre catégorie.",
        en=f"An invoice with category O (outside the scope of VAT) has no {_where.en} of another category.",
    )(_only_outside(_used))

"""Rules about the totals of the document: they are there, add up, and have two decimals."""

from koppel_ubl.checking.engine import ZERO, Facts, Group, amount, cents

from .conditions import given, two_decimals
from .rules import RULES
from .terms import is_charge
from .vat_sums import LINES

TOTALS = RULES.on("cac:LegalMonetaryTotal")

TOTALS.rule(
    "BR-12",
    "fatal",
    "BT-106",
    nl="Vermeld de som van de lijnen (LineExtensionAmount).",
    fr="Indiquez la somme des lignes (LineExtensionAmount).",
    en="State the sum of the lines (LineExtensionAmount).",
)(given("cbc:LineExtensionAmount"))

TOTALS.rule(
    "BR-13",
    "fatal",
    "BT-109",
    nl="Vermeld het totaal zonder btw (TaxExclusiveAmount).",
    fr="Indiquez le total hors TVA (TaxExclusiveAmount).",
    en="State the total without VAT (TaxExclusiveAmount).",
)(given("cbc:TaxExclusiveAmount"))

TOTALS.rule(
    "BR-14",
    "fatal",
    "BT-112",
    nl="Vermeld het totaal met btw (TaxInclusiveAmount).",
    fr="Indiquez le total TVA comprise (TaxInclusiveAmount).",
    en="State the total with VAT (TaxInclusiveAmount).",
)(given("cbc:TaxInclusiveAmount"))

TOTALS.rule(
    "BR-15",
    "fatal",
    "BT-115",
    nl="Vermeld het te betalen bedrag (PayableAmount).",
    fr="Indiquez le montant à payer (PayableAmount).",
    en="State the amount to pay (PayableAmount).",
)(given("cbc:PayableAmount"))


@TOTALS.rule(
    "BR-CO-10",
    "fatal",
    "BT-106",
    nl="De som van de lijnen klopt niet met de nettobedragen van de lijnen.",
    fr="La somme des lignes ne correspond pas aux montants nets des lignes.",
    en="The sum of the lines is not the sum of the net amounts of the lines.",
)
def lines_add_up(totals: Group, facts: Facts) -> bool:
    lines = [line for name in LINES for line in facts.tree.all(name)]
    amounts = [amount(line, "cbc:LineExtensionAmount") or ZERO for line in lines]
    return amount(totals, "cbc:LineExtensionAmount") == cents(sum(amounts, ZERO))


@TOTALS.rule(
    "BR-CO-11",
    "fatal",
    "BT-107",
    nl="Het totaal van de kortingen klopt niet met de kortingen op de factuur.",
    fr="Le total des remises ne correspond pas aux remises de la facture.",
    en="The total of the allowances is not the sum of the allowances of the invoice.",
)
def allowances_add_up(totals: Group, facts: Facts) -> bool:
    return _add_up(totals, "cbc:AllowanceTotalAmount", charges=False)


@TOTALS.rule(
    "BR-CO-12",
    "fatal",
    "BT-108",
    nl="Het totaal van de toeslagen klopt niet met de toeslagen op de factuur.",
    fr="Le total des suppléments ne correspond pas aux suppléments de la facture.",
    en="The total of the charges is not the sum of the charges of the invoice.",
)
def charges_add_up(totals: Group, facts: Facts) -> bool:
    return _add_up(totals, "cbc:ChargeTotalAmount", charges=True)


def _add_up(totals: Group, name: str, *, charges: bool) -> bool:
    around = totals.parent
    groups = around.groups("cac:AllowanceCharge") if around else []
    groups = [group for group in groups if is_charge(group) is charges]
    total = amount(totals, name)
    if total is None:
        return not groups
    return total == cents(sum((amount(group, "cbc:Amount") or ZERO for group in groups), ZERO))


@TOTALS.rule(
    "BR-CO-13",
    "fatal",
    "BT-109",
    nl="Totaal zonder btw moet zijn: som van de lijnen, min kortingen, plus toeslagen.",
    fr="Le total hors TVA doit être : la somme des lignes, moins les remises, plus les suppléments.",
    en="The total without VAT must be the sum of the lines, less allowances, plus charges.",
)
def total_without_vat_adds_up(totals: Group, facts: Facts) -> bool:
    exclusive, lines = amount(totals, "cbc:TaxExclusiveAmount"), amount(totals, "cbc:LineExtensionAmount")
    charges, allowances = amount(totals, "cbc:ChargeTotalAmount"), amount(totals, "cbc:AllowanceTotalAmount")
    if exclusive is None or lines is None:
        return False
    if charges is None and allowances is None:
        return exclusive == lines
    return exclusive == cents(lines + (charges or ZERO) - (allowances or ZERO))


@TOTALS.rule(
    "BR-CO-16",
    "fatal",
    "BT-115",
    nl="Te betalen moet zijn: totaal met btw, min wat al betaald is, plus afronding.",
    fr="Le montant à payer doit être : le total TVA comprise, moins les acomptes, plus l'arrondi.",
    en="The amount to pay must be the total with VAT, less what was paid, plus rounding.",
)
def amount_to_pay_adds_up(totals: Group, facts: Facts) -> bool:
    payable, inclusive = amount(totals, "cbc:PayableAmount"), amount(totals, "cbc:TaxInclusiveAmount")
    prepaid, rounding = amount(totals, "cbc:PrepaidAmount"), amount(totals, "cbc:PayableRoundingAmount")
    if payable is None or inclusive is None:
        return False
    before_rounding = payable if rounding is None else cents(payable - rounding)
    return before_rounding == (inclusive if prepaid is None else cents(inclusive - prepaid))


_TWO_DECIMALS = {
    "BR-DEC-09": (
        "BT-106",
        "LineExtensionAmount",
        "de som van de lijnen",
        "la somme des lignes",
        "the sum of the lines",
    ),
    "BR-DEC-10": (
        "BT-107",
        "AllowanceTotalAmount",
        "het totaal van de kortingen",
        "le total des remises",
        "the total of the allowances",
    ),
    "BR-DEC-11": (
        "BT-108",
        "ChargeTotalAmount",
        "het totaal van de toeslagen",
        "le total des suppléments",
        "the total of the charges",
    ),
    "BR-DEC-12": (
        "BT-109",
        "TaxExclusiveAmount",
        "het totaal zonder btw",
        "le total hors TVA",
        "the total without VAT",
    ),
    "BR-DEC-14": (
        "BT-112",
        "TaxInclusiveAmount",
        "het totaal met btw",
        "le total TVA comprise",
        "the total with VAT",
    ),
    "BR-DEC-16": ("BT-113", "PrepaidAmount", "het al betaalde bedrag", "le montant déjà payé", "the amount paid"),
    "BR-DEC-17": ("BT-114", "PayableRoundingAmount", "de afronding", "l'arrondi", "the rounding"),
    "BR-DEC-18": ("BT-115", "PayableAmount", "het te betalen bedrag", "le montant à payer", "the amount to pay"),
}

for _rule, (_term, _name, _nl, _fr, _en) in _TWO_DECIMALS.items():
    TOTALS.rule(
        _rule,
        "fatal",
        _term,
        nl=f"Hoogstens twee decimalen voor {_nl}.",
        fr=f"Deux décimales au plus pour {_fr}.",
        en=f"No more than two decimals for {_en}.",
    )(two_decimals(f"cbc:{_name}"))

"""Peppol's arithmetic: allowances and charges, lines, prices."""

from decimal import Decimal

from koppel_ubl.checking.engine import Facts, Group, Node, Test, Value, cached_by_shape, cents

from .patterns import EVERYTHING
from .xpath import Path, decimal_or_none, figure, quotient

SLACK = Decimal("0.02")
_ZERO, _ONE, _HUNDREDTH = Decimal(0), Decimal(1), Decimal("0.01")

_PERCENT = Path("cbc:MultiplierFactorNumeric")
_BASE = Path("cbc:BaseAmount")
_AMOUNT = Path("cbc:Amount")
_INDICATOR = Path("cbc:ChargeIndicator")
_INVOICED = Path("cbc:InvoicedQuantity")
_CREDITED = Path("cbc:CreditedQuantity")
_PRICE_ALONE = Path("cbc:PriceAmount")
_REFERENCE = Path("cac:DocumentReference")
_REFERENCE_TYPE = Path("cac:DocumentReference/cbc:DocumentTypeCode")
_OWN_LINE = {False: "cac:InvoiceLine", True: "cac:CreditNoteLine"}


def _stands(percent: bool | None, base: bool | None) -> Test:
    """Take an allowance or charge of the document or of a line, with or without a percentage and a base."""

    def takes(node: Group, facts: Facts) -> bool:
        around = node.place.above
        of_line = around is not None and around.is_of_document and around.name == _OWN_LINE[facts.is_credit_note]
        if not of_line and not node.place.is_of_document:
            return False
        return percent is None or (_PERCENT.exists(node) is percent and _BASE.exists(node) is base)

    return takes


_percent_alone = EVERYTHING.on("cac:AllowanceCharge", where=_stands(percent=True, base=False))
_base_alone = EVERYTHING.on("cac:AllowanceCharge", where=_stands(percent=False, base=True))
_allowance_charge = EVERYTHING.on("cac:AllowanceCharge", where=_stands(percent=None, base=None))
_line = EVERYTHING.on("cac:InvoiceLine", "cac:CreditNoteLine")
_discount = EVERYTHING.on("cac:Price/cac:AllowanceCharge")


@_percent_alone.rule(
    "PEPPOL-EN16931-R041",
    "fatal",
    "BT-93",
    nl="Een korting of toeslag met een percentage heeft ook een basisbedrag nodig.",
    fr="Une remise ou un supplément en pourcentage demande aussi un montant de base.",
    en="An allowance or charge with a percentage needs a base amount too.",
)
def percentage_has_base(node: Node, facts: Facts) -> bool:
    return False


@_base_alone.rule(
    "PEPPOL-EN16931-R042",
    "fatal",
    "BT-94",
    nl="Een korting of toeslag met een basisbedrag heeft ook een percentage nodig.",
    fr="Une remise ou un supplément avec un montant de base demande aussi un pourcentage.",
    en="An allowance or charge with a base amount needs a percentage too.",
)
def base_has_percentage(node: Node, facts: Facts) -> bool:
    return False


@_allowance_charge.rule(
    "PEPPOL-EN16931-R040",
    "fatal",
    "BT-92",
    nl="Het bedrag van de korting of toeslag is niet het basisbedrag maal het percentage.",
    fr="Le montant de la remise ou du supplément n'est pas la base multipliée par le pourcentage.",
    en="The amount of the allowance or charge is not its base times its percentage.",
)
def amount_is_share_of_base(group: Group, facts: Facts) -> bool:
    base, percent = figure(group, "cbc:BaseAmount"), figure(group, "cbc:MultiplierFactorNumeric")
    if base is None or percent is None:
        return True
    amount = figure(group, "cbc:Amount", _ZERO)
    return amount is None or abs(amount - base * percent * _HUNDREDTH) <= SLACK


@_allowance_charge.rule(
    "PEPPOL-EN16931-R043",
    "fatal",
    "BG-20",
    nl="ChargeIndicator moet 'true' of 'false' zijn, niet 1 of 0.",
    fr="ChargeIndicator doit valoir « true » ou « false », pas 1 ou 0.",
    en="ChargeIndicator must be 'true' or 'false', not 1 or 0.",
)
def indicator_is_a_word(node: Group, facts: Facts) -> bool:
    return _INDICATOR.value(node) in {"true", "false"}


@_line.rule(
    "PEPPOL-EN16931-R120",
    "fatal",
    "BT-131",
    nl="Het nettobedrag van de lijn is niet hoeveelheid maal prijs, plus toeslagen, min kortingen.",
    fr="Le montant net de la ligne n'est pas quantité fois prix, plus suppléments, moins remises.",
    en="The net amount of the line is not quantity times price, plus charges, less allowances.",
)
def net_amount_fits(line: Group, facts: Facts) -> bool:
    net = figure(line, "cbc:LineExtensionAmount", _ZERO)
    quantity = figure(line, "cbc:CreditedQuantity" if facts.is_credit_note else "cbc:InvoicedQuantity", _ONE)
    price, base = _of_price(line, "cbc:PriceAmount", _ZERO), _of_price(line, "cbc:BaseQuantity", _ONE)
    if net is None or quantity is None or price is None or base is None:
        return True
    expected = quantity * (price if base in (_ONE, _ZERO) else quotient(price, base))
    if "cac:AllowanceCharge" in line.shape.positions:
        expected += _charges_less_allowances(line)
    return abs(net - expected) <= SLACK


def _of_price(line: Group, name: str, default: Decimal) -> Decimal | None:
    for at in line.shape.positions.get("cac:Price", ()):
        price: Group = line[at]
        if name in price.shape.positions:
            return figure(price, name)
    return default


def _charges_less_allowances(line: Group) -> Decimal:
    """Return the charges of a line less its allowances, each added up and rounded once."""
    sums = {"true": _ZERO, "false": _ZERO}
    for group in line.groups("cac:AllowanceCharge"):
        indicator = _indicator(group)
        if indicator in sums:
            for each in group.values("cbc:Amount"):
                sums[indicator] += decimal_or_none(each) or _ZERO
    return cents(sums["true"]) - cents(sums["false"])


@cached_by_shape
def _indicator(group: Group) -> str:
    return _INDICATOR.value(group)


@_line.rule(
    "PEPPOL-EN16931-R121",
    "fatal",
    "BT-149",
    nl="De basishoeveelheid van de prijs moet groter zijn dan nul.",
    fr="La quantité de base du prix doit être supérieure à zéro.",
    en="The base quantity of the price must be above zero.",
)
def base_quantity_is_positive(line: Group, facts: Facts) -> bool:
    base = _of_price(line, "cbc:BaseQuantity", _ONE)
    return base is None or base > 0


@_line.rule(
    "PEPPOL-EN16931-R100",
    "fatal",
    "BT-128",
    nl="Een lijn verwijst naar hoogstens één object.",
    fr="Une ligne renvoie à un seul objet au plus.",
    en="A line refers to one object at most.",
)
def one_object(line: Group, facts: Facts) -> bool:
    return _REFERENCE.count(line) <= 1


@_line.rule(
    "PEPPOL-EN16931-R101",
    "fatal",
    "BT-128",
    nl="De documentverwijzing op een lijn is alleen voor het gefactureerde object (type 130).",
    fr="La référence de document d'une ligne ne sert qu'à l'objet facturé (type 130).",
    en="The document reference of a line is only for the invoiced object (type 130).",
)
def reference_is_an_object(line: Group, facts: Facts) -> bool:
    return not _REFERENCE.exists(line) or "130" in _REFERENCE_TYPE.texts(line)


@_discount.rule(
    "PEPPOL-EN16931-R044",
    "fatal",
    "BT-147",
    nl="Bij de prijs mag alleen een korting staan, geen toeslag.",
    fr="Le prix ne peut porter qu'une remise, pas un supplément.",
    en="The price may carry an allowance, not a charge.",
)
def price_has_no_charge(node: Group, facts: Facts) -> bool:
    return _INDICATOR.value(node) == "false"


@_discount.rule(
    "PEPPOL-EN16931-R046",
    "fatal",
    "BT-146",
    nl="De nettoprijs is niet de brutoprijs min de korting.",
    fr="Le prix net n'est pas le prix brut moins la remise.",
    en="The net price is not the gross price less the discount.",
)
def net_price_fits(node: Group, facts: Facts) -> bool:
    base = _BASE.first(node)
    if base is None:
        return True
    price = node.parent
    gross, discount = decimal_or_none(base), _AMOUNT.first(node)
    net = None if price is None else _PRICE_ALONE.first(price)
    if discount is None or net is None:
        return False
    values = (decimal_or_none(net), gross, decimal_or_none(discount))
    if values[0] is None or values[1] is None or values[2] is None:
        return True
    return values[0] == values[1] - values[2]


def _has_unit(node: Value, facts: Facts) -> bool:
    return "unitCode" in node.attributes and node.place.is_below("cac:Price")


_base_quantity = EVERYTHING.on("cbc:BaseQuantity", where=_has_unit)


@_base_quantity.rule(
    "PEPPOL-EN16931-R130",
    "fatal",
    "BT-150",
    nl="De eenheid van de basishoeveelheid is een andere dan die van de gefactureerde hoeveelheid.",
    fr="L'unité de la quantité de base diffère de celle de la quantité facturée.",
    en="The unit of the base quantity differs from that of the invoiced quantity.",
)
def units_agree(node: Value, facts: Facts) -> bool:
    line = node.group.parent
    if line is None:
        return True
    invoiced, credited = _INVOICED.first(line), _CREDITED.first(line)
    if invoiced is None and credited is None:
        return True
    quantity = credited if facts.is_credit_note else invoiced
    return quantity is not None and quantity.get("unitCode") == node.get("unitCode")

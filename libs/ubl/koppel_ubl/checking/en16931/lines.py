"""Rules about the lines: quantity, price, item, period."""

from koppel_ubl.checking.engine import Facts, Group, Value, is_not_negative

from .conditions import any_given, filled, given, two_decimals
from .document import ends_after_it_begins
from .rules import RULES
from .terms import is_vat

LINE = RULES.on("cac:InvoiceLine", "cac:CreditNoteLine")
LINE_PERIOD = RULES.on("cac:InvoiceLine/cac:InvoicePeriod", "cac:CreditNoteLine/cac:InvoicePeriod")
ATTRIBUTE = RULES.on("cac:AdditionalItemProperty")
STANDARD_ITEM = RULES.on(
    "cac:InvoiceLine/cac:Item/cac:StandardItemIdentification/cbc:ID",
    "cac:CreditNoteLine/cac:Item/cac:StandardItemIdentification/cbc:ID",
)
CLASSIFICATION = RULES.on(
    "cac:InvoiceLine/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode",
    "cac:CreditNoteLine/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode",
)

LINE.rule(
    "BR-21",
    "fatal",
    "BT-126",
    nl="Geef elke lijn een nummer.",
    fr="Donnez un numéro à chaque ligne.",
    en="Give every line a number.",
)(filled("cbc:ID"))

LINE.rule(
    "BR-22",
    "fatal",
    "BT-129",
    nl="Vermeld op elke lijn de hoeveelheid.",
    fr="Indiquez la quantité sur chaque ligne.",
    en="State the quantity on every line.",
)(any_given("cbc:InvoicedQuantity", "cbc:CreditedQuantity"))


@LINE.rule(
    "BR-23",
    "fatal",
    "BT-130",
    nl="Vermeld de eenheid bij de hoeveelheid van elke lijn.",
    fr="Indiquez l'unité de la quantité sur chaque ligne.",
    en="State the unit of the quantity on every line.",
)
def quantity_has_unit(line: Group, facts: Facts) -> bool:
    quantities = (*line.values("cbc:InvoicedQuantity"), *line.values("cbc:CreditedQuantity"))
    return any(quantity.get("unitCode") is not None for quantity in quantities)


LINE.rule(
    "BR-24",
    "fatal",
    "BT-131",
    nl="Vermeld op elke lijn het nettobedrag.",
    fr="Indiquez le montant net sur chaque ligne.",
    en="State the net amount on every line.",
)(given("cbc:LineExtensionAmount"))

LINE.rule(
    "BR-25",
    "fatal",
    "BT-153",
    nl="Vermeld op elke lijn de naam van het artikel.",
    fr="Indiquez le nom de l'article sur chaque ligne.",
    en="State the name of the item on every line.",
)(filled("cac:Item", "cbc:Name"))

LINE.rule(
    "BR-26",
    "fatal",
    "BT-146",
    nl="Vermeld op elke lijn de nettoprijs.",
    fr="Indiquez le prix net sur chaque ligne.",
    en="State the net price on every line.",
)(given("cac:Price", "cbc:PriceAmount"))


@LINE.rule(
    "BR-27",
    "fatal",
    "BT-146",
    nl="De nettoprijs mag niet negatief zijn; maak de hoeveelheid negatief.",
    fr="Le prix net ne peut être négatif ; mettez la quantité en négatif.",
    en="The net price may not be negative; make the quantity negative instead.",
)
def net_price_is_not_negative(line: Group, facts: Facts) -> bool:
    return any(is_not_negative(price) for price in line.elements("cac:Price", "cbc:PriceAmount"))


@LINE.rule(
    "BR-28",
    "fatal",
    "BT-148",
    nl="De brutoprijs mag niet negatief zijn.",
    fr="Le prix brut ne peut être négatif.",
    en="The gross price may not be negative.",
)
def gross_price_is_not_negative(line: Group, facts: Facts) -> bool:
    prices = line.elements("cac:Price", "cac:AllowanceCharge", "cbc:BaseAmount")
    return not prices or any(is_not_negative(price) for price in prices)


@LINE.rule(
    "BR-CO-04",
    "fatal",
    "BT-151",
    nl="Vermeld op elke lijn de btw-categorie.",
    fr="Indiquez la catégorie de TVA sur chaque ligne.",
    en="State the VAT category on every line.",
)
def line_has_vat_category(line: Group, facts: Facts) -> bool:
    categories = line.all("cac:Item", "cac:ClassifiedTaxCategory")
    return any(category.has("cbc:ID") and is_vat(category) for category in categories)


LINE.rule(
    "BR-DEC-23",
    "fatal",
    "BT-131",
    nl="Hoogstens twee decimalen voor het nettobedrag van een lijn.",
    fr="Deux décimales au plus pour le montant net d'une ligne.",
    en="No more than two decimals for the net amount of a line.",
)(two_decimals("cbc:LineExtensionAmount"))


@LINE_PERIOD.rule(
    "BR-30",
    "fatal",
    "BT-135",
    nl="De periode van een lijn eindigt niet voor ze begint.",
    fr="La période d'une ligne ne finit pas avant de commencer.",
    en="The period of a line does not end before it begins.",
)
def line_period_ends_after_it_begins(period: Group, facts: Facts) -> bool:
    return ends_after_it_begins(period)


LINE_PERIOD.rule(
    "BR-CO-20",
    "fatal",
    "BG-26",
    nl="De periode van een lijn heeft een begin of een einde.",
    fr="La période d'une ligne a un début ou une fin.",
    en="The period of a line has a start or an end.",
)(any_given("cbc:StartDate", "cbc:EndDate"))


@ATTRIBUTE.rule(
    "BR-54",
    "fatal",
    "BG-32",
    nl="Een kenmerk van een artikel heeft een naam en een waarde.",
    fr="Un attribut d'article a un nom et une valeur.",
    en="An attribute of an item has a name and a value.",
)
def attribute_has_name_and_value(attribute: Group, facts: Facts) -> bool:
    return attribute.has("cbc:Name") and attribute.has("cbc:Value")


@STANDARD_ITEM.rule(
    "BR-64",
    "fatal",
    "BT-157",
    nl="Vermeld het schema van het standaardnummer van het artikel (schemeID).",
    fr="Indiquez le schéma de l'identifiant standard de l'article (schemeID).",
    en="State the scheme of the standard number of the item (schemeID).",
)
def standard_number_has_scheme(number: Value, facts: Facts) -> bool:
    return number.get("schemeID") is not None


@CLASSIFICATION.rule(
    "BR-65",
    "fatal",
    "BT-158",
    nl="Vermeld uit welke lijst de classificatie van het artikel komt (listID).",
    fr="Indiquez de quelle liste vient la classification de l'article (listID).",
    en="State which list the classification of the item is from (listID).",
)
def classification_has_list(code: Value, facts: Facts) -> bool:
    return code.get("listID") is not None

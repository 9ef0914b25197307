"""Rules about allowances and charges, of the document and of a line: the same questions in four places."""

from koppel_ubl.checking.engine import Context, Facts, Group
from koppel_ubl.report import Sentence

from .conditions import any_given, given, two_decimals
from .rules import RULES
from .terms import is_charge, is_vat


def is_an_allowance(group: Group, facts: Facts) -> bool:
    return is_charge(group) is False


def is_a_charge(group: Group, facts: Facts) -> bool:
    return is_charge(group) is True


OF_DOCUMENT = ("/cac:AllowanceCharge",)
OF_LINE = ("cac:InvoiceLine/cac:AllowanceCharge", "cac:CreditNoteLine/cac:AllowanceCharge")

_DOCUMENT_ALLOWANCE = Sentence("een korting op de factuur", "une remise de la facture", "an allowance of the invoice")
_DOCUMENT_CHARGE = Sentence("een toeslag op de factuur", "un supplément de la facture", "a charge of the invoice")
_LINE_ALLOWANCE = Sentence("een korting op een lijn", "une remise de ligne", "an allowance of a line")
_LINE_CHARGE = Sentence("een toeslag op een lijn", "un supplément de ligne", "a charge of a line")


def has_vat_category(group: Group, facts: Facts) -> bool:
    categories = group.groups("cac:TaxCategory")
    return any(category.has("cbc:ID") and is_vat(category) for category in categories)


def _amount(context: Context, rule_id: str, term: str, what: Sentence) -> None:
    context.rule(
        rule_id,
        "fatal",
        term,
        nl=f"Vermeld het bedrag van {what.nl}.",
        fr=f"Indiquez le montant d'{what.fr}.",
        en=f"State the amount of {what.en}.",
    )(given("cbc:Amount"))


def _reason(context: Context, rule_ids: tuple[str, str], term: str, what: Sentence) -> None:
    """Require a reason under both its ids: the standard has it twice, as a rule and as a condition."""
    test = any_given("cbc:AllowanceChargeReason", "cbc:AllowanceChargeReasonCode")
    context.rule(
        rule_ids[0],
        "fatal",
        term,
        nl=f"Vermeld de reden van {what.nl}, als tekst of als code.",
        fr=f"Indiquez le motif d'{what.fr}, en texte ou en code.",
        en=f"State the reason of {what.en}, as text or as code.",
    )(test)
    context.rule(
        rule_ids[1],
        "fatal",
        term,
        nl=f"Voor {what.nl} is een tekst of een code als reden nodig, of allebei.",
        fr=f"Pour {what.fr}, il faut un motif en texte ou en code, ou les deux.",
        en=f"The reason of {what.en} is required as text, as code or as both.",
    )(test)


def _decimals(context: Context, rule_ids: tuple[str, str], terms: tuple[str, str], what: Sentence) -> None:
    context.rule(
        rule_ids[0],
        "fatal",
        terms[0],
        nl=f"Hoogstens twee decimalen voor het bedrag van {what.nl}.",
        fr=f"Deux décimales au plus pour le montant d'{what.fr}.",
        en=f"No more than two decimals for the amount of {what.en}.",
    )(two_decimals("cbc:Amount"))
    context.rule(
        rule_ids[1],
        "fatal",
        terms[1],
        nl=f"Hoogstens twee decimalen voor het basisbedrag van {what.nl}.",
        fr=f"Deux décimales au plus pour le montant de base d'{what.fr}.",
        en=f"No more than two decimals for the base amount of {what.en}.",
    )(two_decimals("cbc:BaseAmount"))


def _category(context: Context, rule_id: str, term: str, what: Sentence) -> None:
    context.rule(
        rule_id,
        "fatal",
        term,
        nl=f"Vermeld de btw-categorie van {what.nl}.",
        fr=f"Indiquez la catégorie de TVA d'{what.fr}.",
        en=f"State the VAT category of {what.en}.",
    )(has_vat_category)


DOCUMENT_ALLOWANCE = RULES.on(*OF_DOCUMENT, where=is_an_allowance)
_amount(DOCUMENT_ALLOWANCE, "BR-31", "BT-92", _DOCUMENT_ALLOWANCE)
_category(DOCUMENT_ALLOWANCE, "BR-32", "BT-95", _DOCUMENT_ALLOWANCE)
_reason(DOCUMENT_ALLOWANCE, ("BR-33", "BR-CO-21"), "BT-97, BT-98", _DOCUMENT_ALLOWANCE)
_decimals(DOCUMENT_ALLOWANCE, ("BR-DEC-01", "BR-DEC-02"), ("BT-92", "BT-93"), _DOCUMENT_ALLOWANCE)

DOCUMENT_CHARGE = RULES.on(*OF_DOCUMENT, where=is_a_charge)
_amount(DOCUMENT_CHARGE, "BR-36", "BT-99", _DOCUMENT_CHARGE)
_category(DOCUMENT_CHARGE, "BR-37", "BT-102", _DOCUMENT_CHARGE)
_reason(DOCUMENT_CHARGE, ("BR-38", "BR-CO-22"), "BT-104, BT-105", _DOCUMENT_CHARGE)
_decimals(DOCUMENT_CHARGE, ("BR-DEC-05", "BR-DEC-06"), ("BT-99", "BT-100"), _DOCUMENT_CHARGE)

LINE_ALLOWANCE = RULES.on(*OF_LINE, where=is_an_allowance)
_amount(LINE_ALLOWANCE, "BR-41", "BT-136", _LINE_ALLOWANCE)
_reason(LINE_ALLOWANCE, ("BR-42", "BR-CO-23"), "BT-139, BT-140", _LINE_ALLOWANCE)
_decimals(LINE_ALLOWANCE, ("BR-DEC-24", "BR-DEC-25"), ("BT-136", "BT-137"), _LINE_ALLOWANCE)

LINE_CHARGE = RULES.on(*OF_LINE, where=is_a_charge)
_amount(LINE_CHARGE, "BR-43", "BT-141", _LINE_CHARGE)
_reason(LINE_CHARGE, ("BR-44", "BR-CO-24"), "BT-144, BT-145", _LINE_CHARGE)
_decimals(LINE_CHARGE, ("BR-DEC-27", "BR-DEC-28"), ("BT-141", "BT-142"), _LINE_CHARGE)

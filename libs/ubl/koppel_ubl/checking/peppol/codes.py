"""Peppol's own code lists and formats: rules CL, P and F."""

from koppel_ubl.checking.engine import Facts, Group, Node, Test, Value, normalised

from .code_lists import (
    ALLOWANCE_REASONS,
    ATTACHMENT_TYPES,
    CHARGE_REASONS,
    CREDIT_NOTE_TYPES,
    CURRENCIES,
    ENDPOINT_SCHEMES,
    INVOICE_TYPES,
    PERIOD_CODES,
    SELF_BILLED_CREDIT_NOTE_TYPES,
    SELF_BILLED_INVOICE_TYPES,
)
from .document import AMOUNTS
from .patterns import CODES
from .xpath import Path, is_date, string

_INDICATOR = Path("cbc:ChargeIndicator")
_CATEGORY_ID = Path("cbc:ID")
_EXEMPTION_CODE = Path("cbc:TaxExemptionReasonCode")


def _has(attribute: str) -> Test:
    return lambda node, facts: attribute in node.attributes


def _of_indicator(indicator: str) -> Test:
    return lambda node, facts: indicator in _INDICATOR.texts(node.group)


_attachment = CODES.on("cbc:EmbeddedDocumentBinaryObject", where=_has("mimeCode"))
_allowance_reason = CODES.on("cac:AllowanceCharge/cbc:AllowanceChargeReasonCode", where=_of_indicator("false"))
_charge_reason = CODES.on("cac:AllowanceCharge/cbc:AllowanceChargeReasonCode", where=_of_indicator("true"))
_period_code = CODES.on("cac:InvoicePeriod/cbc:DescriptionCode")
_amount = CODES.on(*AMOUNTS, "cbc:TaxAmount")
_invoice_type = CODES.on("cbc:InvoiceTypeCode")
_credit_note_type = CODES.on("cbc:CreditNoteTypeCode")
_date = CODES.on(
    "cbc:IssueDate", "cbc:DueDate", "cbc:TaxPointDate", "cbc:StartDate", "cbc:EndDate", "cbc:ActualDeliveryDate"
)
_endpoint = CODES.on("cbc:EndpointID", where=_has("schemeID"))


@_attachment.rule(
    "PEPPOL-EN16931-CL001",
    "fatal",
    "BT-125",
    nl="Dit soort bijlage is niet toegelaten: alleen PDF, PNG, JPEG, CSV, XLSX en ODS.",
    fr="Ce type d'annexe n'est pas admis : seulement PDF, PNG, JPEG, CSV, XLSX et ODS.",
    en="This kind of attachment is not allowed: only PDF, PNG, JPEG, CSV, XLSX and ODS.",
)
def attachment_type_is_listed(node: Node, facts: Facts) -> bool:
    return node.get("mimeCode") in ATTACHMENT_TYPES


@_allowance_reason.rule(
    "PEPPOL-EN16931-CL002",
    "fatal",
    "BT-98",
    nl="De reden van de korting staat niet in de lijst UNCL 5189.",
    fr="Le motif de la remise n'est pas dans la liste UNCL 5189.",
    en="The reason of the allowance is not in list UNCL 5189.",
)
def allowance_reason_is_listed(node: Node, facts: Facts) -> bool:
    return normalised(string(node)) in ALLOWANCE_REASONS


@_charge_reason.rule(
    "PEPPOL-EN16931-CL003",
    "fatal",
    "BT-105",
    nl="De reden van de toeslag staat niet in de lijst UNCL 7161.",
    fr="Le motif du supplément n'est pas dans la liste UNCL 7161.",
    en="The reason of the charge is not in list UNCL 7161.",
)
def charge_reason_is_listed(node: Node, facts: Facts) -> bool:
    return normalised(string(node)) in CHARGE_REASONS


@_period_code.rule(
    "PEPPOL-EN16931-CL006",
    "fatal",
    "BT-8",
    nl="De code voor het btw-tijdstip moet 3, 35 of 432 zijn.",
    fr="Le code d'exigibilité de la TVA doit être 3, 35 ou 432.",
    en="The code of the VAT point date must be 3, 35 or 432.",
)
def period_code_is_listed(node: Node, facts: Facts) -> bool:
    return normalised(string(node)) in PERIOD_CODES


@_amount.rule(
    "PEPPOL-EN16931-CL007",
    "fatal",
    "BT-5",
    nl="De munt van dit bedrag is geen code van ISO 4217.",
    fr="La devise de ce montant n'est pas un code ISO 4217.",
    en="The currency of this amount is not an ISO 4217 code.",
)
def currency_is_listed(node: Node, facts: Facts) -> bool:
    return node.get("currencyID") in CURRENCIES


@_invoice_type.rule(
    "PEPPOL-EN16931-P0100",
    "fatal",
    "BT-3",
    nl="Dit soort factuur hoort niet bij het bedrijfsproces.",
    fr="Ce type de facture n'est pas admis dans ce processus.",
    en="This type of invoice is not allowed in this business process.",
)
def invoice_type_fits(node: Node, facts: Facts) -> bool:
    if facts.context.is_self_billed:
        return facts.context.profile != "01" or normalised(string(node)) in SELF_BILLED_INVOICE_TYPES
    return facts.context.profile is None or normalised(string(node)) in INVOICE_TYPES


@_invoice_type.rule(
    "PEPPOL-EN16931-P0112",
    "fatal",
    "BT-3",
    nl="Een deelfactuur (326) of verbeterde factuur (384) mag alleen tussen twee Duitse partijen.",
    fr="Une facture partielle (326) ou rectificative (384) n'est admise qu'entre deux parties allemandes.",
    en="A partial (326) or corrected (384) invoice is only for two German parties.",
)
def german_types_are_german(node: Node, facts: Facts) -> bool:
    return (
        facts.context.is_self_billed or normalised(string(node)) not in {"326", "384"} or facts.context.is_between("DE")
    )


@_credit_note_type.rule(
    "PEPPOL-EN16931-P0101",
    "fatal",
    "BT-3",
    nl="Dit soort creditnota hoort niet bij het bedrijfsproces.",
    fr="Ce type de note de crédit n'est pas admis dans ce processus.",
    en="This type of credit note is not allowed in this business process.",
)
def credit_note_type_fits(node: Node, facts: Facts) -> bool:
    if facts.context.is_self_billed:
        return facts.context.profile != "01" or normalised(string(node)) in SELF_BILLED_CREDIT_NOTE_TYPES
    return facts.context.profile is None or normalised(string(node)) in CREDIT_NOTE_TYPES


@_date.rule(
    "PEPPOL-EN16931-F001",
    "fatal",
    "BT-2",
    nl="Schrijf de datum als JJJJ-MM-DD, zonder tijdzone.",
    fr="Écrivez la date sous la forme AAAA-MM-JJ, sans fuseau horaire.",
    en="Write the date as YYYY-MM-DD, without time zone.",
)
def date_has_its_form(node: Value, facts: Facts) -> bool:
    return node.token.is_plain or is_date(string(node))


@_endpoint.rule(
    "PEPPOL-EN16931-CL008",
    "fatal",
    "BT-34",
    nl="Het schema van dit elektronische adres staat niet in de lijst van Peppol.",
    fr="Le schéma de cette adresse électronique n'est pas dans la liste de Peppol.",
    en="The scheme of this electronic address is not in Peppol's list.",
)
def endpoint_scheme_is_listed(node: Node, facts: Facts) -> bool:
    return node.get("schemeID") in ENDPOINT_SCHEMES


_TIED = {
    "VATEX-EU-G": ("PEPPOL-EN16931-P0104", "G"),
    "VATEX-EU-O": ("PEPPOL-EN16931-P0105", "O"),
    "VATEX-EU-IC": ("PEPPOL-EN16931-P0106", "K"),
    "VATEX-EU-AE": ("PEPPOL-EN16931-P0107", "AE"),
    "VATEX-EU-D": ("PEPPOL-EN16931-P0108", "E"),
    "VATEX-EU-F": ("PEPPOL-EN16931-P0109", "E"),
    "VATEX-EU-I": ("PEPPOL-EN16931-P0110", "E"),
    "VATEX-EU-J": ("PEPPOL-EN16931-P0111", "E"),
}
"""Reasons for exemption that go with one VAT category only, each with its rule."""


def _has_tied_reason(node: Group, facts: Facts) -> bool:
    return _reason(node) in _TIED


def _reason(node: Group) -> str:
    return _EXEMPTION_CODE.text(node).upper()


_exempted = CODES.on("cac:TaxCategory", where=_has_tied_reason)


def _goes_with(reason: str, category: str) -> Test:
    return lambda node, facts: _reason(node) != reason or _CATEGORY_ID.value(node) == category


for _code, (_rule, _category) in _TIED.items():
    _exempted.rule(
        _rule,
        "fatal",
        "BT-121",
        nl=f"De vrijstellingsreden {_code} hoort bij btw-categorie {_category}.",
        fr=f"Le motif d'exonération {_code} va avec la catégorie de TVA {_category}.",
        en=f"The exemption reason {_code} goes with VAT category {_category}.",
    )(_goes_with(_code, _category))

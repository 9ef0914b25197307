"""Elements of UBL that EN 16931 does not use (UBL-CR-…), and attributes it does not use (from UBL-DT-08).

``restrictions.txt`` holds the places, one a line behind the number of their rule: ``/`` begins at the document, ``//`` anywhere,
``/line`` is a line of an invoice or credit note, ``@name`` an attribute. They are warnings: a receiver may ignore what is there.
"""

from importlib.resources import files

from koppel_ubl.checking.engine import EVERY_ELEMENT, Assertion, Facts, Group, Node, Test, Value, Violation
from koppel_ubl.report import Rule

from .rules import RULES

UNUSED_ATTRIBUTES = {
    "UBL-DT-08": "schemeName",
    "UBL-DT-09": "schemeAgencyName",
    "UBL-DT-10": "schemeDataURI",
    "UBL-DT-11": "schemeURI",
    "UBL-DT-12": "format",
    "UBL-DT-13": "unitCodeListIdentifier",
    "UBL-DT-14": "unitCodeListAgencyIdentifier",
    "UBL-DT-15": "unitCodeListAgencyName",
    "UBL-DT-16": "listAgencyName",
    "UBL-DT-17": "listName",
    "UBL-DT-18": "name",
    "UBL-DT-19": "languageID",
    "UBL-DT-20": "listURI",
    "UBL-DT-21": "listSchemeURI",
    "UBL-DT-22": "languageLocaleID",
    "UBL-DT-23": "uri",
    "UBL-DT-24": "currencyCodeListVersionID",
    "UBL-DT-25": "characterSetCode",
    "UBL-DT-26": "encodingCode",
    "UBL-DT-27": "schemeAgencyID",
    "UBL-DT-28": "listAgencyID",
    "UBL-CR-663": "unitCodeListID",
}
"""By rule; ``name`` is allowed at a code of a means of payment only."""


def _unused(rule_id: str, what: str) -> Rule:
    return RULES.declare(
        rule_id,
        "warning",
        "",
        nl=f"EN 16931 gebruikt {what} niet; de ontvanger mag het negeren.",
        fr=f"EN 16931 n'utilise pas {what} ; le destinataire peut l'ignorer.",
        en=f"EN 16931 does not use {what}; the receiver may ignore it.",
    )


_LINES = files(__package__).joinpath("restrictions.txt").read_text(encoding="ascii").splitlines()
PLACES = tuple(line.split(" ", 1)[1] for line in _LINES)


def _without(attribute: str) -> Test:
    return lambda value, facts: value.get(attribute) is None


for _line in _LINES:
    _number, _place = _line.split(" ", 1)
    _path, _, _attribute = _place.partition("@")
    _rule = _unused(f"UBL-CR-{_number}", _place.lstrip("/"))
    _paths = [
        path.removeprefix("//")
        for path in (
            [_path.replace("/line", name, 1) for name in ("/cac:InvoiceLine", "/cac:CreditNoteLine")]
            if _path.startswith("/line")
            else [_path]
        )
    ]
    if _attribute:
        RULES.on(*_paths).test(_rule)(_without(_attribute))
    else:
        RULES.forbid(_rule, *_paths)

_OF_ATTRIBUTE = {name: _unused(rule_id, f"@{name}") for rule_id, name in UNUSED_ATTRIBUTES.items()}


def _has_no_unused_attribute(node: Node, facts: Facts) -> bool:
    return not _unused_attributes(node, facts)


def _unused_attributes(node: Node, facts: Facts) -> list[Violation]:
    found = [
        Violation(_OF_ATTRIBUTE[name], node)
        for name in node.attributes
        if name in _OF_ATTRIBUTE and (name != "name" or node.place.name != "cbc:PaymentMeansCode")
    ]
    if isinstance(node, Value) and node.token.is_odd:
        found += (
            Violation(_OF_ATTRIBUTE[str(name)], element, offset=(0,))
            for element in node.element.iterdescendants()
            for name in element.attrib
            if name in _OF_ATTRIBUTE
        )
    return found


RULES.on(EVERY_ELEMENT).add(Assertion(_has_no_unused_attribute, _unused_attributes))

DOCUMENT = RULES.on("/")
SUPPORTING = RULES.on("cac:AdditionalDocumentReference")
VERSION = RULES.on("/cbc:UBLVersionID")


@VERSION.rule(
    "UBL-CR-002",
    "warning",
    "",
    nl="Een UBL-versie hoeft niet, en kan alleen 2.1 zijn.",
    fr="La version d'UBL est superflue, et ne peut être que 2.1.",
    en="A version of UBL is not needed, and can only be 2.1.",
)
def version_is_known(version: Value, facts: Facts) -> bool:
    return version.text == "2.1"


@DOCUMENT.rule(
    "UBL-CR-412",
    "warning",
    "BT-9",
    nl="De vervaldag van een factuur staat in DueDate; alleen een creditnota heeft hem bij de betaalwijze.",
    fr="L'échéance d'une facture figure dans DueDate ; seule une note de crédit la porte au moyen de paiement.",
    en="The due date of an invoice is in DueDate; only a credit note has it with the means of payment.",
)
def due_date_stands_with_the_document(document: Group, facts: Facts) -> bool:
    return facts.is_credit_note or not document.has("cac:PaymentMeans", "cbc:PaymentDueDate")


def _is_object(reference: Group) -> bool:
    return any(code.text == "130" for code in reference.values("cbc:DocumentTypeCode"))


@SUPPORTING.rule(
    "UBL-CR-665",
    "warning",
    "BT-122",
    nl="Een bijlage heeft geen schema bij haar nummer; alleen een gefactureerd object heeft dat.",
    fr="L'identifiant d'une annexe n'a pas de schéma ; seul un objet facturé en porte un.",
    en="The number of an attachment has no scheme; only that of an invoiced object has.",
)
def attachment_has_no_scheme(reference: Group, facts: Facts) -> bool:
    codes = [code.text for code in reference.values("cbc:DocumentTypeCode")]
    if codes and all(code == "130" for code in codes):
        return True
    return all(number.get("schemeID") is None for number in reference.values("cbc:ID"))


@SUPPORTING.rule(
    "UBL-CR-666",
    "fatal",
    "BT-18",
    nl="Een gefactureerd object (type 130) heeft geen bijlage.",
    fr="Un objet facturé (type 130) n'a pas d'annexe.",
    en="An invoiced object (type 130) has no attachment.",
)
def object_has_no_attachment(reference: Group, facts: Facts) -> bool:
    return not _is_object(reference) or not reference.has("cac:Attachment")


@SUPPORTING.rule(
    "UBL-CR-673",
    "fatal",
    "BT-18",
    nl="Een gefactureerd object (type 130) heeft geen omschrijving.",
    fr="Un objet facturé (type 130) n'a pas de description.",
    en="An invoiced object (type 130) has no description.",
)
def object_has_no_description(reference: Group, facts: Facts) -> bool:
    return not _is_object(reference) or not reference.has("cbc:DocumentDescription")

"""The structure of UBL 2.1: order, number and values of elements, with the same result as its schema.

No schema file is needed: ``ubl-2.1.txt`` is a table of our own. Where libxml2 reports "this element is not expected", a
finding names what must come before what. The ids of these rules are ours, as the schema has none.
"""

from typing import Final

from lxml import etree

from koppel_ubl.checking.engine import (
    Assertion,
    DocumentContext,
    Facts,
    Group,
    Layer,
    Node,
    Place,
    RuleSet,
    Value,
    Violation,
)

from . import sentences
from .table import ELEMENTS, Kind
from .values import is_language

FINDINGS_MAX = 200
"""In one document; a document that is wrong everywhere needs no more."""
_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_ALWAYS = frozenset({f"{_SCHEMA_INSTANCE}schemaLocation", f"{_SCHEMA_INSTANCE}noNamespaceSchemaLocation"})
_EXTENSIONS = "{urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2}"
_SPACES = " \t\r\n"

RULES = RuleSet("structure")

ORDER = RULES.declare(
    "KOPPEL-ORDER",
    "fatal",
    "",
    nl="Dit element staat op de verkeerde plaats.",
    fr="Cet élément n'est pas à sa place.",
    en="This element is in the wrong place.",
)
UNKNOWN = RULES.declare(
    "KOPPEL-UNKNOWN",
    "fatal",
    "",
    nl="Dit element bestaat hier niet in UBL 2.1.",
    fr="Cet élément n'existe pas ici en UBL 2.1.",
    en="This element does not exist here in UBL 2.1.",
)
TOO_MANY = RULES.declare(
    "KOPPEL-TOO-MANY",
    "fatal",
    "",
    nl="Dit element mag hier maar één keer staan.",
    fr="Cet élément ne peut figurer ici qu'une fois.",
    en="This element may occur here only once.",
)
MISSING = RULES.declare(
    "KOPPEL-MISSING",
    "fatal",
    "",
    nl="Een verplicht element ontbreekt.",
    fr="Un élément obligatoire manque.",
    en="A required element is missing.",
)
TEXT = RULES.declare(
    "KOPPEL-TEXT",
    "fatal",
    "",
    nl="Tussen de elementen staat tekst die daar niet hoort.",
    fr="Du texte figure entre les éléments, où il n'a pas sa place.",
    en="There is text between the elements, where it does not belong.",
)
VALUE = RULES.declare(
    "KOPPEL-FORMAT",
    "fatal",
    "",
    nl="Deze waarde heeft niet de vorm die UBL vereist.",
    fr="Cette valeur n'a pas la forme exigée par UBL.",
    en="This value does not have the form that UBL requires.",
)
ATTRIBUTE = RULES.declare(
    "KOPPEL-ATTRIBUTE",
    "fatal",
    "",
    nl="Een attribuut van dit element klopt niet.",
    fr="Un attribut de cet élément est incorrect.",
    en="An attribute of this element is wrong.",
)
_BEHIND_ALL: Final = (1 << 30,)


def _group(group: Group, kind: Kind) -> list[Violation]:
    """Return what is wrong with the children of an element that holds elements, and with its attributes."""
    shape, found = group.shape, _attributes(group, kind)
    if -1 in shape.stray:
        found.append(Violation(TEXT, group, found=_stripped(group.element.text)))
    parts, last, times = kind.parts, -1, 0
    seen: set[str] = set()
    for at, part in enumerate(shape.parts):
        tag = part.place.tag
        if len(found) > FINDINGS_MAX:
            break
        if at in shape.stray:
            found.append(Violation(TEXT, group.child(at), found=_stripped(group.element[at].tail), offset=(at,)))
        known = parts.get(tag)
        if known is None:
            found.append(Violation(UNKNOWN, group.child(at), sentences.unknown(tag, group.place.tag), offset=(at,)))
            continue
        place, many, _ = known
        if place > last:
            last, times = place, 1
        elif place == last:
            times += 1
            if times > many:
                found.append(Violation(TOO_MANY, group.child(at), offset=(at,)))
        else:
            before = sentences.before(tag, shape.parts[at - 1].place.tag)
            found.append(Violation(ORDER, group.child(at), before, offset=(at,)))
        seen.add(tag)
    found += (
        Violation(MISSING, group, sentences.missing(tag, group.place.tag), offset=_BEHIND_ALL)
        for tag in kind.required
        if tag not in seen
    )
    return found


def _value(node: Node, kind: Kind) -> list[Violation]:
    """Return what is wrong with a value; the tree has a value of another namespace as a group, with or without elements."""
    found = _attributes(node, kind)
    if isinstance(node, Group) and len(node):
        first = node.child(0)
        return [*found, Violation(UNKNOWN, first, sentences.unknown(first.place.tag, node.place.tag), offset=(0,))]
    if isinstance(node, Value) and node.token.is_odd:
        first_element = node.element[0]
        message = sentences.unknown(str(first_element.tag), node.place.tag)
        return [*found, Violation(UNKNOWN, first_element, message, offset=(0,))]
    if not _is_written_well(node, kind):
        found.append(Violation(VALUE, node, sentences.expected(kind.name), found=node.element.text))
    return found


def _is_written_well(node: Node, kind: Kind) -> bool:
    if kind.is_written_well is None:
        return True
    if isinstance(node, Group):
        return kind.is_written_well(node.whole)
    token = node.token
    # A token already records whether these numbers and dates are written well: their text need not be read.
    if token.is_plain if kind.name == "Date" else token.is_number and kind.name not in sentences.KINDS:
        return True
    return kind.is_written_well(node.text)


def _open(group: Group) -> list[Violation]:
    """Return what is wrong with ``ExtensionContent``: it holds one element, of another namespace than that of extensions."""
    found = _attributes(group, _NO_ATTRIBUTES)
    if group.shape.stray:
        found.append(Violation(TEXT, group))
    namespaces = [
        part.place.tag.partition("}")[0] + "}" if part.place.tag[0] == "{" else "" for part in group.shape.parts
    ]
    if len(namespaces) != 1 or namespaces[0] in {"", _EXTENSIONS}:
        found.append(Violation(MISSING, group))
    return found


def _attributes(node: Node, kind: Kind) -> list[Violation]:
    found: list[Violation] = []
    for name, text in node.attributes.items():
        if name not in kind.attributes and name not in _ALWAYS and not _is_own_type(node, name, text, kind):
            found.append(Violation(ATTRIBUTE, node, sentences.unknown_attribute(name), node.get(name)))
        elif name == "languageID" and not is_language(text):
            found.append(Violation(ATTRIBUTE, node, found=text))
    found += (
        Violation(ATTRIBUTE, node, sentences.missing_attribute(name))
        for name in kind.required_attributes
        if name not in node.attributes
    )
    return found


_NO_ATTRIBUTES = Kind("")


def _is_own_type(node: Node, name: str, text: str, kind: Kind) -> bool:
    """Return whether an attribute is an ``xsi:type`` with the type that the element has anyway."""
    if name != f"{_SCHEMA_INSTANCE}type":
        return False
    prefix, _, local = text.strip(_SPACES).rpartition(":")
    own = etree.QName(node.place.tag)
    return node.element.nsmap.get(prefix or None) == own.namespace and local == (
        f"{own.localname}Type" if kind.is_value else kind.name
    )


def _stripped(text: str | None) -> str:
    return (text or "").strip(_SPACES)


_FOREIGN = Kind("", is_open=True)
"""What is in an element that UBL does not know: the schema is lax there, and checks only the elements it knows."""


def kind_at(place: Place) -> Kind | None:
    """Return what an element at a place holds; None where nothing may be, which is reported above it."""
    if "kind" not in place.compiled:
        place.compiled["kind"] = _kind(place)
    return place.compiled["kind"]  # type: ignore[return-value]  # this layer keeps its own there


def _kind(place: Place) -> Kind | None:
    around = None if place.above is None else kind_at(place.above)
    if place.above is None:
        return ELEMENTS[place.tag]
    if around is None or around.is_value:
        return None
    if around.is_open:
        return ELEMENTS.get(place.tag, _FOREIGN)
    return around.parts[place.tag][2] if place.tag in around.parts else None


def _assertions(place: Place, context: DocumentContext) -> tuple[Assertion, ...]:
    if "structure" not in place.compiled:
        kind = kind_at(place)
        place.compiled["structure"] = () if kind is None or kind is _FOREIGN else (_assertion(kind),)
    return place.compiled["structure"]  # type: ignore[return-value]  # the layer keeps its own there


def _assertion(kind: Kind) -> Assertion:
    def violations(node: Node, facts: Facts) -> list[Violation]:
        if kind.is_value:
            return _value(node, kind)
        assert isinstance(node, Group)
        return _open(node) if kind.is_open else _group(node, kind)

    return Assertion(lambda node, facts: not violations(node, facts), violations)


LAYER = Layer(
    "structure",
    RULES.by_id,
    _assertions,
    found=lambda rule, element: None,
    findings_max=FINDINGS_MAX,
    all_findings_max=FINDINGS_MAX,
)

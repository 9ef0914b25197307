"""The structure of UBL 2.1: order, number and values of elements, with a verdict equal to that of its schema.

No schema file is needed: ``ubl-2.1.txt`` is a table of our own. Where libxml2 would say "this element is not expected", a
finding says what must stand before what. The rules of this layer are ours, as the schema has none with names.
"""

from typing import Final

from lxml import etree

from koppel_ubl.checking.about import About
from koppel_ubl.checking.facts import Facts
from koppel_ubl.checking.layer import Layer
from koppel_ubl.checking.places import Place
from koppel_ubl.checking.question import Question, Said
from koppel_ubl.checking.report import Rule, Sentence
from koppel_ubl.checking.tree import Group, Node, Value

from . import sentences
from .table import ELEMENTS, Kind
from .values import is_language

FINDINGS_MAX = 200
"""In one document; a document that is wrong everywhere is told so often enough."""
_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_ALWAYS = frozenset({f"{_SCHEMA_INSTANCE}schemaLocation", f"{_SCHEMA_INSTANCE}noNamespaceSchemaLocation"})
_EXTENSIONS = "{urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2}"
_SPACES = " \t\r\n"

RULES: dict[str, Rule] = {}


def _rule(rule_id: str, nl: str, fr: str, en: str) -> Rule:
    RULES[rule_id] = rule = Rule(rule_id, "fatal", "structure", "", Sentence(nl, fr, en))
    return rule


ORDER = _rule(
    "KOPPEL-ORDER",
    "Dit element staat op de verkeerde plaats.",
    "Cet élément n'est pas à sa place.",
    "This element stands in the wrong place.",
)
UNKNOWN = _rule(
    "KOPPEL-UNKNOWN",
    "Dit element bestaat hier niet in UBL 2.1.",
    "Cet élément n'existe pas ici en UBL 2.1.",
    "This element does not exist here in UBL 2.1.",
)
TOO_MANY = _rule(
    "KOPPEL-TOO-MANY",
    "Dit element mag hier maar één keer staan.",
    "Cet élément ne peut figurer ici qu'une fois.",
    "This element may stand here only once.",
)
MISSING = _rule(
    "KOPPEL-MISSING",
    "Een verplicht element ontbreekt.",
    "Un élément obligatoire manque.",
    "A required element is missing.",
)
TEXT = _rule(
    "KOPPEL-TEXT",
    "Tussen de elementen staat tekst die daar niet hoort.",
    "Du texte figure entre les éléments, où il n'a pas sa place.",
    "Text stands between the elements, where it does not belong.",
)
VALUE = _rule(
    "KOPPEL-FORMAT",
    "Deze waarde is niet geschreven zoals UBL het vraagt.",
    "Cette valeur n'est pas écrite comme UBL le demande.",
    "This value is not written as UBL asks.",
)
ATTRIBUTE = _rule(
    "KOPPEL-ATTRIBUTE",
    "Een attribuut van dit element klopt niet.",
    "Un attribut de cet élément est incorrect.",
    "An attribute of this element is wrong.",
)
_BEHIND_ALL: Final = (1 << 30,)


def _group(group: Group, kind: Kind) -> list[Said]:
    """Say what is wrong with the children of an element that holds elements, and with its attributes."""
    shape, said = group.shape, _attributes(group, kind)
    if -1 in shape.stray:
        said.append(Said(TEXT, group, found=_stripped(group.element.text)))
    parts, last, times = kind.parts, -1, 0
    seen: set[str] = set()
    for at, part in enumerate(shape.parts):
        tag = part.place.tag
        if len(said) > FINDINGS_MAX:
            break
        if at in shape.stray:
            said.append(Said(TEXT, group.child(at), found=_stripped(group.element[at].tail), behind=(at,)))
        known = parts.get(tag)
        if known is None:
            said.append(Said(UNKNOWN, group.child(at), sentences.unknown(tag, group.place.tag), behind=(at,)))
            continue
        place, many, _ = known
        if place > last:
            last, times = place, 1
        elif place == last:
            times += 1
            if times > many:
                said.append(Said(TOO_MANY, group.child(at), behind=(at,)))
        else:
            before = sentences.before(tag, shape.parts[at - 1].place.tag)
            said.append(Said(ORDER, group.child(at), before, behind=(at,)))
        seen.add(tag)
    said += (
        Said(MISSING, group, sentences.missing(tag, group.place.tag), behind=_BEHIND_ALL)
        for tag in kind.required
        if tag not in seen
    )
    return said


def _value(node: Node, kind: Kind) -> list[Said]:
    """Say what is wrong with a value; one of a namespace of its own is a group to the tree."""
    said = _attributes(node, kind)
    if isinstance(node, Group) and node:
        first = node.child(0)
        return [*said, Said(UNKNOWN, first, sentences.unknown(first.place.tag, node.place.tag), behind=(0,))]
    if isinstance(node, Value) and node.token.is_odd:
        first_element = node.element[0]
        about = sentences.unknown(str(first_element.tag), node.place.tag)
        return [*said, Said(UNKNOWN, first_element, about, behind=(0,))]
    if not _is_written_well(node, kind):
        said.append(Said(VALUE, node, sentences.expected(kind.name), found=node.element.text))
    return said


def _is_written_well(node: Node, kind: Kind) -> bool:
    if kind.is_written_well is None:
        return True
    if isinstance(node, Group):
        return kind.is_written_well(node.whole)
    token = node.token
    # What a token tells of numbers and dates is what the kinds of their places ask: these need not be read.
    if token.is_plain if kind.name == "Date" else token.is_number and kind.name not in sentences.KINDS:
        return True
    return kind.is_written_well(node.text)


def _open(group: Group) -> list[Said]:
    """Judge ``ExtensionContent``: one element of a namespace that is not that of the extensions themselves."""
    said = _attributes(group, _NO_ATTRIBUTES)
    if group.shape.stray:
        said.append(Said(TEXT, group))
    namespaces = [
        part.place.tag.partition("}")[0] + "}" if part.place.tag[0] == "{" else "" for part in group.shape.parts
    ]
    if len(namespaces) != 1 or namespaces[0] in {"", _EXTENSIONS}:
        said.append(Said(MISSING, group))
    return said


def _attributes(node: Node, kind: Kind) -> list[Said]:
    said: list[Said] = []
    for name, text in node.attributes.items():
        if name not in kind.attributes and name not in _ALWAYS and not _is_own_type(node, name, text, kind):
            said.append(Said(ATTRIBUTE, node, sentences.unknown_attribute(name), node.get(name)))
        elif name == "languageID" and not is_language(text):
            said.append(Said(ATTRIBUTE, node, found=text))
    said += (
        Said(ATTRIBUTE, node, sentences.missing_attribute(name))
        for name in kind.required_attributes
        if name not in node.attributes
    )
    return said


_NO_ATTRIBUTES = Kind("")


def _is_own_type(node: Node, name: str, text: str, kind: Kind) -> bool:
    """Return whether an attribute is an ``xsi:type`` that says of an element what it is anyway."""
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
"""What stands in an element UBL does not know: the schema is lax there, and looks at what it does know."""


def kind_at(place: Place) -> Kind | None:
    """Return what an element at a place holds; None where the structure has said already that nothing stands there."""
    if "kind" not in place.asked:
        place.asked["kind"] = _kind(place)
    return place.asked["kind"]  # type: ignore[return-value]  # this layer keeps its own there


def _kind(place: Place) -> Kind | None:
    around = None if place.above is None else kind_at(place.above)
    if place.above is None:
        return ELEMENTS[place.tag]
    if around is None or around.is_value:
        return None
    if around.is_open:
        return ELEMENTS.get(place.tag, _FOREIGN)
    return around.parts[place.tag][2] if place.tag in around.parts else None


def _questions(place: Place, about: About) -> tuple[Question, ...]:
    if "structure" not in place.asked:
        kind = kind_at(place)
        place.asked["structure"] = () if kind is None or kind is _FOREIGN else (_question(kind),)
    return place.asked["structure"]  # type: ignore[return-value]  # the layer keeps its own there


def _question(kind: Kind) -> Question:
    def say(node: Node, facts: Facts) -> list[Said]:
        if kind.is_value:
            return _value(node, kind)
        assert isinstance(node, Group)
        return _open(node) if kind.is_open else _group(node, kind)

    return Question(lambda node, facts: not say(node, facts), say)


LAYER = Layer(
    "structure",
    RULES,
    _questions,
    found=lambda rule, element: None,
    findings_max=FINDINGS_MAX,
    all_findings_max=FINDINGS_MAX,
)

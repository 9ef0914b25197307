"""The structure of UBL 2.1: order, number and values of elements, with a verdict equal to that of its schema.

No schema file is needed: ``ubl-2.1.txt`` is a table of our own. Where libxml2 would say "this element is not expected", a
finding says what must stand before what. The rules of this layer are ours, as the schema has none with names.
"""

from collections.abc import Callable

from lxml import etree

from koppel_ubl.checking.layer import Layer, Subject, path_of
from koppel_ubl.checking.report import Finding, Rule, Sentence

from .table import ELEMENTS, Kind, short
from .values import is_language

FINDINGS_MAX = 200
"""In one document; a document that is wrong everywhere is told so often enough."""
_FOUND_CHARACTERS_MAX = 80
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
_KINDS = {
    "Date": Sentence("een datum JJJJ-MM-DD", "une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
    "Time": Sentence("een tijd UU:MM:SS", "une heure HH:MM:SS", "a time HH:MM:SS"),
    "Indicator": Sentence("true of false", "true ou false", "true or false"),
    "BinaryObject": Sentence("een bijlage in base64", "une annexe en base64", "an attachment in base64"),
}
_NUMBER = Sentence("een getal met een punt", "un nombre avec un point", "a number with a point")


class _Judge:
    """Walks one document."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def group(self, element: etree._Element, kind: Kind) -> None:
        """Judge an element that holds elements, and all below it."""
        if element.keys():
            self._attributes(element, kind)
        if element.text and element.text.strip(_SPACES):
            self._say(TEXT, element, element.text.strip())
        parts, at, times = kind.parts, -1, 0
        seen: list[str] = []
        for child in element:
            tag: str = child.tag  # type: ignore[assignment]  # safe_xml leaves no comments or instructions
            if child.tail and child.tail.strip(_SPACES):
                self._say(TEXT, child, child.tail.strip())
            known = parts.get(tag)
            if known is None:
                self._say(UNKNOWN, child, about=_here(child, element))
                continue
            place, many, below = known
            if place > at:
                at, times = place, 1
                seen.append(tag)
            elif place == at:
                times += 1
                if times > many:
                    self._say(TOO_MANY, child)
            else:
                self._say(ORDER, child, about=_before(child))
                seen.append(tag)
            self._holds(child, below)
        for tag in kind.required:
            if tag not in seen:
                self._say(MISSING, element, about=_missing(tag, element))

    def _holds(self, element: etree._Element, kind: Kind) -> None:
        if kind.is_value:
            self._value(element, kind)
        elif kind.is_open:
            self._open(element)
        else:
            self.group(element, kind)

    def _value(self, element: etree._Element, kind: Kind) -> None:
        if element.keys() != kind.required_attributes:
            self._attributes(element, kind)
        if len(element):
            self._say(UNKNOWN, element[0], about=_here(element[0], element))
        elif kind.is_written_well is not None and not kind.is_written_well(element.text or ""):
            expected = _KINDS.get(kind.name, _NUMBER)
            self._say(VALUE, element, element.text, about=_expected(expected))

    def _open(self, element: etree._Element) -> None:
        """Judge ``ExtensionContent``: one element of a namespace that is not that of the extensions themselves."""
        if element.attrib:
            self._attributes(element, _NO_ATTRIBUTES)
        if (element.text and element.text.strip(_SPACES)) or any(
            child.tail and child.tail.strip(_SPACES) for child in element
        ):
            self._say(TEXT, element)
        namespaces = [str(child.tag).partition("}")[0] + "}" if str(child.tag)[0] == "{" else "" for child in element]
        if len(namespaces) != 1 or namespaces[0] in {"", _EXTENSIONS}:
            self._say(MISSING, element)
        self._foreign(element)

    def _foreign(self, element: etree._Element) -> None:
        """Judge what stands in an element UBL does not know: the schema is lax there, and looks at what it does know."""
        for child in element:
            known = ELEMENTS.get(str(child.tag))
            if known is not None:
                self._holds(child, known)
            else:
                self._foreign(child)

    def _attributes(self, element: etree._Element, kind: Kind) -> None:
        for name, text in element.attrib.items():
            if (
                name not in kind.attributes
                and name not in _ALWAYS
                and not _is_own_type(element, str(name), str(text), kind)
            ):
                self._say(ATTRIBUTE, element, str(text), about=_unknown_attribute(str(name)))
            elif name == "languageID" and not is_language(str(text)):
                self._say(ATTRIBUTE, element, str(text))
        for name in kind.required_attributes:
            if name not in element.attrib:
                self._say(ATTRIBUTE, element, about=_missing_attribute(name))

    def _say(
        self,
        rule: Rule,
        element: etree._Element,
        found: str | None = None,
        *,
        about: Callable[[], Sentence] | None = None,
    ) -> None:
        if len(self.findings) >= FINDINGS_MAX:
            return
        message = rule.sentence if about is None else about()
        if found is not None and len(found) > _FOUND_CHARACTERS_MAX:
            found = found[: _FOUND_CHARACTERS_MAX - 1] + "…"
        where = (path_of(element), element.sourceline)
        self.findings.append(Finding(rule.id, rule.severity, rule.layer, rule.term, message, *where, found))


_NO_ATTRIBUTES = Kind("")


def _is_own_type(element: etree._Element, name: str, text: str, kind: Kind) -> bool:
    """Return whether an attribute is an ``xsi:type`` that says of an element what it is anyway."""
    if name != f"{_SCHEMA_INSTANCE}type":
        return False
    prefix, _, local = text.strip(_SPACES).rpartition(":")
    own = etree.QName(element)
    return element.nsmap.get(prefix or None) == own.namespace and local == (
        f"{own.localname}Type" if kind.is_value else kind.name
    )


def _here(child: etree._Element, parent: etree._Element) -> Callable[[], Sentence]:
    name, around = short(child), short(parent)
    return lambda: Sentence(
        f"{name} bestaat niet in {around}.",
        f"{name} n'existe pas dans {around}.",
        f"{name} does not exist in {around}.",
    )


def _before(child: etree._Element) -> Callable[[], Sentence]:
    def say() -> Sentence:
        name, other = short(child), child.getprevious()
        after = short(other) if other is not None else ""
        return Sentence(
            f"{name} moet vóór {after} staan.", f"{name} doit précéder {after}.", f"{name} must stand before {after}."
        )

    return say


def _missing(tag: str, parent: etree._Element) -> Callable[[], Sentence]:
    def say() -> Sentence:
        name, around = short(etree.Element(tag)), short(parent)
        return Sentence(f"{around} mist {name}.", f"Dans {around} manque {name}.", f"{around} lacks {name}.")

    return say


def _expected(what: Sentence) -> Callable[[], Sentence]:
    return lambda: Sentence(f"Hier hoort {what.nl}.", f"Il faut ici {what.fr}.", f"Here belongs {what.en}.")


def _unknown_attribute(name: str) -> Callable[[], Sentence]:
    return lambda: Sentence(
        f"Het attribuut {name} bestaat hier niet.",
        f"L'attribut {name} n'existe pas ici.",
        f"The attribute {name} does not exist here.",
    )


def _missing_attribute(name: str) -> Callable[[], Sentence]:
    return lambda: Sentence(
        f"Het attribuut {name} ontbreekt.", f"L'attribut {name} manque.", f"The attribute {name} is missing."
    )


def judge(subject: Subject) -> list[Finding]:
    """Return what is wrong with the structure of one document."""
    walk = _Judge()
    walk.group(subject.root, ELEMENTS[str(subject.root.tag)])
    return walk.findings


LAYER = Layer("structure", RULES, judge)

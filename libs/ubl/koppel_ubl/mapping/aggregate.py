"""What the tables are made of: aggregates of UBL with their elements as entries, each with the kind of value it holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from lxml import etree

CBC: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_NAMESPACES: Final = {"cbc": CBC, "cac": CAC}

# Kinds. Plain numbers, since the reader compares one for each element: an enum costs more than the work itself.
TEXT: Final = 0
"""A text; None where it is blank."""
AMOUNT: Final = 1
"""A number with the document's currency as ``currencyID``."""
NUMBER: Final = 2
"""A number without attributes."""
DAY: Final = 3
"""A calendar date."""
IDENTIFIER: Final = 4
"""A text with the scheme it belongs to."""
TEXTS: Final = 5
"""A text that may be repeated."""
JOINED: Final = 6
"""A text that may be repeated, and is one text to us."""
WITH_ATTRIBUTES: Final = 7
"""A text or number with attributes that are fields of their own."""
TRUTH: Final = 8
"""True or false."""
BYTES: Final = 9
"""Base64 with a MIME type and a file name."""
SOLE: Final = 10
"""An aggregate of which one text counts: ``cac:Country/cbc:IdentificationCode``."""
INTO: Final = 11
"""An aggregate whose elements fill fields of the one around it."""
ONE: Final = 12
"""An aggregate that is a value of its own."""
MANY: Final = 13
"""An aggregate that may be repeated."""

Values: TypeAlias = dict[str, Any]


class Notes(Protocol):
    """Where the functions that make objects record what they leave out."""

    def skip(self, element: etree._Element) -> None:
        """Note an element that is left out."""

    def skip_below(self, element: etree._Element, *tags: str) -> None:
        """Note the children with these tags."""


Make: TypeAlias = Callable[[Values, etree._Element, Notes], Any]
Unmake: TypeAlias = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of an aggregate."""

    name: str
    """With the usual prefix: ``cbc:ID``."""
    kind: int
    field: str
    inner: "Aggregate | None" = None
    attributes: tuple[tuple[str, str], ...] = ()
    """Attribute and field; of WITH_ATTRIBUTES and IDENTIFIER (there the attributes a scheme is taken from)."""
    is_number: bool = False
    is_read_only: bool = False
    """An older spelling that is read and never written."""
    is_required: bool = False
    """Whether the schema requires it in its aggregate."""

    @property
    def tag(self) -> str:
        """The name as lxml has it: ``{namespace}ID``."""
        return qualified(self.name)


@dataclass(frozen=True)
class Aggregate:
    """An aggregate: its elements in the order of the schema, and what is made of them."""

    entries: Sequence[Entry]
    make: Make
    """From values gathered to the object; without one of ours, a dictionary stays a dictionary."""
    unmake: Unmake
    table: Mapping[str, "tuple[int, str, Aggregate | None, Entry]"] = field(init=False)
    """By tag: kind, field, inner aggregate, and the entry itself; a tuple, since unpacking one is what costs least."""
    entry_of: "Callable[[str], tuple[int, str, Aggregate | None, Entry] | None]" = field(init=False)
    """Looks a tag up in the table."""
    fields: frozenset[str] = field(init=False)
    first_tag: str = field(init=False)

    def __post_init__(self) -> None:
        table = {entry.tag: (entry.kind, entry.field, entry.inner, entry) for entry in self.entries}
        object.__setattr__(self, "first_tag", self.entries[0].tag)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "entry_of", table.get)
        inner = [entry.inner.fields for entry in self.entries if entry.kind == INTO and entry.inner is not None]
        own = {entry.field for entry in self.entries if entry.kind != INTO}
        object.__setattr__(self, "fields", frozenset(own).union(*inner))


def qualified(name: str) -> str:
    """Return ``cbc:ID`` as ``{namespace}ID``."""
    prefix, _, local = name.partition(":")
    return _NAMESPACES[prefix] + local


def aggregate(*entries: Entry, make: Make | None = None, unmake: Unmake | None = None) -> Aggregate:
    """Return an aggregate; without ``make`` its values stay as they are."""
    return Aggregate(entries, make or _values, unmake or _mapping)


def aggregate_of(model: type[Any], *entries: Entry, make: Make | None = None) -> Aggregate:
    """Return the aggregate of a dataclass whose fields are named as the entries are."""
    names = [one.name for one in fields(model)]
    repeated = [entry.field for entry in entries if entry.kind in {MANY, TEXTS}]

    def made(values: Values, _element: etree._Element, _notes: Notes) -> Any:
        for name in repeated:
            if name in values:
                values[name] = tuple(values[name])
        one = _new(model)  # as built() does: a call less, for what a document holds most of
        _set(one, "__dict__", values)
        return one

    return Aggregate(entries, make or made, lambda one: {name: getattr(one, name) for name in names})


Model = TypeVar("Model")
_new, _set = object.__new__, object.__setattr__


def built(model: type[Model], values: Values) -> Model:
    """Return an object of a dataclass that has ``values`` as its fields, and its defaults for the others.

    Does what ``model(**values)`` does in a tenth of the time, which is most of what reading a document would cost:
    a frozen dataclass sets its fields one by one; this one takes over the dictionary, and a default is found in the class.
    """
    one = _new(model)
    _set(one, "__dict__", values)
    return one


def text(name: str, field: str, *, read_only: bool = False) -> Entry:
    """A text, once."""
    return Entry(name, TEXT, field, is_read_only=read_only)


def joined(name: str, field: str) -> Entry:
    """One text out of several, a blank between them."""
    return Entry(name, JOINED, field)


def texts(name: str, field: str) -> Entry:
    """Texts, blank ones left out."""
    return Entry(name, TEXTS, field)


def amount(name: str, field: str) -> Entry:
    """An amount in the document's currency."""
    return Entry(name, AMOUNT, field)


def number(name: str, field: str, *, read_only: bool = False) -> Entry:
    """A number."""
    return Entry(name, NUMBER, field, is_read_only=read_only)


def number_with(name: str, field: str, /, **attributes: str) -> Entry:
    """A number; ``attributes`` maps attributes to fields."""
    return Entry(name, WITH_ATTRIBUTES, field, attributes=tuple(attributes.items()), is_number=True)


def text_with(name: str, field: str, /, **attributes: str) -> Entry:
    """A text; ``attributes`` maps attributes to fields."""
    return Entry(name, WITH_ATTRIBUTES, field, attributes=tuple(attributes.items()))


def day(name: str, field: str) -> Entry:
    """A date."""
    return Entry(name, DAY, field)


def truth(name: str, field: str) -> Entry:
    """True or false."""
    return Entry(name, TRUTH, field)


def identifier(name: str, field: str) -> Entry:
    """An identifier with its ``schemeID``."""
    return Entry(name, IDENTIFIER, field)


def into(name: str, inner: Aggregate, *, read_only: bool = False) -> Entry:
    """An aggregate whose elements fill fields of this one."""
    return Entry(name, INTO, "", inner, is_read_only=read_only)


def sole(name: str, inner: str, field: str, *, read_only: bool = False) -> Entry:
    """An aggregate of which only the text ``inner`` counts."""
    return Entry(name, SOLE, field, aggregate(text(inner, field)), is_read_only=read_only)


def one(name: str, field: str, inner: Aggregate) -> Entry:
    """An aggregate, once."""
    return Entry(name, ONE, field, inner)


def many(name: str, field: str, inner: Aggregate) -> Entry:
    """An aggregate that may be repeated."""
    return Entry(name, MANY, field, inner)


def embedded(name: str, field: str) -> Entry:
    """An embedded file, with its MIME type and name."""
    return Entry(name, BYTES, field)


def required(entry: Entry) -> Entry:
    """Return the entry as one that the schema requires in its aggregate."""
    return replace(entry, is_required=True)


def _values(values: Values, _element: etree._Element, _notes: Notes) -> Values:
    return values


def _mapping(one: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = one
    return found

"""Places, tokens and shapes, and the memory that keeps them from one document to the next.

* A *place* is a path of names, such as ``/cac:InvoiceLine/cac:Item``; all invoices together have a few hundred.
* A *token* is a value without its text: its attributes, whether it is blank, whether it is a plain number. The text of a code
  belongs to the token, as there are few codes; file names and other free texts never do.
* A *shape* is a group without its free texts: the shapes and tokens of its children. Groups of one shape share one object.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, TypeVar, cast

from koppel_ubl import safe_xml

from .written import FINE, PLAIN, Writing, as_date, as_number, is_filled, is_plain_number, with_start, writing_at

INVOICE = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
KEPT_MAX = 100_000
"""Places, tokens, parts of shapes and steps of plans that are kept: 50 MB at most. The usual senders need a few thousand; a
hostile sender can invent any number, and has them made anew."""
KEPT_PARTS_MAX = 2_000
KEPT_CHARACTERS_MAX = 200
PREFIXES: Final = {
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext:",
}
FREE_ATTRIBUTES = frozenset({"filename"})
"""Attributes with a free text; a token records only that they are there."""
_NOTHING: frozenset[str] = frozenset()
_M = TypeVar("_M")
Attributes = Sequence[tuple[str, str]]


def short_name(tag: str) -> str:
    """Return ``cbc:ID`` for the Clark name lxml uses; names of other namespaces stay as they are."""
    namespace, bracket, local = tag[1:].partition("}")
    prefix = PREFIXES.get(namespace) if bracket else None
    return tag if prefix is None else prefix + local


class Token:
    """A value without its text.

    Attributes:
        is_known: whether the token holds the text: that of a code, or none at all.
        is_plain: whether the text is a plain number or date; ``is_number``: whether it is a well-written number.
        is_odd: whether the value has elements in it.
        start: the first two characters of a VAT number, which give its country; else empty.
        texts: how many texts it stands for: one or none.
    """

    __slots__ = ("attributes", "is_blank", "is_known", "is_number", "is_odd", "is_plain", "place", "start", "texts")
    below: frozenset[str] = frozenset()
    """The names of what is below it, as shapes have them."""

    def __init__(self, place: "Place", text: str | None, attributes: Attributes, is_odd: bool) -> None:
        written = None if text is None else place.writing(text)
        self.place = place
        self.attributes = {name: "" if name in FREE_ATTRIBUTES else value for name, value in attributes}
        self.is_blank = text is None or not is_filled(text)
        self.is_known = (text is None or place.writing is str) and not is_odd
        self.is_plain = not is_odd and written == PLAIN and place.writing in (as_number, as_date)
        self.is_number = not is_odd and place.writing is as_number and written in (PLAIN, FINE)
        self.is_odd = is_odd
        self.start = text[:2] if text is not None and place.writing is with_start else ""
        self.texts = int(text is not None)


class Shape:
    """A group without its free texts.

    Attributes:
        parts: the shapes of its groups and the tokens of its values, in the order of the document.
        numbers: by name, the index of its first value, if that is a well-written number.
        positions: by name, the indexes of its children; ``below``: the names of everything below it.
        stray: where text stands that does not belong: -1 for the group itself, else behind that child.
        plans: the plans of groups of this shape (``evaluation.py``), by the context of the document.
        known: other answers that are the same for all groups of this shape.
    """

    __slots__ = ("attributes", "below", "known", "numbers", "parts", "place", "plans", "positions", "stray", "texts")
    is_number = False
    """Tokens may be numbers, groups never are."""

    def __init__(self, place: "Place", parts: tuple[Any, ...], attributes: Attributes, stray: tuple[int, ...]) -> None:
        self.place = place
        self.parts = parts
        self.attributes = dict(attributes)
        self.stray = frozenset(stray)
        self.texts: int = sum(part.texts for part in parts)
        self.plans: dict[Hashable, Any] = {}
        self.known: dict[object, Any] = {}
        self.positions: dict[str, list[int]] = {}
        self.numbers: dict[str, int] = {}
        self.below: frozenset[str] = _NOTHING.union(*(part.below for part in parts))
        for at, part in enumerate(parts):
            name = part.place.name
            if name in self.positions:
                self.positions[name].append(at)
            else:
                self.positions[name] = [at]
                if part.is_number:
                    self.numbers[name] = at
        if not self.below.issuperset(self.positions):
            self.below = self.below.union(self.positions)


class Place:
    """Where elements stand: ``path`` has the names from below the root, ``/`` is the root itself; ``name`` is the last name.

    Attributes:
        above: the place around it; None for the root.
        is_of_document: whether it stands directly in the document.
        writing: what a token records of a text here; ``is_code``: the whole text; ``is_plain``: a quick test for plain
            numbers; ``is_free``: only whether it is blank.
        compiled: what each layer asserts here, under a key of its own.
    """

    __slots__ = (
        *(
            "above",
            "compiled",
            "depth",
            "has_file",
            "is_code",
            "is_free",
            "is_group",
            "is_of_document",
            "is_plain",
            "memory",
        ),
        *("name", "path", "places", "shapes", "tag", "tokens", "writing"),
    )

    def __init__(self, above: "Place | None", tag: str, path: str, name: str, memory: "Memory") -> None:
        self.above = above
        self.depth: int = 0 if above is None else above.depth + 1
        self.tag = tag
        self.path = path
        self.name = name
        self.memory = memory
        self.is_of_document = above is not None and above.above is None
        self.is_group = not name.startswith("cbc:")
        self.has_file = name.endswith("BinaryObject")
        self.writing: Writing = writing_at(path, name)
        self.is_code = self.writing is str
        self.is_free = self.writing is is_filled
        self.is_plain: Callable[[str], object] | None = is_plain_number if self.writing is as_number else None
        self.places: dict[str, Place] = {}
        self.tokens: dict[Hashable, Token] = {}
        self.shapes: dict[Hashable, Shape] = {}
        self.compiled: dict[object, object] = {}

    def child(self, tag: str) -> "Place":
        """Return the place of a child element with this (Clark) name.

        Raises:
            ReadError: ``too_deep``.
        """
        place = self.places.get(tag)
        if place is None:
            if self.depth >= safe_xml.DEPTH_MAX - 1:
                raise safe_xml.too_deep()
            name = short_name(tag)
            place = Place(self, tag, f"{self.path.rstrip('/')}/{name}", name, self.memory)
            if self.memory.has_room(1, len(tag)):
                self.places[tag] = place
        return place

    def token(self, key: Hashable, text: str | None, attributes: Attributes, *, is_odd: bool = False) -> Token:
        """Make the token of a value, and keep it under the key."""
        token = Token(self, text, attributes, is_odd)
        size = sum(len(name) + len(value) for name, value in token.attributes.items())
        if self.memory.has_room(1, size + (len(text or "") if token.is_known else 0)):
            self.tokens[key] = token
        return token

    def token_key(self, written: Hashable, attributes: Attributes) -> Hashable:
        """Return the key of a token with attributes: what it records of the text, and the attributes without free texts."""
        if self.has_file:
            attributes = [(name, "" if name in FREE_ATTRIBUTES else value) for name, value in attributes]
        return (written, *attributes)

    def shape(
        self, key: Hashable, parts: Sequence[Shape | Token], attributes: Attributes, stray: tuple[int, ...] = ()
    ) -> Shape:
        """Make the shape of a group, and keep it under the key."""
        shape = Shape(self, tuple(parts), attributes, stray)
        if self.memory.has_room(1 + len(parts), sum(len(name) + len(value) for name, value in attributes)):
            self.shapes[key] = shape
        return shape

    def is_below(self, *names: str) -> bool:
        """Return whether the places above, nearest first, have these names."""
        above = self.above
        for name in names:
            if above is None or above.name != name:
                return False
            above = above.above
        return True


class Memory:
    """What is kept from one document to the next; a full memory is dropped as a whole and a new one begun."""

    def __init__(self) -> None:
        self.size = 0
        self.invoice = Place(None, INVOICE, "/", "invoice:Invoice", self)
        self.credit_note = Place(None, CREDIT_NOTE, "/", "creditnote:CreditNote", self)
        self._interned: dict[Hashable, object] = {}

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept."""
        return self.size >= KEPT_MAX

    def has_room(self, size: int, characters: int = 0) -> bool:
        """Reserve room for something of this size, and return whether there is any; what is long gets none."""
        if self.is_full or size > KEPT_PARTS_MAX or characters > KEPT_CHARACTERS_MAX:
            return False
        self.size += size
        return True

    def intern(self, key: tuple[Hashable, ...], made: _M) -> _M:
        """Return the object that was interned under this key before, or else ``made``."""
        found = self._interned.get(key)
        if found is None and self.has_room(1, sum(len(part) for part in key if isinstance(part, str)) // 4):
            self._interned[key] = made
        return made if found is None else cast("_M", found)


_current = [Memory()]


def memory() -> Memory:
    """Return the memory for a document."""
    if _current[0].is_full:
        _current[0] = Memory()
    return _current[0]

"""Places and what is remembered at them: how values are written there, which shapes groups have, what is asked.

A *place* is a path of names, such as ``/cac:InvoiceLine/cac:Item``; there are a few hundred in all invoices together. A
*token* is all that is told of a value without its text: which attributes it has, whether it is blank, whether it is a plain
number. Of a code the text belongs to the token; there are few of each. Names of files and other free texts never do.
"""

import re
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, TypeVar, cast

from koppel_ubl import safe_xml

if TYPE_CHECKING:
    from .shape import Shape

INVOICE = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
KEPT_MAX = 100_000
"""Places, tokens, parts of shapes and steps of plans that are remembered, some 50 MB at most; usual senders need a few thousand.
A hostile one can invent any number, and gets those made anew."""
KEPT_PARTS_MAX = 2_000
KEPT_CHARACTERS_MAX = 200
SPACES = " \t\r\n"
PREFIXES = {
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext:",
}
FREE_ATTRIBUTES = frozenset({"filename"})
"""Attributes whose text is not of a few kinds; only that they are there belongs to a token."""
_M = TypeVar("_M")
Attributes = Sequence[tuple[str, str]]


def short_name(tag: str) -> str:
    """Return ``cbc:ID`` for the Clark name lxml uses; other namespaces stay as they are."""
    namespace, bracket, local = tag[1:].partition("}")
    prefix = PREFIXES.get(namespace) if bracket else None
    return tag if prefix is None else prefix + local


# ── how values are written, as far as a token tells it ──

PLAIN: Final = "plain"
"""A number without sign and with two decimals at most; a date of the calendar without zone."""
FINE: Final = "fine"
"""Another number that is written well and not too long."""
_PLAIN_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,2})?").fullmatch
_FINE_NUMBER = re.compile(r"-?[0-9]{1,10}(?:\.[0-9]{0,10})?").fullmatch
_PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def _is_filled(text: str) -> bool:
    return text >= "!" or bool(text.strip(SPACES))


def _as_number(text: str) -> Hashable:
    if _PLAIN_NUMBER(text):
        return PLAIN
    return FINE if _FINE_NUMBER(text) else _is_filled(text)


def _as_date(text: str) -> Hashable:
    if not _PLAIN_DATE(text):
        return _is_filled(text)
    try:
        date.fromisoformat(text)
    except ValueError:
        return True
    return PLAIN


def _with_start(text: str) -> Hashable:
    return text[:2], _is_filled(text)


_NUMBERS = ("Amount", "Quantity", "Numeric", "Measure", "Rate")
_CODES = frozenset({"cbc:CustomizationID", "cbc:ProfileID", "cbc:UBLVersionID", "cbc:ChargeIndicator", "cbc:Percent"})
_CATEGORIES = ("/cac:TaxScheme/cbc:ID", "/cac:TaxCategory/cbc:ID", "/cac:ClassifiedTaxCategory/cbc:ID")


def _writing(path: str, name: str) -> Callable[[str], Hashable]:
    """Return what a token tells of a text at this place: with the same answer goes the same token."""
    if name in _CODES or path.endswith(_CATEGORIES) or (name.endswith("Code") and name != "cbc:ItemClassificationCode"):
        return str
    if name.endswith(_NUMBERS):
        return _as_number
    if name.endswith("Date"):
        return _as_date
    return _with_start if path.endswith("/cac:PartyTaxScheme/cbc:CompanyID") else _is_filled


class Token:
    """A value without its text.

    Attributes:
        is_known: whether the text is told by the token: that of a code, and no text at all.
        is_plain: whether the text is a number or date of the plainest form; ``is_number``: a number as it should be.
        is_odd: whether there are elements in the value.
        start: the first two characters of a VAT number, which tell its country; else empty.
        texts: how many texts it stands for: one or none.
    """

    __slots__ = ("attributes", "is_blank", "is_known", "is_number", "is_odd", "is_plain", "place", "start", "texts")
    below: frozenset[str] = frozenset()
    """The names of what is below it, as shapes have them."""

    def __init__(self, place: "Place", text: str | None, attributes: Attributes, is_odd: bool) -> None:
        written = None if text is None else place.writing(text)
        self.place = place
        self.attributes = {name: "" if name in FREE_ATTRIBUTES else value for name, value in attributes}
        self.is_blank = text is None or not _is_filled(text)
        self.is_known = (text is None or place.writing is str) and not is_odd
        self.is_plain = not is_odd and written == PLAIN and place.writing in (_as_number, _as_date)
        self.is_number = not is_odd and place.writing is _as_number and written in (PLAIN, FINE)
        self.is_odd = is_odd
        self.start = text[:2] if text is not None and place.writing is _with_start else ""
        self.texts = int(text is not None)


class Place:
    """Where an element stands: ``path`` is its names from below the root, and ``/`` is the root itself; ``name`` is its own.

    Attributes:
        above: the place around it; None for the root.
        is_of_document: whether it stands directly in the document.
        writing: what a token tells of a text here; ``is_code``: all of it; ``is_plain``: a quick test for plain numbers;
            ``is_free``: no more than whether it is blank.
        asked: what the layers worked out for this place, each under a key of its own.
    """

    __slots__ = (
        *(
            "above",
            "asked",
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
        self.writing = _writing(path, name)
        self.is_code = self.writing is str
        self.is_free = self.writing is _is_filled
        self.is_plain = _PLAIN_NUMBER if self.writing is _as_number else None
        self.places: dict[str, Place] = {}
        self.tokens: dict[Hashable, Token] = {}
        self.shapes: dict[Hashable, Shape] = {}
        self.asked: dict[object, object] = {}

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
        """Make the token of a value, and remember it under the key."""
        token = Token(self, text, attributes, is_odd)
        size = sum(len(name) + len(value) for name, value in token.attributes.items())
        if self.memory.has_room(1, size + (len(text or "") if token.is_known else 0)):
            self.tokens[key] = token
        return token

    def is_below(self, *names: str) -> bool:
        """Return whether the places above, nearest first, have these names."""
        above = self.above
        for name in names:
            if above is None or above.name != name:
                return False
            above = above.above
        return True


class Memory:
    """All that is remembered from one document to the next; when it is full it is thrown away whole, and begun anew."""

    def __init__(self) -> None:
        self.size = 0
        self.invoice = Place(None, INVOICE, "/", "invoice:Invoice", self)
        self.credit_note = Place(None, CREDIT_NOTE, "/", "creditnote:CreditNote", self)
        self._ones: dict[Hashable, object] = {}

    @property
    def is_full(self) -> bool:
        """Whether nothing more is remembered."""
        return self.size >= KEPT_MAX

    def has_room(self, size: int, characters: int = 0) -> bool:
        """Return whether something of some size may be remembered; what is long may not."""
        if self.is_full or size > KEPT_PARTS_MAX or characters > KEPT_CHARACTERS_MAX:
            return False
        self.size += size
        return True

    def one_of(self, key: tuple[Hashable, ...], made: _M) -> _M:
        """Return what was made under this key before, or else what is made now."""
        found = self._ones.get(key)
        if found is None and self.has_room(1, sum(len(part) for part in key if isinstance(part, str)) // 4):
            self._ones[key] = made
        return made if found is None else cast("_M", found)


_kept = [Memory()]


def memory() -> Memory:
    """Return the memory for a document."""
    if _kept[0].is_full:
        _kept[0] = Memory()
    return _kept[0]

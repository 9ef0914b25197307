"""Reading values from the tree as the official rules see them: XPath 2.0 strings, numbers, dates and paths.

Only what XML calls white space is white space here: ``str.split`` would also take a no-break space.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_DOWN, Context, Decimal, InvalidOperation

from lxml import etree

Node = etree._Element

SPACES = " \t\r\n"
_RUN_OF_SPACES = re.compile(r"[ \t\r\n]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_ZONED_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|([+-])([0-9]{2}):([0-9]{2}))?")
_NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "invoice": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "creditnote": "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
}
_EXACT = Context(prec=2000, Emax=999999, Emin=-999999)
_DIVISION_SCALE_MIN = 18
_HUNDRED = Decimal(100)
_HALF = Decimal("0.5")
_NOT_A_NUMBER = Decimal("NaN")


def tag(name: str) -> str:
    """Return the name lxml uses for ``cbc:ID``."""
    prefix, local = name.split(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def string(node: Node | None) -> str:
    """Return the string value of a node: its text and that of everything below it, comments left out."""
    if node is None:
        return ""
    if not len(node):
        return node.text or ""
    parts = [node.text or ""]
    for child in node:
        if isinstance(child.tag, str):
            parts.append(string(child))
        parts.append(child.tail or "")
    return "".join(parts)


def normalised(text: str | None) -> str:
    """Return the text with white space trimmed and collapsed."""
    if not text:
        return ""
    if text.isalnum():
        return text
    return _RUN_OF_SPACES.sub(" ", text).strip(" ")


def is_blank(text: str | None) -> bool:
    """Return whether there is nothing but white space."""
    return not text or not text.strip(SPACES)


class Path:
    """A path of child elements, split once when the module is loaded."""

    __slots__ = ("_last", "_steps", "_tags")

    def __init__(self, path: str) -> None:
        self._tags = tuple(tag(step) for step in path.split("/"))
        self._steps = self._tags[:-1]
        self._last = self._tags[-1]

    def each(self, node: Node) -> Iterator[Node]:
        """Yield every element at the path, in document order."""
        if not self._steps:
            return node.iterchildren(self._last)
        return self._below(node, 0)

    def _below(self, node: Node, step: int) -> Iterator[Node]:
        children = node.iterchildren(self._tags[step])
        if step == len(self._steps):
            yield from children
        else:
            for child in children:
                yield from self._below(child, step + 1)

    def first(self, node: Node) -> Node | None:
        """Return the first element at the path."""
        for found in self.each(node) if self._steps else node.iterchildren(self._last):
            return found
        return None

    def exists(self, node: Node) -> bool:
        """Return whether there is an element at the path."""
        return self.first(node) is not None

    def count(self, node: Node) -> int:
        """Return how many elements there are at the path."""
        return sum(1 for _ in self.each(node))

    def text(self, node: Node) -> str:
        """Return the string value of the first element at the path; empty when there is none."""
        return string(self.first(node))

    def value(self, node: Node) -> str:
        """Return ``text`` with its white space normalised."""
        return normalised(self.text(node))

    def texts(self, node: Node) -> list[str]:
        """Return the string values of every element at the path."""
        return [string(found) for found in self.each(node)]


def attribute(node: Node | None, name: str) -> str:
    """Return an attribute; empty when there is none."""
    return "" if node is None else str(node.get(name, ""))


def number(text: str) -> Decimal:
    """Return what XPath's ``number()`` makes of the text, in decimals; not-a-number for what is none."""
    text = text.strip(SPACES)
    if _DOUBLE.fullmatch(text):
        try:
            return Decimal(text)
        except InvalidOperation:
            return _NOT_A_NUMBER
    return {"INF": Decimal("Infinity"), "-INF": Decimal("-Infinity")}.get(text, _NOT_A_NUMBER)


def is_number(text: str) -> bool:
    """Return whether ``number()`` gives something else than not-a-number."""
    return not number(text).is_nan()


def decimal(node: Node | None, default: Decimal | None = None) -> Decimal | None:
    """Return an exact number; the default without an element; None for what is no decimal (a matter of structure)."""
    if node is None:
        return default
    text = string(node).strip(SPACES)
    try:
        return Decimal(text) if _DECIMAL.fullmatch(text) else None
    except InvalidOperation:
        return None


def product(left: Decimal, right: Decimal) -> Decimal:
    """Multiply without losing a digit."""
    return _EXACT.multiply(left, right)


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Divide as the processor of the official rules does: to eighteen places at least, half down."""
    scale = max(_DIVISION_SCALE_MIN, -_exponent(dividend), -_exponent(divisor))
    exact = _EXACT.divide(dividend, divisor)
    return exact.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_DOWN, _EXACT)


def total(amounts: list[Decimal]) -> Decimal:
    """Add without losing a digit."""
    added = Decimal(0)
    for amount in amounts:
        added = _EXACT.add(added, amount)
    return added


def round_to_cents(amount: Decimal) -> Decimal:
    """Round as XPath does, ties towards plus infinity."""
    cents = _EXACT.add(_EXACT.multiply(amount, _HUNDRED), _HALF).to_integral_value(ROUND_FLOOR, _EXACT)
    return _EXACT.divide(cents, _HUNDRED)


def is_within(one: Decimal, other: Decimal, slack: Decimal) -> bool:
    """Return whether two amounts differ by no more than ``slack``."""
    return abs(_EXACT.subtract(one, other)) <= slack


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def is_date(text: str) -> bool:
    """Return whether the text is exactly ``YYYY-MM-DD`` and a day of the calendar."""
    if not (found := _DATE.fullmatch(text)):
        return False
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


def minute_of(text: str) -> int | None:
    """Return the minute at which a date begins, its time zone counted (UTC without one); None for what is no date."""
    found = _ZONED_DATE.fullmatch(text.strip(SPACES))
    if not found or not is_date(found[1]):
        return None
    offset = int(found[3]) * 60 + int(found[4]) if found[2] else 0
    return date.fromisoformat(found[1]).toordinal() * 1440 - (-offset if found[2] == "-" else offset)

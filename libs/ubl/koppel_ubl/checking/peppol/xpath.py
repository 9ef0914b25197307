"""Reads values from the tree as the official rules do: XPath 2.0 strings, numbers, dates and paths.

Only what XML calls white space is white space here: ``str.split`` would also take a no-break space.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_DOWN, Decimal, InvalidOperation
from typing import Any

from koppel_ubl.checking.engine import SPACES, ZERO, Group, Node, Value, is_blank, normalised

__all__ = ["SPACES", "Group", "Node", "Value", "is_blank", "normalised"]
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_ZONED_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|([+-])([0-9]{2}):([0-9]{2}))?")
_DIVISION_SCALE_MIN = 18
_NOT_A_NUMBER = Decimal("NaN")


def string(node: Node | None) -> str:
    """Return the string value of a node: its text and that of everything below it."""
    return "" if node is None else node.whole


class Path:
    """A path of child elements, split once when the module is loaded."""

    __slots__ = ("_groups", "_last")

    def __init__(self, path: str) -> None:
        *self._groups, self._last = path.split("/")

    def each(self, group: Group) -> Iterator[Any]:
        """Yield every element at the path, in document order: groups or values, as the path ends."""
        for inner in group.all(*self._groups) if self._groups else (group,):
            for at in inner.shape.positions.get(self._last, ()):
                yield inner.child(at)

    def first(self, group: Group) -> Any | None:
        """Return the first element at the path."""
        return next(self.each(group), None)

    def exists(self, group: Group) -> bool:
        """Return whether there is an element at the path."""
        return self.first(group) is not None

    def count(self, group: Group) -> int:
        """Return how many elements there are at the path."""
        return sum(1 for _ in self.each(group))

    def text(self, group: Group) -> str:
        """Return the string value of the first element at the path; empty when there is none."""
        return string(self.first(group))

    def value(self, group: Group) -> str:
        """Return ``text`` with its white space normalised."""
        return normalised(self.text(group))

    def texts(self, group: Group) -> list[str]:
        """Return the string values of every element at the path."""
        return [string(found) for found in self.each(group)]


def attribute(node: Node | None, name: str) -> str:
    """Return an attribute; empty when there is none."""
    return "" if node is None else node.get(name) or ""


def number(text: str) -> Decimal:
    """Return what XPath's ``number()`` makes of the text, in decimals; not-a-number for what is none."""
    text = text.strip(SPACES)
    if _DOUBLE.fullmatch(text):
        try:
            value = Decimal(text)
        except InvalidOperation:
            return _NOT_A_NUMBER
        # A zero below zero is one for the official processor only where it is written as a broken number.
        return value if value or not text.lstrip("+-").isdigit() else ZERO
    return {"INF": Decimal("Infinity"), "-INF": Decimal("-Infinity")}.get(text, _NOT_A_NUMBER)


def is_number(text: str) -> bool:
    """Return whether ``number()`` gives something else than not-a-number."""
    return not number(text).is_nan()


def decimal_or_none(node: Node | None, default: Decimal | None = None) -> Decimal | None:
    """Return an exact number; the default without an element; None for what is no decimal (a matter of structure)."""
    if node is None:
        return default
    text = string(node)
    if isinstance(node, Value) and node.token.is_number:
        return Decimal(text)
    text = text.strip(SPACES)
    try:
        return Decimal(text) if _DECIMAL.fullmatch(text) else None
    except InvalidOperation:
        return None


def figure(group: Group, name: str, default: Decimal | None = None) -> Decimal | None:
    """Return the first number of this name in a group, as ``decimal_or_none`` does."""
    at = group.shape.numbers.get(name)
    if at is not None:
        group.tree.has_read = True
        return Decimal(group[at])
    return decimal_or_none(group.value(name)) if name in group.shape.positions else default


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Divide as the processor of the official rules does: to eighteen places at least, half down."""
    scale = max(_DIVISION_SCALE_MIN, -_exponent(dividend), -_exponent(divisor))
    exact = dividend / divisor
    return exact.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_DOWN)


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

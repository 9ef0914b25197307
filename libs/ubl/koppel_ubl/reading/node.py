"""One element while it is read: its children by name, each taken once, and the rest noted as unread.

Names are without prefix and taken only in UBL's two component namespaces; anything else is an extension.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from lxml import etree

from koppel_ubl.errors import ReadError
from koppel_ubl.parties import Identifier

_BASIC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_AGGREGATE = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_DECIMAL = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
"""XML Schema's decimal: no exponent, no NaN; and no more digits than any amount has (a 400-digit one is schema-valid)."""
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)

_names: dict[str, str] = {}


def _name(tag: str) -> str:
    found = _names.get(tag)
    if found is None:
        if tag.startswith(_BASIC):
            found = tag[len(_BASIC) :]
        elif tag.startswith(_AGGREGATE):
            found = tag[len(_AGGREGATE) :]
        else:
            found = tag
        if len(_names) < 5_000:
            _names[tag] = found
    return found


class Node:
    """A cursor on one element."""

    __slots__ = ("_children", "_element", "_unread", "path")

    def __init__(self, element: etree._Element, path: str, unread: list[str]) -> None:
        self._element = element
        self.path = path
        self._unread = unread
        children: dict[str, list[etree._Element]] = {}
        for child in element:
            name = _name(str(child.tag))
            if name in children:
                children[name].append(child)
            else:
                children[name] = [child]
        self._children = children

    def done(self) -> None:
        """Note what nobody took."""
        if self._children:
            self._unread.extend(f"{self.path}/{local(name)}" for name, rest in self._children.items() for _ in rest)

    def nodes(self, name: str) -> Iterator["Node"]:
        """Take every child aggregate of that name; each is done when the next is asked for."""
        for element in self._children.pop(name, ()):
            node = Node(element, f"{self.path}/{name}", self._unread)
            yield node
            node.done()

    def node(self, name: str) -> "Node | None":
        """Take the first child aggregate of that name; further ones are unread. Call ``done`` on it."""
        elements = self._children.pop(name, None)
        if elements is None:
            return None
        if len(elements) > 1:
            self._unread.extend(f"{self.path}/{name}" for _ in elements[1:])
        return Node(elements[0], f"{self.path}/{name}", self._unread)

    def element(self, name: str) -> etree._Element | None:
        """Take the first child of that name as it is; further ones are unread."""
        elements = self._children.pop(name, None)
        if elements is None:
            return None
        if len(elements) > 1:
            self._unread.extend(f"{self.path}/{name}" for _ in elements[1:])
        return elements[0]

    def text(self, name: str) -> str | None:
        """Take a text; None when absent or blank."""
        element = self.element(name)
        return None if element is None else _text(element)

    def texts(self, name: str) -> tuple[str, ...]:
        """Take every text of that name, blank ones left out."""
        return tuple(text for element in self._children.pop(name, ()) if (text := _text(element)) is not None)

    def identifier(self, name: str) -> Identifier | None:
        """Take an identifier with its scheme."""
        element = self.element(name)
        text = None if element is None else _text(element)
        if element is None or text is None:
            return None
        return Identifier(text, element.get("schemeID") or element.get("listID"))

    def number(self, name: str) -> Decimal | None:
        """Take a number, exactly as written.

        Raises:
            ReadError: ``invalid_number``.
        """
        element = self.element(name)
        return None if element is None else self._decimal(element, name)

    def number_with(self, name: str, attribute: str) -> tuple[Decimal | None, str | None]:
        """Take a number and one of its attributes (a currency, a unit)."""
        element = self.element(name)
        if element is None:
            return None, None
        return self._decimal(element, name), element.get(attribute)

    def day(self, name: str) -> date | None:
        """Take a date; a time zone behind it is left aside, as it says nothing about a day of business.

        Raises:
            ReadError: ``invalid_date``.
        """
        element = self.element(name)
        text = None if element is None else _text(element)
        if element is None or text is None:
            return None
        found = _DATE.fullmatch(text)
        try:
            if found is not None:
                return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            pass
        raise self.error("invalid_date", f"{text[:40]!r} is not a date.", element, name)

    def error(self, code: str, message: str, element: etree._Element | None = None, name: str = "") -> ReadError:
        """Return an error that says where."""
        line = (self._element if element is None else element).sourceline
        return ReadError(code, message, line=line, path=f"{self.path}/{name}" if name else self.path)

    def _decimal(self, element: etree._Element, name: str) -> Decimal | None:
        text = _text(element)
        if text is None:
            return None
        if _DECIMAL.fullmatch(text) is None:
            raise self.error("invalid_number", f"{text[:40]!r} is not a number that can be read.", element, name)
        return Decimal(text)


def local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]


def _text(element: etree._Element) -> str | None:
    if len(element):
        # Markup where UBL has a value: XInclude, HTML, somebody's idea of emphasis. What it would say is a guess.
        name = local(str(element.tag))
        raise ReadError(
            "unexpected_element", f"{name} holds markup instead of a value.", line=element.sourceline, path=name
        )
    text = element.text
    return None if text is None else text.strip() or None

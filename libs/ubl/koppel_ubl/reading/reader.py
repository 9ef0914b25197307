"""Reads a document in one pass: each element is looked up in the table of its aggregate and becomes a value at once.

There is no XPath and no object for each element: an element costs one look-up and the reading of its text, so that reading is
nearly as fast as parsing. For the same reason one function handles all kinds of values.
"""

from typing import Any, Final

from lxml import etree

from koppel_ubl.mapping.aggregate import (
    AMOUNT,
    BYTES,
    DAY,
    IDENTIFIER,
    INTO,
    JOINED,
    MANY,
    NUMBER,
    SOLE,
    TEXT,
    TEXTS,
    TRUTH,
    WITH_ATTRIBUTES,
    Aggregate,
    Entry,
    Values,
)
from koppel_ubl.model import Identifier

from .attachments import file_from
from .unmapped import Unmapped, failure, local
from .values import day_from, decimal_from, truth_from

_WRONG: Final = {
    AMOUNT: ("invalid_number", "is not a number that can be read."),
    NUMBER: ("invalid_number", "is not a number that can be read."),
    DAY: ("invalid_date", "is not a date."),
    TRUTH: ("invalid_indicator", "is neither true nor false."),
}


class Reader:
    """Reads one document."""

    __slots__ = ("_document", "currency", "foreign", "unmapped")

    def __init__(self, root: etree._Element) -> None:
        self.unmapped = Unmapped(root)
        self.currency: list[str] = []
        """The attribute values of an amount in the currency of the document, as lxml lists them."""
        self.foreign: list[etree._Element] = []
        """The other amounts."""
        self._document: Values = {}

    def read(self, root: etree._Element, aggregate: Aggregate) -> Any:
        """Return the object that the aggregate makes of the document."""
        self.fill(root, aggregate, self._document)
        return aggregate.make(self._document, root, self.unmapped)

    def fill(self, element: etree._Element, aggregate: Aggregate, values: Values) -> None:  # noqa: C901 (one function for all kinds: see the module)
        """Collect the values of the elements of an aggregate."""
        entry_of = aggregate.entry_of
        if element.keys():
            self.unmapped.skip_attributes(element)
        # lxml makes the slice in C; iterating costs a Python object for each aggregate.
        for child in element[:]:
            found = entry_of(child.tag)  # type: ignore[arg-type]
            if found is None:
                self.unmapped.skip(child)
                continue
            kind, field, inner, entry = found
            if inner is not None:
                if kind != SOLE:
                    self._aggregate(child, kind, field, inner, values)
                    continue
                below = child[:]
                if field in values or len(below) != 1 or below[0].tag != inner.first_tag or child.keys():
                    self._into(child, inner, values)
                    continue
                child, kind = below[0], TEXT
            value: Any
            text = child.text or ""
            if len(child):
                raise markup(child)
            if kind == TEXT:
                value = text.strip()
                if child.keys():
                    self.unmapped.skip_attributes(child)
                if value and field not in values:
                    values[field] = value
                    continue
                value = value or None
            elif kind == AMOUNT:
                value = decimal_from(text)
                if child.values() != self.currency:
                    self._foreign(child)
            elif kind == NUMBER:
                value = decimal_from(text)
                if child.keys():
                    self.unmapped.skip_attributes(child)
            else:
                value = self._rarer(child, entry, text, values)
            if value is None:
                self._absent(child, kind, text)
            elif kind == TEXTS:
                values.setdefault(field, []).append(value)
            elif field not in values:
                values[field] = value
            elif kind == JOINED:
                values[field] = f"{values[field]} {value}"
            else:
                self.unmapped.skip(child)

    def _aggregate(self, element: etree._Element, kind: int, field: str, inner: Aggregate, values: Values) -> None:
        if kind == INTO:
            self._into(element, inner, values)
            return
        if kind != MANY and field in values:
            self.unmapped.skip(element)
            return
        inside: Values = {}
        self.fill(element, inner, inside)
        if not inside and kind != MANY:
            return  # an empty group counts as absent, as an empty value does; ``unmapped`` has what was in it
        one = inner.make(inside, element, self.unmapped)
        if kind != MANY:
            values[field] = one
        elif field in values:
            values[field].append(one)
        else:
            values[field] = [one]

    def _into(self, element: etree._Element, inner: Aggregate, values: Values) -> None:
        if values.keys().isdisjoint(inner.fields):
            self.fill(element, inner, values)
        else:
            self.unmapped.skip(element)

    def _absent(self, element: etree._Element, kind: int, text: str) -> None:
        """Treat an empty element as absent, and refuse a text that is no value of its kind."""
        if kind in _WRONG and (text := text.strip()):
            code, wrong = _WRONG[kind]
            raise failure(code, f"{text[:40]!r} {wrong}", element)

    def _foreign(self, element: etree._Element) -> None:
        if not self.currency and "currency" in self._document:
            self.currency.append(self._document["currency"])
        if element.values() != self.currency:
            self.foreign.append(element)

    def note_foreign(self) -> None:
        """Note other currencies than that of the document, and other attributes of amounts."""
        for element in self.foreign:
            known = ("currencyID",) if self.currency == [element.get("currencyID")] else ()
            self.unmapped.skip_attributes(element, *known)

    def _rarer(self, element: etree._Element, entry: Entry, text: str, values: Values) -> Any:
        kind = entry.kind
        if kind == WITH_ATTRIBUTES:
            return self._with_attributes(element, entry, text, values)
        if kind == IDENTIFIER:
            return self._identifier(element, text)
        if kind == BYTES:
            return file_from(element, text, self.unmapped)
        if element.keys():
            self.unmapped.skip_attributes(element)
        if kind == DAY:
            return day_from(text)
        return truth_from(text) if kind == TRUTH else text.strip() or None

    def _identifier(self, element: etree._Element, text: str) -> Identifier | None:
        value = text.strip()
        names = element.keys()
        scheme = element.get("schemeID") or None if names else None
        if len(names) > 1 or (names and (scheme is None or not value)):
            self.unmapped.skip_attributes(element, *(("schemeID",) if value else ()))
        return Identifier(value, scheme) if value else None

    def _with_attributes(self, element: etree._Element, entry: Entry, text: str, values: Values) -> Any:
        value = decimal_from(text) if entry.is_number else text.strip() or None
        if value is None:
            if entry.is_number and text.strip():
                raise failure("invalid_number", f"{text.strip()[:40]!r} is not a number that can be read.", element)
        elif entry.field not in values:
            is_known = True
            for name, found in element.items():
                for known, field in entry.attributes:
                    if name == known:
                        if found:
                            values[field] = found
                        break
                else:
                    is_known = False
            if not is_known:
                self.unmapped.skip_attributes(element, *(name for name, _ in entry.attributes))
        return value


def markup(element: etree._Element) -> Exception:
    """Return the error for markup where UBL has a value, such as XInclude or HTML."""
    name = local(str(element.tag))
    return failure("unexpected_element", f"{name} holds markup instead of a value.", element)

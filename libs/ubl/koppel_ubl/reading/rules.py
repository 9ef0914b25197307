"""The reading engine: one pass over an element's children, each handled by the rule its tag has in a table.

A table is `{tag: rule}`; a rule takes the child and the values gathered so far. What has no rule, or comes twice where the
model holds one, is noted as unread. No XPath: a dictionary look-up for each element keeps reading near the parser's speed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from koppel_ubl.errors import Code, ReadError
from koppel_ubl.model.basics import Identifier

CBC: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_PREFIXES: Final = {CBC: "cbc:", CAC: "cac:"}
_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}"
_UNREAD_MAX: Final = 500

# Digits are bounded before Decimal sees them: the schema allows any number of them, and no amount needs more than 28,
# the precision of Python's default context.
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]{1,28}(?:\.[0-9]{0,28})?|\.[0-9]{1,28})")
_DECIMAL_LENGTH_MAX: Final = 30
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")

Values = dict[str, Any]
Element = etree._Element


class Context:
    """What one reading gathers besides the values: what was left out, and which currencies amounts were in."""

    __slots__ = ("currency", "derived", "foreign", "unread")

    def __init__(self) -> None:
        self.currency: str | None = None
        self.unread: list[str] = []
        self.foreign: list[tuple[Element, str]] = []
        self.derived: list[str] = []

    def skip(self, element: Element) -> None:
        """Note an element the model has no place for."""
        if next(element.iter(_XINCLUDE + "*"), None) is not None:
            raise fail(element, "XInclude is not allowed in an invoice", "xinclude")
        self.note(path_of(element))

    def skip_attributes(self, element: Element, known: tuple[str, ...] = ()) -> None:
        """Note the attributes the model has no place for; instructions to XML tools (xsi:…) say nothing of the invoice."""
        for name in element.keys():  # noqa: SIM118 (an lxml element iterates over children, not over attributes)
            if name not in known and not name.startswith("{http://www.w3.org/2001/XMLSchema-instance}"):
                self.note(f"{path_of(element)}/@{name}")

    def note(self, path: str) -> None:
        """Add a path, up to a bound; the last entry then says that more was left out."""
        if len(self.unread) < _UNREAD_MAX:
            self.unread.append(path)
        elif len(self.unread) == _UNREAD_MAX:
            self.unread.append("…")


Rule = Callable[[Element, Values, Context], None]
Table = Mapping[str, Rule]


def read_into(element: Element, table: Table, values: Values, context: Context) -> Values:
    """Walk the children of `element` once."""
    for child in element:
        rule = table.get(child.tag)
        if rule is None:
            context.skip(child)
        else:
            rule(child, values, context)
    return values


def text_of(element: Element) -> str:
    """The text of a leaf, trimmed. A leaf with children is malformed UBL, and where XInclude hides."""
    if len(element):
        inclusion = str(element[0].tag).startswith(_XINCLUDE)
        raise fail(
            element,
            "XInclude is not allowed in an invoice" if inclusion else "this element holds text, not other elements",
            "xinclude" if inclusion else "structure",
        )
    return (element.text or "").strip()


def decimal_of(element: Element) -> Decimal:
    """A number with at most 28 digits; no exponent, no NaN, no comma."""
    text = text_of(element)
    if len(text) > _DECIMAL_LENGTH_MAX or _DECIMAL.fullmatch(text) is None:
        raise fail(element, f"{_shown(text)} is not a number of at most 28 digits", "number")
    return Decimal(text)


def date_of(element: Element) -> date:
    """A calendar date; a time zone, which UBL allows and Peppol does not, is left out."""
    text = text_of(element)
    match = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(match[1] if match else text)
    except ValueError:
        raise fail(element, f"{_shown(text)} is not a date written as YYYY-MM-DD", "date") from None


def boolean_of(element: Element) -> bool:
    """`true` or `false`; XML Schema's 1 and 0 too."""
    text = text_of(element)
    if text in {"true", "1"}:
        return True
    if text in {"false", "0"}:
        return False
    raise fail(element, f"{_shown(text)} is neither true nor false", "boolean")


def fail(element: Element, message: str, code: Code) -> ReadError:
    """A ReadError that names the place."""
    line = element.sourceline
    return ReadError(message, code=code, line=line if isinstance(line, int) else None, path=path_of(element))


def path_of(element: Element) -> str:
    """An XPath with the usual prefixes, an index where siblings share the name."""
    parts = []
    node: Element | None = element
    while node is not None:
        parent = node.getparent()
        parts.append(_local(node) + (_index(node) if parent is not None else ""))
        node = parent
    return "/" + "/".join(reversed(parts))


def _local(element: Element) -> str:
    tag = str(element.tag)
    for namespace, prefix in _PREFIXES.items():
        if tag.startswith(namespace):
            return prefix + tag[len(namespace) :]
    return tag.rpartition("}")[2]


def _index(element: Element) -> str:
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    if before == 0 and next(element.itersiblings(element.tag), None) is None:
        return ""
    return f"[{before + 1}]"


def _shown(text: str) -> str:
    return f"“{text[:40]}{'…' if len(text) > 40 else ''}”"


# The rules tables are made of. Each factory names the field it fills.


def text(field: str) -> Rule:
    """A text, once; an empty element counts as absent."""

    def rule(element: Element, values: Values, context: Context) -> None:
        value = text_of(element)
        if element.keys():
            context.skip_attributes(element)
        _put(field, value or None, element, values, context)

    return rule


def identifier(field: str, *, many: bool = False) -> Rule:
    """An identifier with its scheme."""

    def rule(element: Element, values: Values, context: Context) -> None:
        value = text_of(element)
        scheme = scheme_name = None
        if element.keys():
            scheme = element.get("schemeID")
            scheme_name = element.get("schemeAgencyName") or element.get("schemeName")
            known = "schemeAgencyName" if element.get("schemeAgencyName") else "schemeName"
            context.skip_attributes(element, ("schemeID", known))
        if not value:
            return
        if many:
            values.setdefault(field, []).append(Identifier(value, scheme, scheme_name))
        else:
            _put(field, Identifier(value, scheme, scheme_name), element, values, context)

    return rule


def amount(field: str) -> Rule:
    """An amount of money in the document's currency; any other currency is noted."""

    def rule(element: Element, values: Values, context: Context) -> None:
        value = decimal_of(element)
        names = element.keys()
        if names:
            currency = element.get("currencyID", "")
            if currency != context.currency:
                context.foreign.append((element, currency))
            if len(names) > 1:
                context.skip_attributes(element, ("currencyID",))
        _put(field, value, element, values, context)

    return rule


def number(field: str) -> Rule:
    """A plain number."""

    def rule(element: Element, values: Values, context: Context) -> None:
        value = decimal_of(element)
        if element.keys():
            context.skip_attributes(element)
        _put(field, value, element, values, context)

    return rule


def day(field: str) -> Rule:
    """A date; an empty element counts as absent."""

    def rule(element: Element, values: Values, context: Context) -> None:
        if element.keys():
            context.skip_attributes(element)
        _put(field, date_of(element) if text_of(element) else None, element, values, context)

    return rule


def truth(field: str) -> Rule:
    """A boolean."""

    def rule(element: Element, values: Values, context: Context) -> None:
        _put(field, boolean_of(element), element, values, context)

    return rule


def into(table: Table) -> Rule:
    """An aggregate whose children fill fields of the same value."""

    def rule(element: Element, values: Values, context: Context) -> None:
        read_into(element, table, values, context)

    return rule


def one(field: str, reader: Callable[[Element, Context], Any]) -> Rule:
    """An aggregate that becomes a value of its own, once."""

    def rule(element: Element, values: Values, context: Context) -> None:
        if field in values:
            context.skip(element)
        else:
            values[field] = reader(element, context)

    return rule


def many(field: str, reader: Callable[[Element, Context], Any]) -> Rule:
    """An aggregate that may repeat."""

    def rule(element: Element, values: Values, context: Context) -> None:
        values.setdefault(field, []).append(reader(element, context))

    return rule


def tuples(values: Values, *fields: str) -> Values:
    """Freeze the lists gathered by `many`."""
    for field in fields:
        if field in values:
            values[field] = tuple(values[field])
    return values


def require(element: Element, values: Values, field: str, tag: str) -> None:
    """Refuse an aggregate without what bookkeeping cannot do without."""
    if values.get(field) is None:
        raise fail(element, f"{tag} is missing", "missing")


def _put(field: str, value: Any, element: Element, values: Values, context: Context) -> None:
    if value is None:
        return
    if field in values:
        context.skip(element)
    else:
        values[field] = value

"""``$filter``: a small real grammar, compiled to a function of a record.

expression := term (("and" | "or") term)* ; "and" binds tighter ; "not" term ; parentheses
term := operand comparison operand | boolean function
"""

import operator
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from koppel_sandbox.exact.state import Record

Value = Callable[[Record], Any]
LENGTH_MAX = 6_000

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<guid>guid'[^']*') | (?P<datetime>datetime'[^']*') | (?P<text>'(?:[^']|'')*')
    | (?P<number>-?\d+(?:\.\d+)?[LlMmDd]?) | (?P<name>[A-Za-z_][A-Za-z0-9_/]*) | (?P<sign>[(),])
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class FilterError(Exception):
    """The filter cannot be read."""


class Filter:
    """A compiled filter."""

    def __init__(self, source: str) -> None:
        if len(source) > LENGTH_MAX:
            raise FilterError("too long")
        self._tokens = _split(source)
        self._at = 0
        self.fields: set[str] = set()
        """Names of the fields it asks about."""
        self._test = self._either()
        if self._at != len(self._tokens):
            raise FilterError(f"unexpected {self._tokens[self._at][1]!r}")

    def __call__(self, record: Record) -> bool:
        """Return whether the record fits."""
        return bool(self._test(record))

    def _either(self) -> Value:
        left = self._both()
        while self._take("or"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Value:
        left = self._one()
        while self._take("and"):
            left = _and(left, self._one())
        return left

    def _one(self) -> Value:
        if self._take("not"):
            inner = self._one()
            return lambda record: not inner(record)
        if self._peek() == ("sign", "("):
            self._at += 1
            inner = self._either()
            self._expect(")")
            return inner
        left = self._operand()
        kind, word = self._peek()
        if kind == "name" and word in _COMPARE:
            self._at += 1
            return _compare(_COMPARE[word], left, self._operand())
        return left

    def _operand(self) -> Value:
        kind, word = self._next()
        if kind == "guid":
            return _constant(_guid(word[5:-1]))
        if kind == "datetime":
            return _constant(_datetime(word[9:-1]))
        if kind == "text":
            return _constant(word[1:-1].replace("''", "'"))
        if kind == "number":
            return _constant(Decimal(word.rstrip("LlMmDd")))
        if kind != "name":
            raise FilterError(f"unexpected {word!r}")
        if self._peek() == ("sign", "("):
            return self._function(word)
        if word in {"true", "false"}:
            return _constant(word == "true")
        if word == "null":
            return _constant(None)
        self.fields.add(word)
        return lambda record: record.get(word)

    def _function(self, name: str) -> Value:
        self._expect("(")
        arguments = [self._operand()]
        while self._take(","):
            arguments.append(self._operand())
        self._expect(")")
        match name, arguments:
            case "trim", [one]:
                return lambda record: _text(one(record)).strip()
            case "tolower", [one]:
                return lambda record: _text(one(record)).lower()
            case "toupper", [one]:
                return lambda record: _text(one(record)).upper()
            case "substringof", [part, whole]:
                return lambda record: _text(part(record)).lower() in _text(whole(record)).lower()
            case "startswith", [whole, part]:
                return lambda record: _text(whole(record)).lower().startswith(_text(part(record)).lower())
            case "endswith", [whole, part]:
                return lambda record: _text(whole(record)).lower().endswith(_text(part(record)).lower())
        raise FilterError(f"unknown function {name!r}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise FilterError("ends too early")
        self._at += 1
        return token

    def _take(self, word: str) -> bool:
        found = self._peek()[1] == word and self._peek()[0] in {"name", "sign"}
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise FilterError(f"{word!r} expected")


def _split(source: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(source.rstrip()):
        found = _TOKEN.match(source, at)
        if found is None or found.lastgroup is None:
            raise FilterError(f"cannot read {source[at : at + 20]!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    if not tokens:
        raise FilterError("empty")
    return tokens


def _constant(value: Any) -> Value:
    return lambda _: value


def _or(left: Value, right: Value) -> Value:
    return lambda record: left(record) or right(record)


def _and(left: Value, right: Value) -> Value:
    return lambda record: left(record) and right(record)


def _compare(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> Value:
    def test(record: Record) -> bool:
        one, other = _alike(left(record), right(record))
        if one is None or other is None:
            # As in SQL nothing is greater than null; equality with null is a question one may ask.
            return compare(one, other) if compare in {operator.eq, operator.ne} else False
        try:
            return compare(one, other)
        except TypeError:
            return False

    return test


def _alike(one: Any, other: Any) -> tuple[Any, Any]:
    return _comparable(one, other), _comparable(other, one)


def _comparable(value: Any, other: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        if isinstance(other, Decimal | int) and not isinstance(other, bool):
            return Decimal(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else value
        # Exact's texts compare without case, as its database does.
        return value.lower()
    return value


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise FilterError(f"{text!r} is no guid")
    return text.lower()


def _datetime(text: str) -> datetime:
    if "T" not in text:
        raise FilterError("datetime needs a time part")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FilterError(f"{text!r} is no datetime") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

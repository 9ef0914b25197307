"""Number formats: how the invoices of a book are numbered, and the proof that two books never give the same number (R123, R124).

A format is literal text around one ``{InvoiceNumber:n}`` (padded with zeros to n digits, and longer once the number outgrows
them), and, where wanted, ``{Year}`` (four digits), ``{Month:2}`` and ``{BookKey}``. Only the number varies in length, so a
format never gives one text for two numbers of a month.

Numbers are compared as people and packages compare them: without regard to case and punctuation, and, of digits only, without
zeros in front (``koppel_bookkeeping.business_keys.document_number_key``). The texts a format can give are the words of a
small automaton; two formats can give one number where the product of theirs reaches a common end.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

from koppel_bookkeeping.business_keys import document_number_key

LENGTH_MAX: Final = 30
"""Of a number at the width of its format: what Exact keeps of ``YourRef`` (``connector_exact.mapping.entry``)."""
WIDTH_MAX: Final = 12
_PART: Final = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")
_NUMBER: Final = re.compile(r"InvoiceNumber(?::([0-9]{1,3}))?")
_NOT_LITERAL: Final = re.compile(r"[^A-Za-z0-9 ._/#-]")
_NOT_COMPARED: Final = re.compile(r"[\W_]+")
_DIGITS: Final = "0123456789"
_FIRST: Final = "123456789"
_YEAR: Final = "{Year}"
_MONTH: Final = "{Month:2}"


class FormatError(ValueError):
    """A text that is no number format.

    Attributes:
        rule: stable code of what is wrong.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class NumberFormat:
    """A number format, read: what stands before the number and after it, in parts, and the width of the number."""

    before: tuple[str, ...]
    width: int
    after: tuple[str, ...]

    def render(self, number: int, on: date) -> str:
        """Return the text of a number.

        Args:
            number: from 1.
            on: the day of the invoice, for the year and the month; from the year 1000.
        """
        if number < 1 or on.year < 1000:
            raise ValueError("numbers begin at 1 and years at 1000")
        dated = {_YEAR: f"{on.year}", _MONTH: f"{on.month:02}"}
        parts = (*self.before, f"{number:0{self.width}}", *self.after)
        return "".join(dated.get(part, part) for part in parts)

    def gives(self, number: str) -> bool:
        """Return whether this format gives ``number``, or one that counts as the same, at some number and day."""
        wanted = _automaton_of(number)
        return self._automaton.word_in_common(wanted) is not None

    @cached_property
    def _automaton(self) -> "_Automaton":
        made = _Automaton()
        for part in self.before:
            _append(made, part)
        made.append_number(self.width)
        for part in self.after:
            _append(made, part)
        return made


def parse(text: str, *, prefix: str = "", book_key: str = "") -> NumberFormat:
    """Read a number format.

    Args:
        text: such as ``G-{InvoiceNumber:5}``.
        prefix: literal text in front of every number, such as ``DR-``.
        book_key: what ``{BookKey}`` stands for.

    Raises:
        FormatError: with a sentence for whoever wrote it.
    """
    parts: list[str] = [prefix] if prefix else []
    widths: list[tuple[int, int]] = []
    for field, literal, brace in _PART.findall(text):
        if brace:
            raise FormatError("unbalanced_braces", f"{brace} stands alone; a field is written {{Field}}.")
        if literal:
            parts.append(literal)
        elif (number := _NUMBER.fullmatch(field)) is not None:
            widths.append((len(parts), int(number[1] or 1)))
        elif f"{{{field}}}" in {_YEAR, _MONTH}:
            parts.append(f"{{{field}}}")
        elif field == "BookKey":
            parts.append(book_key)
        else:
            raise FormatError("unknown_field", _unknown(field))
    if not widths:
        raise FormatError(
            "number_missing", "A number format holds {InvoiceNumber:n}, with n the least number of digits."
        )
    if len(widths) > 1:
        raise FormatError("number_twice", "A number format holds {InvoiceNumber} once.")
    [(place, width)] = widths
    if not 1 <= width <= WIDTH_MAX:
        raise FormatError("width", f"A number has 1 to {WIDTH_MAX} digits; {{InvoiceNumber:{width}}} asks for {width}.")
    read = NumberFormat(tuple(parts[:place]), width, tuple(parts[place:]))
    _insist_on_literals(parts)
    if (length := len(read.render(1, date(2000, 1, 1)))) > LENGTH_MAX:
        raise FormatError("too_long", f"A number would have {length} characters; packages keep {LENGTH_MAX}.")
    return read


def common_number(one: NumberFormat, other: NumberFormat) -> str | None:
    """Return the shortest number that both formats can give, as it is compared; None is the proof that there is none.

    Years 1000 to 9999, every month and every number from 1 count.
    """
    return one._automaton.word_in_common(other._automaton)


def of_book(book: Mapping[str, Any]) -> NumberFormat:
    """Return the format of a book by its ``number_format``, ``number_prefix`` and ``key``; errors as those of ``parse``."""
    return parse(book["number_format"], prefix=book["number_prefix"], book_key=book["key"])


def number_of(book: Mapping[str, Any], number: int, on: date) -> str:
    """Return the text of a book's number: see ``NumberFormat.render``."""
    return of_book(book).render(number, on)


def _unknown(field: str) -> str:
    if field == "Month":
        return "The month is written {Month:2}: of one or two digits it could not be told from the number beside it."
    known = "{InvoiceNumber:n}, {Year}, {Month:2} and {BookKey}"
    return f"{{{field[:30]}}} is no field of a number format; there are {known}."


def _insist_on_literals(parts: Iterable[str]) -> None:
    for part in parts:
        if part not in {_YEAR, _MONTH} and (wrong := _NOT_LITERAL.search(part)):
            raise FormatError(
                "character", f"{wrong[0]!r} cannot stand in a number: use letters, digits, space and . _ / # -"
            )


class _Automaton:
    """A nondeterministic automaton without empty moves, built from left to right; its words are numbers as they are compared."""

    def __init__(self) -> None:
        self.moves: list[list[tuple[str, int]]] = [[]]
        """For each state: on one of these characters, to that state."""
        self.ends: tuple[int, ...] = (0,)
        self.has_letters = False

    def append(self, characters: str) -> None:
        """Append one character, which is any of ``characters``."""
        self.has_letters |= not characters.isdigit()
        self.ends = (self._state(self.ends, characters),)

    def append_number(self, width: int) -> None:
        """Append a number from 1: with zeros in front it has ``width`` digits, without it has these or more."""
        zeros, padded = self.ends, -1
        unpadded = self._state(self.ends, _FIRST)
        for _ in range(1, width):
            zeros = (self._state(zeros, "0"),)
            longer = self._state(zeros, _FIRST)
            if padded != -1:
                self.moves[padded].append((_DIGITS, longer))
            padded, unpadded = longer, self._state((unpadded,), _DIGITS)
        self.moves[unpadded].append((_DIGITS, unpadded))
        self.ends = (unpadded,) if padded == -1 else (unpadded, padded)

    def append_month(self) -> None:
        """Append 01 to 12."""
        zero, one = (self._state(self.ends, first) for first in "01")
        month = self._state((zero,), _FIRST)
        self.moves[one].append(("012", month))
        self.ends = (month,)

    def word_in_common(self, other: "_Automaton") -> str | None:
        """Return the shortest word of both: the product of the two, searched from its starts."""
        pairs = [(one, two) for one in self._starts(other) for two in other._starts(self)]
        reached = dict.fromkeys(pairs, "")
        waiting = deque(pairs)
        while waiting:
            one, two = waiting.popleft()
            word = reached[one, two]
            if one in self.ends and two in other.ends:
                return word
            for ours, to_one in self.moves[one]:
                for theirs, to_two in other.moves[two]:
                    sign = next((sign for sign in ours if sign in theirs), None)
                    if sign is not None and (to_one, to_two) not in reached:
                        reached[to_one, to_two] = word + sign
                        waiting.append((to_one, to_two))
        return None

    def _starts(self, other: "_Automaton") -> list[int]:
        """Return where words begin; where neither has letters, zeros in front do not count."""
        starts = [0]
        if not self.has_letters and not other.has_letters:
            for state in starts:
                starts += [to for characters, to in self.moves[state] if "0" in characters and to not in starts]
        return starts

    def _state(self, sources: tuple[int, ...], characters: str) -> int:
        """Add a state that is reached from ``sources`` on one of ``characters``."""
        self.moves.append([])
        state = len(self.moves) - 1
        for source in sources:
            self.moves[source].append((characters, state))
        return state


def _automaton_of(text: str) -> _Automaton:
    """Return the automaton whose one word is ``text`` as it is compared."""
    made = _Automaton()
    for sign in document_number_key(text):
        made.append(sign)
    return made


def _append(made: _Automaton, part: str) -> None:
    if part == _YEAR:
        made.append(_FIRST)
        for _ in range(3):
            made.append(_DIGITS)
    elif part == _MONTH:
        made.append_month()
    else:
        for sign in _NOT_COMPARED.sub("", part).casefold():
            made.append(sign)

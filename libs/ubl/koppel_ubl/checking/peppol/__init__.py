"""The rules of Peppol BIS Billing 3 and of its self-billing, with those of the countries, from their meaning.

Release 3.0.21 (May 2026) is followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from koppel_ubl.checking.layer import Layer, Subject, finding
from koppel_ubl.checking.report import Finding, Rule
from koppel_ubl.checking.tree import Place, Seen

from . import codes, document, identifiers, lines  # noqa: F401 - each declares its rules
from .code_lists import RELEASE
from .codes import CODES, EMPTY_ELEMENT
from .document import EVERYTHING, PROJECT
from .facts import Facts
from .national import PATTERNS as NATIONAL
from .nodes import Node, is_blank
from .rule import RULES, Below, Context, Pattern

__all__ = ["LAYER", "RELEASE"]

OCCURRENCES_MAX = 100
"""Findings of one rule in one document, as in the layer of EN 16931."""

PATTERNS: tuple[Pattern, ...] = (PROJECT, EVERYTHING, CODES)


PLACES_MAX = 20_000
"""Places that are remembered for a pattern; a hostile document could invent any number."""

Row = tuple[Context, ...]


@dataclass(frozen=True, slots=True)
class _Met:
    """The contexts an element meets at its place: a row for each pattern, in order of precedence.

    Attributes:
        rows: for an element whose ``schemeID`` no context names.
        of_scheme: for the others, by their ``schemeID``.
    """

    rows: tuple[Row, ...]
    of_scheme: dict[str, tuple[Row, ...]]


class _Patterns:
    """Patterns that are looked at together, and what they ask at each place, worked out once."""

    def __init__(self, *patterns: Pattern) -> None:
        self._patterns = patterns
        self.known: dict[Place, _Met | None] = {}

    def at(self, place: Place) -> _Met | None:
        """Return what a place meets; None for most of them."""
        found = [[each for context in pattern.contexts if (each := _at(context, place))] for pattern in self._patterns]
        schemes = {context.scheme for row in found for context in row if context.scheme is not None}
        met = _Met(_rows(found, None), {scheme: _rows(found, scheme) for scheme in schemes}) if any(found) else None
        if len(self.known) < PLACES_MAX:
            self.known[place] = met
        return met


def _at(context: Context, place: Place) -> Context | None:
    """Return the context as it is for all elements of a place, if it can take any of them."""
    if place.name not in context.names:
        return None
    if not isinstance(context.takes, Below):
        return context
    return replace(context, takes=None) if context.takes.takes(place) else None


def _rows(found: list[list[Context]], scheme: str | None) -> tuple[Row, ...]:
    kept = (tuple(context for context in row if context.scheme in {None, scheme}) for row in found)
    return tuple(row for row in kept if row)


_BASE = _Patterns(*PATTERNS)
_NATIONAL = tuple((pattern.applies, _Patterns(pattern)) for pattern in NATIONAL)


def judge(subject: Subject) -> list[Finding]:
    """Return the findings of one document."""
    broken: dict[str, int] = {}
    findings: list[Finding] = []
    for rule, element in _broken(subject):
        broken[rule.id] = times = broken.get(rule.id, 0) + 1
        if times <= OCCURRENCES_MAX:
            text = (element.text or "").strip()
            findings.append(finding(rule, element, text or None))
    return findings


def _broken(subject: Subject) -> Iterator[tuple[Rule, Node]]:
    facts = Facts(subject.root)
    seen = subject.tree.seen
    for _, group, value in seen:
        if value is None:
            if not group.groups and not group.values and is_blank(group.element.text):
                yield EMPTY_ELEMENT, group.element
        elif is_blank(value.text) and not len(value):
            yield EMPTY_ELEMENT, value
    yield from _broken_in(seen, facts, _BASE)
    for applies, patterns in _NATIONAL:
        if applies is not None and applies(facts):
            yield from _broken_in(seen, facts, patterns)


def _broken_in(seen: list[Seen], facts: Facts, patterns: _Patterns) -> Iterator[tuple[Rule, Node]]:
    known = patterns.known
    for place, group, value in seen:
        met = known[place] if place in known else patterns.at(place)
        if met is None:
            continue
        element = group.element if value is None else value
        rows = met.of_scheme.get(element.get("schemeID", ""), met.rows) if met.of_scheme else met.rows
        for row in rows:
            for context in row:
                if context.takes is None or context.takes(element, facts):
                    for rule, holds in context.rules:
                        if not holds(element, facts):
                            yield rule, element
                    break


LAYER = Layer("peppol", RULES, judge)

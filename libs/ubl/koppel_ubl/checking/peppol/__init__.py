"""The rules of Peppol BIS Billing 3 and of its self-billing, with those of the countries, from their meaning.

Release 3.0.21 (May 2026) is followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from koppel_ubl.checking.layer import Layer, Subject, finding
from koppel_ubl.checking.report import Finding, Rule

from . import codes, document, identifiers, lines  # noqa: F401 - each declares its rules
from .code_lists import RELEASE
from .codes import CODES, EMPTY_ELEMENT, is_empty
from .document import EVERYTHING, PROJECT
from .facts import Facts
from .national import PATTERNS as NATIONAL
from .nodes import Node
from .rule import RULES, Context, Pattern

__all__ = ["LAYER", "RELEASE"]

OCCURRENCES_MAX = 100
"""Findings of one rule in one document, as in the layer of EN 16931."""

PATTERNS: tuple[Pattern, ...] = (PROJECT, EVERYTHING, CODES)


Row = tuple[Context, ...]


@dataclass(frozen=True, slots=True)
class _Met:
    """The contexts an element's name can meet: a row for each pattern, in order of precedence.

    Attributes:
        rows: for an element whose ``schemeID`` no context names.
        of_scheme: for the others, by their ``schemeID``.
    """

    rows: tuple[Row, ...]
    of_scheme: dict[str, tuple[Row, ...]]


def _by_tag(patterns: tuple[Pattern, ...]) -> dict[str, _Met]:
    tags = {tag for pattern in patterns for context in pattern.contexts for tag in context.tags}
    return {tag: _met(patterns, tag) for tag in tags}


def _met(patterns: tuple[Pattern, ...], tag: str) -> _Met:
    found = [[context for context in pattern.contexts if tag in context.tags] for pattern in patterns]
    schemes = {context.scheme for row in found for context in row if context.scheme is not None}

    def rows(scheme: str | None) -> tuple[Row, ...]:
        kept = (tuple(context for context in row if context.scheme in {None, scheme}) for row in found)
        return tuple(row for row in kept if row)

    return _Met(rows(None), {scheme: rows(scheme) for scheme in schemes})


_BASE = _by_tag(PATTERNS)
_NATIONAL = tuple((pattern.applies, _by_tag((pattern,))) for pattern in NATIONAL)


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
    elements = [group.element if value is None else value for _, group, value in subject.tree.seen]
    for element in elements:
        if is_empty(element):
            yield EMPTY_ELEMENT, element
    yield from _broken_in(elements, facts, _BASE)
    for applies, contexts in _NATIONAL:
        if applies is not None and applies(facts):
            yield from _broken_in(elements, facts, contexts)


def _broken_in(elements: list[Node], facts: Facts, contexts: dict[str, _Met]) -> Iterator[tuple[Rule, Node]]:
    for element in elements:
        met = contexts.get(element.tag)  # type: ignore[arg-type]  # tags are text: safe_xml leaves no comments
        if met is None:
            continue
        rows = met.of_scheme.get(element.get("schemeID", ""), met.rows) if met.of_scheme else met.rows
        for row in rows:
            for context in row:
                if context.takes is None or context.takes(element, facts):
                    for rule, holds in context.rules:
                        if not holds(element, facts):
                            yield rule, element
                    break


LAYER = Layer("peppol", RULES, judge)

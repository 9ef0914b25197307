"""Assertions: what must hold for a node, and the violation to report where it does not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from koppel_ubl.report import Rule, Sentence

from .facts import Facts
from .tree import Element, Node

Test = Callable[[Any, Facts], bool]
"""Whether something holds for a node: a ``Group`` or a ``Value``, depending on the place of the assertion."""


class Violation(NamedTuple):
    """A rule that does not hold, and where.

    Attributes:
        node: the group or value; or an element inside a value, where none belongs.
        message: a sentence about this case, where the sentence of the rule is too general.
        found: what was found; None leaves that to the layer.
        offset: added to the position of the node in the document, where the violation is reported behind the node.
    """

    rule: Rule
    node: Node | Element
    message: Sentence | None = None
    found: str | None = None
    offset: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Assertion:
    """Something that must hold for every node at a place.

    Attributes:
        holds: whether it does; may raise ``NotCastableError``.
        violations: what to report when it does not.
        phase: a layer reports phase by phase; within a phase, in the order of the document.
        rule: the rule it tests, where that is one.
        select: where it is a choice of other assertions, for a condition or a kind of group: which of them apply to a node.
    """

    holds: Test
    violations: Callable[[Any, Facts], list[Violation]]
    phase: int = 0
    select: "Callable[[Any, Facts], Iterable[Assertion]] | None" = None
    rule: Rule | None = None


def assert_rule(rule: Rule, holds: Test, phase: int = 0) -> Assertion:
    """Return the assertion that a rule holds for a node."""
    return Assertion(holds, lambda node, facts: [Violation(rule, node)], phase, rule=rule)


def assert_none(rule: Rule, find: Callable[[Any, Facts], Iterable[Node]], phase: int = 0) -> Assertion:
    """Return the assertion that ``find`` finds no nodes which violate a rule, at or below a node."""
    return Assertion(
        lambda node, facts: next(iter(find(node, facts)), None) is None,
        lambda node, facts: [Violation(rule, wrong) for wrong in find(node, facts)],
        phase,
    )


def assert_selected(select: Callable[[Any, Facts], Iterable[Assertion]], phase: int = 0) -> Assertion:
    """Return the assertion that those hold which ``select`` returns for a node."""

    def holds(node: Node, facts: Facts) -> bool:
        return all(assertion.holds(node, facts) for assertion in select(node, facts))

    def violations(node: Node, facts: Facts) -> list[Violation]:
        return [
            violation
            for assertion in select(node, facts)
            if not assertion.holds(node, facts)
            for violation in assertion.violations(node, facts)
        ]

    return Assertion(holds, violations, phase, select)

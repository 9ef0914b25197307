"""What a layer asks at a place: a question, which holds or says what is wrong."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .facts import Facts
from .report import Rule, Sentence
from .tree import Element, Node

Test = Callable[[Any, Facts], bool]
"""Whether something holds for a node; which kind of node that is, a group or a value, follows from the place."""


class Said(NamedTuple):
    """A rule that does not hold, and where.

    Attributes:
        node: the group or value, or an element below a value, where none belongs.
        message: a sentence about this very case, where the rule's own says too little.
        found: what was found; None leaves it to the layer.
        behind: where the node's own place in the document is not the one to be told: what to go behind, from there.
    """

    rule: Rule
    node: Node | Element
    message: Sentence | None = None
    found: str | None = None
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Something to be asked of every node at a place.

    Attributes:
        holds: whether all is well; it may raise ``NotCastableError``.
        say: what is wrong, when it does not hold.
        phase: in which order a layer tells things; within a phase they are told in the order of the document.
        rule: the rule it is about, if that is one.
        choose: for a question that comes down to others, one of several kinds or under a condition: which.
    """

    holds: Test
    say: Callable[[Any, Facts], list[Said]]
    phase: int = 0
    choose: "Callable[[Any, Facts], Iterable[Question]] | None" = None
    rule: Rule | None = None


def asked(rule: Rule, holds: Test, phase: int = 0) -> Question:
    """Return the question whether a rule holds."""
    return Question(holds, lambda node, facts: [Said(rule, node)], phase, rule=rule)


def chosen(choose: Callable[[Any, Facts], Iterable[Question]], phase: int = 0) -> Question:
    """Return a question that comes down to those ``choose`` returns for a node."""

    def holds(node: Node, facts: Facts) -> bool:
        return all(question.holds(node, facts) for question in choose(node, facts))

    def say(node: Node, facts: Facts) -> list[Said]:
        return [
            said
            for question in choose(node, facts)
            if not question.holds(node, facts)
            for said in question.say(node, facts)
        ]

    return Question(holds, say, phase, choose)

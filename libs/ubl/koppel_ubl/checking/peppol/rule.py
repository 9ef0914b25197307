"""What a Peppol rule is, where it looks, and how rules share an element.

The official rules stand in patterns. Within one pattern an element is judged by the first context that takes it, and by
no later one; an element can be judged once in each pattern. That hides one error behind another, and is kept as it is:
the identifiers found must be those the network's own gateways find.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from koppel_ubl.checking.about import About
from koppel_ubl.checking.facts import Facts
from koppel_ubl.checking.places import Place
from koppel_ubl.checking.question import Test
from koppel_ubl.checking.report import Rule, Sentence, Severity

from .nodes import Node

RULES: dict[str, Rule] = {}
"""Every rule of the layer by id."""


def declare(rule_id: str, severity: Severity, term: str, sentence: Sentence) -> Rule:
    """Return a rule of this layer; several contexts may test the same one.

    Raises:
        ValueError: there is another rule with this id.
    """
    rule = RULES.setdefault(rule_id, Rule(rule_id, severity, "peppol", term, sentence))
    if rule.severity != severity:
        raise ValueError(rule_id)
    return rule


@dataclass(slots=True)
class Context:
    """The elements (by name, and a test where the name is not enough) that a group of rules judges."""

    names: tuple[str, ...]
    takes: Test | None
    scheme: str | None = None
    """Only elements with this ``schemeID``; said apart because it is quicker than to ask each context."""
    rules: list[tuple[Rule, Test]] = field(default_factory=list)

    def rule(self, rule_id: str, severity: Severity, term: str, *, nl: str, fr: str, en: str) -> Callable[[Test], Test]:
        """Make a rule of the function that follows: whether an element obeys it."""
        rule = declare(rule_id, severity, term, Sentence(nl, fr, en))

        def add(holds: Test) -> Test:
            self.rules.append((rule, holds))
            return holds

        return add


class Pattern:
    """Contexts in order of precedence, for the documents for which ``applies`` holds."""

    def __init__(self, applies: Callable[[About], bool] | None = None) -> None:
        self.applies = applies
        self.contexts: list[Context] = []

    def on(self, *names: str, where: Test | None = None, scheme: str | None = None) -> Context:
        """Open a context on elements such as ``cbc:Amount``."""
        context = Context(names, where, scheme)
        self.contexts.append(context)
        return context


class Below:
    """Takes an element only where its ancestors, nearest first, have these names."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def takes(self, place: Place) -> bool:
        """Return whether every element of a place is taken."""
        return place.is_below(*self._names)

    def __call__(self, node: Node, facts: Facts) -> bool:
        """Return whether one element is taken."""
        return self.takes(node.place)

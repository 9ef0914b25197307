"""How rules of EN 16931 are written down: a context says where, a small function says what must hold.

A context is one or more places: ``/`` is the document, ``/cac:TaxTotal`` a child of it, ``cac:Delivery`` a name wherever it
stands, ``cac:TaxTotal/cac:TaxSubtotal`` a name below another. A place that ends in ``cbc:`` is a value; its rules are given
the value's element. ``where`` narrows a context to some of the groups that stand there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from koppel_ubl.checking.report import Rule, Sentence, Severity
from koppel_ubl.checking.tree import Element, Group, Place

from .facts import Facts

GroupTest = Callable[[Group, Facts], bool]
KindOf = Callable[[Group, Facts], str | None]
ValueTest = Callable[[Element, Group, Facts], bool]

RULES: dict[str, Rule] = {}
"""Every rule of the layer by id."""

GroupRules = tuple[tuple[GroupTest | None, tuple[tuple[Rule, GroupTest], ...]], ...]
KindRules = tuple[tuple[KindOf, dict[str, tuple[tuple[Rule, GroupTest], ...]]], ...]
ValueRules = tuple[tuple[Rule, ValueTest], ...]


def declare(rule_id: str, severity: Severity, term: str, sentence: Sentence) -> Rule:
    """Add a rule to the layer.

    Raises:
        ValueError: there is one with this id.
    """
    if rule_id in RULES:
        raise ValueError(rule_id)
    RULES[rule_id] = rule = Rule(rule_id, severity, "en16931", term, sentence)
    return rule


class Groups:
    """A context of groups. ``unless`` names places that another context takes."""

    def __init__(self, *places: str, where: GroupTest | None = None, unless: tuple[str, ...] = ()) -> None:
        self.places = places
        self.where = where
        self.unless = unless
        self.rules: list[tuple[Rule, GroupTest]] = []
        _contexts.append(self)

    def rule(
        self, rule_id: str, term: str, *, nl: str, fr: str, en: str, severity: Severity = "fatal"
    ) -> Callable[[GroupTest], GroupTest]:
        """Make a rule of the function that follows: whether it holds for a group."""
        rule = declare(rule_id, severity, term, Sentence(nl, fr, en))

        def add(holds: GroupTest) -> GroupTest:
            self.rules.append((rule, holds))
            return holds

        return add

    def takes(self, path: str) -> bool:
        """Return whether the context looks at this place."""
        return _matches(path, self.places) and not _matches(path, self.unless)


class Kinds:
    """A context whose groups are of several kinds, such as VAT categories: ``kind`` is asked once, and names the rules."""

    def __init__(self, *places: str, kind: KindOf) -> None:
        self.places = places
        self.kind = kind
        self.contexts: dict[str, Groups] = {}
        _kinds.append(self)

    def of(self, kind: str) -> Groups:
        """Return the context of one kind."""
        if kind not in self.contexts:
            self.contexts[kind] = Groups()
        return self.contexts[kind]


class Values:
    """A context of values."""

    def __init__(self, *places: str) -> None:
        self._takes: Callable[[str], bool] = lambda path: _matches(path, places)
        self.rules: list[tuple[Rule, ValueTest]] = []
        _value_contexts.append(self)

    @classmethod
    def of_names(cls, takes: Callable[[str], bool]) -> "Values":
        """Return a context of the values whose place answers to ``takes``."""
        context = cls()
        context._takes = takes
        return context

    def takes(self, path: str) -> bool:
        """Return whether the context looks at this place."""
        return self._takes(path)

    def rule(
        self, rule_id: str, term: str, *, nl: str, fr: str, en: str, severity: Severity = "fatal"
    ) -> Callable[[ValueTest], ValueTest]:
        """Make a rule of the function that follows: whether it holds for a value."""
        return self.under(declare(rule_id, severity, term, Sentence(nl, fr, en)))

    def under(self, rule: Rule) -> Callable[[ValueTest], ValueTest]:
        """Test one more thing under a rule that was declared already."""

        def add(holds: ValueTest) -> ValueTest:
            self.rules.append((rule, holds))
            return holds

        return add


@dataclass(frozen=True)
class Judged:
    """All that must hold at one place."""

    groups: GroupRules
    kinds: KindRules
    values: ValueRules
    forbidden: tuple[Rule, ...]

    @cached_property
    def is_free(self) -> bool:
        """Whether nothing is asked here."""
        return not (self.groups or self.kinds or self.values or self.forbidden)


_contexts: list[Groups] = []
_kinds: list[Kinds] = []
_value_contexts: list[Values] = []
_forbidden: dict[str, list[Rule]] = {}


def forbid(rule: Rule, *places: str) -> None:
    """Say that nothing may stand at these places; ``//cac:X`` is a name wherever it stands."""
    for place in places:
        _forbidden.setdefault(place, []).append(rule)


ATTRIBUTES: dict[str, Rule] = {}
"""Attributes that may stand nowhere (``name``: only at a code of a means of payment), each with its rule."""


def forbid_attribute(rule: Rule, name: str) -> None:
    """Say that no element may have this attribute."""
    ATTRIBUTES[name] = rule


def judged(place: Place) -> Judged:
    """Return what must hold at a place, working it out the first time."""
    known = place.judged
    if isinstance(known, Judged):
        return known
    path = place.path
    made = Judged(
        tuple((context.where, tuple(context.rules)) for context in _contexts if place.is_group and context.takes(path)),
        tuple(
            (each.kind, {kind: tuple(context.rules) for kind, context in each.contexts.items()})
            for each in _kinds
            if _matches(path, each.places)
        ),
        tuple(rule for context in _value_contexts if context.takes(path) for rule in context.rules),
        tuple(_forbidden_at(path)),
    )
    place.judged = made
    return made


def _forbidden_at(path: str) -> Iterator[Rule]:
    yield from _forbidden.get(path, ())
    steps = path.split("/")
    for first in range(1, len(steps)):
        yield from _forbidden.get("//" + "/".join(steps[first:]), ())


def _matches(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place if place.startswith("/") else f"/{path}".endswith("/" + place) for place in places)

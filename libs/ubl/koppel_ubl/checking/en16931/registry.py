"""How rules of EN 16931 are written down: a context says where, a small function says what must hold.

A context is one or more places: ``/`` is the document, ``/cac:TaxTotal`` a child of it, ``cac:Delivery`` a name wherever it
stands, ``cac:TaxTotal/cac:TaxSubtotal`` a name below another. A place that ends in ``cbc:`` is a value. ``where`` narrows a
context to some of the groups that stand there.
"""

from collections.abc import Callable, Iterator

from koppel_ubl.checking.about import About
from koppel_ubl.checking.facts import Facts
from koppel_ubl.checking.places import Place
from koppel_ubl.checking.question import Question, Said, asked, chosen
from koppel_ubl.checking.report import Rule, Sentence, Severity
from koppel_ubl.checking.tree import Group, Node, Value

GroupTest = Callable[[Group, Facts], bool]
KindOf = Callable[[Group, Facts], str | None]
ValueTest = Callable[[Value, Facts], bool]

RULES: dict[str, Rule] = {}
"""Every rule of the layer by id."""


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


UNUSED_ATTRIBUTES, USUAL = 0, 1
"""The phases of this layer: attributes that are not used are told first."""


def questions(place: Place, about: About) -> tuple[Question, ...]:
    """Return what is asked at a place."""
    if "en16931" not in place.asked:
        place.asked["en16931"] = tuple(_questions(place))
    return place.asked["en16931"]  # type: ignore[return-value]  # the layer keeps its own there


def _questions(place: Place) -> Iterator[Question]:
    path = place.path
    if place.above is not None:
        yield Question(_has_no_unused_attribute, _say_unused_attributes, UNUSED_ATTRIBUTES)
    for rule in _forbidden_at(path):
        yield asked(rule, lambda node, facts: False, USUAL)
    for context in _contexts if place.is_group else ():
        if context.takes(path):
            yield from _under(context.where, _all(context.rules))
    for kinds in _kinds:
        if _matches(path, kinds.places):
            yield _of_kind(kinds.kind, {kind: _all(context.rules) for kind, context in kinds.contexts.items()})
    for values in () if place.is_group else _value_contexts:
        if values.takes(path):
            yield from _all(values.rules)


def _all(rules: list[tuple[Rule, GroupTest]] | list[tuple[Rule, ValueTest]]) -> tuple[Question, ...]:
    return tuple(asked(rule, holds, USUAL) for rule, holds in rules)


def _under(where: GroupTest | None, rules: tuple[Question, ...]) -> tuple[Question, ...]:
    return rules if where is None else (chosen(lambda group, facts: rules if where(group, facts) else (), USUAL),)


def _of_kind(kind: KindOf, rules_of: dict[str, tuple[Question, ...]]) -> Question:
    return chosen(lambda group, facts: rules_of.get(kind(group, facts) or "", ()), USUAL)


def _has_no_unused_attribute(node: Node, facts: Facts) -> bool:
    return not _say_unused_attributes(node, facts)


def _say_unused_attributes(node: Node, facts: Facts) -> list[Said]:
    said = [
        Said(ATTRIBUTES[name], node)
        for name in node.attributes
        if name in ATTRIBUTES and (name != "name" or node.place.name != "cbc:PaymentMeansCode")
    ]
    if isinstance(node, Value) and node.token.is_odd:
        said += (
            Said(ATTRIBUTES[str(name)], element, behind=(0,))
            for element in node.element.iterdescendants()
            for name in element.attrib
            if name in ATTRIBUTES
        )
    return said


def _forbidden_at(path: str) -> Iterator[Rule]:
    yield from _forbidden.get(path, ())
    steps = path.split("/")
    for first in range(1, len(steps)):
        yield from _forbidden.get("//" + "/".join(steps[first:]), ())


def _matches(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place if place.startswith("/") else f"/{path}".endswith("/" + place) for place in places)

"""Evaluates the assertions of the layers on a document, each of them only where the shapes do not answer it already.

The first group of a shape is evaluated in full, and the tree records whether an assertion read a free text, and how far up it
looked. An assertion that holds, read no text and did not look above the group, holds for every group of this shape and is not
evaluated again. The others are the *plan* of the shape: assertions about texts, about the surroundings of the group, and those
that did not hold. The plan of a group includes the plans of the groups in it, and evaluates again what those left open because
it depends on their surroundings. A document is checked by the plan of its root.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import localcontext
from itertools import islice
from typing import Any, NamedTuple

from koppel_ubl.report import Finding

from .assertion import Assertion, Test, Violation
from .document_context import context_of
from .facts import Facts
from .layer import Layer
from .places import KEPT_PARTS_MAX, Place
from .tree import NOWHERE, Group, Node, Tree, Value
from .values import DIGITS, NotCastableError

Position = tuple[int, ...]
"""Where something is in the document: the indexes of the children, from the root on."""


class _Step(NamedTuple):
    """One assertion of a plan.

    Attributes:
        way: the way down to a group; ``at``: the index of the value in it, or -1 for the group itself.
        top: the depth of the group whose shape answers it; -1 where no shape does.
    """

    way: tuple[int, ...]
    at: int
    holds: Test
    layer: int
    assertion: Assertion
    top: int


Plan = tuple[_Step, ...]
_NEVER = -1


class _Violations:
    """The violations of a document, and the values that could not be cast, each with its layer and position."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.violations: list[tuple[int, int, Position, Violation]] = []
        self.not_castable: list[tuple[int, int, Position, Value]] = []
        self._layers = layers
        self._times: Counter[tuple[int, str]] = Counter()

    def record(self, layer: int, assertion: Assertion, position: Position, node: Node, facts: Facts) -> None:
        """Record the violations of an assertion; of each rule no more than the layer reports."""
        most = self._layers[layer].findings_max
        if assertion.rule is not None and self._times[layer, assertion.rule.id] >= most:
            return
        for violation in assertion.violations(node, facts):
            times = self._times[layer, violation.rule.id] = self._times[layer, violation.rule.id] + 1
            if times <= most:
                self.violations.append((layer, assertion.phase, (*position, *violation.offset), violation))

    def findings(self) -> Iterator[Finding]:
        """Yield the findings layer by layer; where a value cannot be cast, what the layer reports of that."""
        self.violations.sort(key=lambda one: one[:3])
        for number, layer in enumerate(self._layers):
            stops = sorted((one for one in self.not_castable if one[0] == number), key=lambda one: one[:3])
            if stops and layer.not_castable is not None:
                value = stops[0][3]
                yield layer.finding(Violation(layer.not_castable, value, found=value.element.text))
                continue
            first = {phase: position for _, phase, position, _ in reversed(stops)}
            reported = (
                violation
                for which, phase, position, violation in self.violations
                if which == number and (phase not in first or position <= first[phase])
            )
            yield from map(layer.finding, islice(reported, layer.all_findings_max))


class _Planner:
    """Makes the plan of a document from the plans of its groups."""

    def __init__(self, facts: Facts, layers: Sequence[Layer], name: str) -> None:
        self._facts = facts
        self._layers = layers
        self._key = name, facts.context

    def plan(self, group: Group) -> Iterable[_Step]:
        """Return what must be evaluated of a group and of all below it."""
        plan: Plan | None = group.shape.plans.get(self._key)
        if plan is None:
            if group.place.memory.is_full:
                return self._all_steps(group)
            if len(group) > KEPT_PARTS_MAX:
                return self._steps(group)
            plan = tuple(self._steps(group))
            if group.place.memory.has_room(1 + len(plan)):
                group.shape.plans[self._key] = plan
        return plan

    def _steps(self, group: Group) -> Iterator[_Step]:
        """Yield the steps in the order of the document."""
        depth = group.place.depth
        yield from self._open_at(group, -1, group, depth)
        for at, item in enumerate(group):
            if not isinstance(item, Group):
                yield from self._open_at(group, at, Value(group, at), depth)
                continue
            for step in self.plan(item):
                way = (at, *step.way)
                if step.top < depth:
                    yield _Step(way, *step[1:])
                else:
                    below = group.below(way)
                    node = below if step.at < 0 else Value(below, step.at)
                    for assertion, top in self._open(step.assertion, node, depth):
                        yield _Step(way, step.at, assertion.holds, step.layer, assertion, top)

    def _all_steps(self, group: Group) -> Iterator[_Step]:
        """Yield a step for every assertion: where no plan will be kept, making one is of no use."""
        for at in range(-1, len(group)):
            item = group if at < 0 else group[at]
            if at >= 0 and isinstance(item, Group):
                for step in self.plan(item):
                    yield _Step((at, *step.way), *step[1:])
            else:
                place = group.place if at < 0 else group.shape.parts[at].place
                for layer, assertion in self._assertions(place):
                    yield _Step((), at, assertion.holds, layer, assertion, _NEVER)

    def _open_at(self, group: Group, at: int, node: Node, depth: int) -> Iterator[_Step]:
        for layer, given in self._assertions(node.place):
            for assertion, top in self._open(given, node, depth):
                yield _Step((), at, assertion.holds, layer, assertion, top)

    def _assertions(self, place: Place) -> tuple[tuple[int, Assertion], ...]:
        """Return every assertion at a place, with the number of its layer."""
        if self._key not in place.compiled:
            place.compiled[self._key] = tuple(
                (number, assertion)
                for number, layer in enumerate(self._layers)
                for assertion in layer.assertions(place, self._facts.context)
            )
        return place.compiled[self._key]  # type: ignore[return-value]  # kept under a key of our own

    def _open(self, assertion: Assertion, node: Node, depth: int) -> Iterable[tuple[Assertion, int]]:
        """Return what stays open for the other groups of a shape at this depth, and the depth of the shape that answers it."""
        tree = node.tree
        tree.has_read, tree.top = False, NOWHERE
        top = _NEVER
        try:
            selected = None if assertion.select is None else assertion.select(node, self._facts)
            is_good = selected is not None or assertion.holds(node, self._facts)
            if is_good and not tree.has_read:
                if tree.top >= depth:
                    return [still for one in selected or () for still in self._open(one, node, depth)]
                top = tree.top
        except NotCastableError:
            pass
        return ((assertion, top),)


def evaluate(tree: Tree, layers: tuple[Layer, ...], name: str) -> tuple[Finding, ...]:
    """Return the findings of the layers in a document; ``name`` is the name of these layers together."""
    found: _Violations | None = None
    root = tree.root
    facts = Facts(tree, context_of(root))
    with localcontext(DIGITS):
        for way, at, holds, layer, assertion, _ in _Planner(facts, layers, name).plan(root):
            node: Any = root
            for step in way:
                node = node[step]
            if at >= 0:
                node = Value(node, at)
            try:
                if holds(node, facts):
                    continue
                found = found or _Violations(layers)
                found.record(layer, assertion, _position(way, at), node, facts)
            except NotCastableError as error:
                found = found or _Violations(layers)
                found.not_castable.append((layer, assertion.phase, _position(way, at), error.value))
    return () if found is None else tuple(found.findings())


def _position(way: tuple[int, ...], at: int) -> Position:
    return way if at < 0 else (*way, at)

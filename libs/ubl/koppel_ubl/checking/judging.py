"""Asks a document all that its layers ask, and what can be known of its shape only once.

The first time a group of some shape is met, every question about it is asked, and it is watched whether a free text was read
for the answer, and how far up somebody looked. A good answer for which no text was read, and nobody looked above the group, is
the answer for all groups of this shape, and need never be asked again. What is left is the group's *plan*: the questions about
its texts, those about what stands around it, and those that were answered badly. The plan of a group takes in those of the
groups in it, and asks again what they left because it was about what stands around them. The plan of the root is what a whole
document is asked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import localcontext
from itertools import islice
from typing import Any, NamedTuple

from .about import about
from .facts import Facts
from .layer import Layer
from .places import KEPT_PARTS_MAX, Place
from .question import Question, Said, Test
from .report import Finding
from .shape import NOWHERE
from .tree import Group, Node, Tree, Value
from .values import DIGITS, NotCastableError

Order = tuple[int, ...]
"""Where something stands in the document: the places among the children, from the root on."""


class _Step(NamedTuple):
    """One question of a plan.

    Attributes:
        way: the way down to a group; ``at``: which of its values is asked about, or -1 for the group itself.
        top: the depth of the group whose shape tells the answer; -1 where no shape tells it.
    """

    way: tuple[int, ...]
    at: int
    holds: Test
    layer: int
    question: Question
    top: int


Plan = tuple[_Step, ...]
_NEVER = -1


class _Answers:
    """What was said of a document, and by which question that could not be answered, each with its layer and order."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.said: list[tuple[int, int, Order, Said]] = []
        self.stopped: list[tuple[int, int, Order, Value]] = []
        self._layers = layers
        self._times: Counter[tuple[int, str]] = Counter()

    def hear(self, layer: int, question: Question, order: Order, node: Node, facts: Facts) -> None:
        """Keep what a question says; a rule that is broken more often than a layer tells is not heard again."""
        most = self._layers[layer].findings_max
        if question.rule is not None and self._times[layer, question.rule.id] >= most:
            return
        for said in question.say(node, facts):
            times = self._times[layer, said.rule.id] = self._times[layer, said.rule.id] + 1
            if times <= most:
                self.said.append((layer, question.phase, (*order, *said.behind), said))

    def findings(self) -> Iterator[Finding]:
        """Give the findings layer by layer; where a layer stops, what it says of that."""
        self.said.sort(key=lambda one: one[:3])
        for number, layer in enumerate(self._layers):
            stopped = sorted((one for one in self.stopped if one[0] == number), key=lambda one: one[:3])
            if stopped and layer.not_castable is not None:
                value = stopped[0][3]
                yield layer.finding(Said(layer.not_castable, value, found=value.element.text))
                continue
            first = {phase: order for _, phase, order, _ in reversed(stopped)}
            said = (
                said
                for which, phase, order, said in self.said
                if which == number and (phase not in first or order <= first[phase])
            )
            yield from map(layer.finding, islice(said, layer.all_findings_max))


class _Planner:
    """Makes the plan of a document, from those of its groups."""

    def __init__(self, facts: Facts, layers: Sequence[Layer], name: str) -> None:
        self._facts = facts
        self._layers = layers
        self._key = name, facts.about

    def plan(self, group: Group) -> Iterable[_Step]:
        """Return what must be asked of a group and of all below it."""
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
        """Give the steps in the order of the document."""
        depth = group.place.depth
        yield from self._about(group, -1, group, depth)
        for at, item in enumerate(group):
            if not isinstance(item, Group):
                yield from self._about(group, at, Value(group, at), depth)
                continue
            for step in self.plan(item):
                way = (at, *step.way)
                if step.top < depth:
                    yield _Step(way, *step[1:])
                else:
                    below = group.below(way)
                    node = below if step.at < 0 else Value(below, step.at)
                    for question, top in self._left(step.question, node, depth):
                        yield _Step(way, step.at, question.holds, step.layer, question, top)

    def _all_steps(self, group: Group) -> Iterator[_Step]:
        """Give a step for everything that is asked: where no plan will be remembered, to make one is of no use."""
        for at in range(-1, len(group)):
            item = group if at < 0 else group[at]
            if at >= 0 and isinstance(item, Group):
                for step in self.plan(item):
                    yield _Step((at, *step.way), *step[1:])
            else:
                place = group.place if at < 0 else group.shape.parts[at].place
                for layer, question in self._asked(place):
                    yield _Step((), at, question.holds, layer, question, _NEVER)

    def _about(self, group: Group, at: int, node: Node, depth: int) -> Iterator[_Step]:
        for layer, asked in self._asked(node.place):
            for question, top in self._left(asked, node, depth):
                yield _Step((), at, question.holds, layer, question, top)

    def _asked(self, place: Place) -> tuple[tuple[int, Question], ...]:
        """Return all that is asked at a place, each with the number of its layer."""
        if self._key not in place.asked:
            place.asked[self._key] = tuple(
                (number, question)
                for number, layer in enumerate(self._layers)
                for question in layer.questions(place, self._facts.about)
            )
        return place.asked[self._key]  # type: ignore[return-value]  # kept under a key of our own

    def _left(self, question: Question, node: Node, depth: int) -> Iterable[tuple[Question, int]]:
        """Return what is to be asked of other groups of a shape, which is ``depth`` deep, and how deep its answer is told."""
        tree = node.tree
        tree.has_read, tree.top = False, NOWHERE
        top = _NEVER
        try:
            chosen = None if question.choose is None else question.choose(node, self._facts)
            is_good = chosen is not None or question.holds(node, self._facts)
            if is_good and not tree.has_read:
                if tree.top >= depth:
                    return [left for one in chosen or () for left in self._left(one, node, depth)]
                top = tree.top
        except NotCastableError:
            pass
        return ((question, top),)


def findings(tree: Tree, layers: tuple[Layer, ...], name: str) -> tuple[Finding, ...]:
    """Return what the layers find in a document; ``name`` is what the layers are known under together."""
    answers: _Answers | None = None
    root = tree.root
    facts = Facts(tree, about(root))
    with localcontext(DIGITS):
        for way, at, holds, layer, question, _ in _Planner(facts, layers, name).plan(root):
            node: Any = root
            for step in way:
                node = node[step]
            if at >= 0:
                node = Value(node, at)
            try:
                if holds(node, facts):
                    continue
                answers = answers or _Answers(layers)
                answers.hear(layer, question, _order(way, at), node, facts)
            except NotCastableError as error:
                answers = answers or _Answers(layers)
                answers.stopped.append((layer, question.phase, _order(way, at), error.value))
    return () if answers is None else tuple(answers.findings())


def _order(way: tuple[int, ...], at: int) -> Order:
    return way if at < 0 else (*way, at)

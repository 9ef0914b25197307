"""Asks a document all that its layers ask, and what can be known of its shape only once.

The root, and each group below it, is a *part*. The first time a part of some shape is met, every question about every element
in it is asked, and it is watched whether a free text was read for the answer. Where it was not, the answer is that of all parts
of this shape, and when it is good it need never be asked again. What is left is the part's *plan*: the questions about its
texts, and those that were answered badly. All later parts of the shape are asked no more than their plan.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import localcontext
from itertools import islice

from .about import about
from .facts import Facts
from .layer import Layer
from .question import Question, Said, Test
from .report import Finding
from .tree import Group, Node, Tree, Value
from .values import DIGITS, NotCastableError

Order = tuple[int, ...]
"""Where something stands in the document: the places among the children, from the root on."""
Step = tuple[tuple[int, ...], int, Test, int, Question]
"""A step of a plan: the way to a group, which of its values (or -1), what to ask, for which layer."""
Plan = tuple[Step, ...]


class _Answers:
    """What was said of a document, and by which question that could not be answered, each with its layer and order."""

    def __init__(self) -> None:
        self.said: list[tuple[int, int, Order, Said]] = []
        self.stopped: list[tuple[int, int, Order, Value]] = []
        self._times: Counter[tuple[int, str]] = Counter()

    def hear(self, layers: Sequence[Layer], layer: int, question: Question, order: Order, answers: list[Said]) -> None:
        """Keep what a question said; a rule that is broken more often than a layer tells is not heard again."""
        for said in answers:
            times = self._times[layer, said.rule.id] = self._times[layer, said.rule.id] + 1
            if times <= layers[layer].findings_max:
                self.said.append((layer, question.phase, (*order, *said.behind), said))

    def findings(self, layers: Sequence[Layer]) -> Iterator[Finding]:
        """Give the findings layer by layer; where a layer stops, what it says of that."""
        self.said.sort(key=lambda one: one[:3])
        for number, layer in enumerate(layers):
            stopped = [one for one in self.stopped if one[0] == number]
            if stopped and layer.not_castable is not None:
                *_, value = min(stopped, key=lambda one: one[:3])
                yield layer.finding(Said(layer.not_castable, value, found=value.element.text))
                continue
            said = (
                said
                for which, phase, order, said in self.said
                if which == number and not any(phase == other and order > at for _, other, at, _ in stopped)
            )
            yield from map(layer.finding, islice(said, layer.all_findings_max))


def findings(tree: Tree, layers: tuple[Layer, ...], name: str) -> tuple[Finding, ...]:
    """Return what the layers find in a document; ``name`` is what the layers are known under together."""
    answers = _Answers()
    root = tree.root
    facts = Facts(tree, about(root))
    key = name, facts.about
    with localcontext(DIGITS):
        for at in range(-1, len(root)):
            part = root if at < 0 else root[at]
            if type(part) is not Group:
                continue
            plan: Plan | None = part.shape.plans.get(key)
            if plan is None:
                plan = _plan(part, facts, layers)
                if part.place.memory.has_room(1 + len(plan)):
                    part.shape.plans[key] = plan
            if plan:
                _ask(part, at, plan, facts, layers, answers)
    return tuple(answers.findings(layers)) if answers.said or answers.stopped else ()


def _ask(part: Group, at: int, plan: Plan, facts: Facts, layers: Sequence[Layer], answers: _Answers) -> None:
    for path, position, holds, layer, question in plan:
        node: Node = part
        for step in path:
            node = node[step]  # type: ignore[index]  # a path leads through groups
        if position >= 0:
            node = Value(node, position)  # type: ignore[arg-type]
        try:
            if holds(node, facts):
                continue
            answers.hear(layers, layer, question, _order(at, path, position), question.say(node, facts))
        except NotCastableError as error:
            answers.stopped.append((layer, question.phase, _order(at, path, position), error.value))


def _order(at: int, path: tuple[int, ...], position: int) -> Order:
    return (*(() if at < 0 else (at,)), *path, *(() if position < 0 else (position,)))


def _plan(part: Group, facts: Facts, layers: Sequence[Layer]) -> Plan:
    is_root = part.above is None
    return tuple(
        (path, position, question.holds, number, question)
        for path, position, node in _nodes(part, (), is_root)
        for number, layer in enumerate(layers)
        for asked in layer.questions(node.place, facts.about)
        for question in _left(asked, node, facts, is_root)
    )


def _nodes(group: Group, path: tuple[int, ...], is_root: bool) -> Iterator[tuple[tuple[int, ...], int, Node]]:
    """Give a group, and its values and (but for the root, where they are parts) its groups, in the order of the document."""
    yield path, -1, group
    for at, item in enumerate(group):
        if not isinstance(item, Group):
            yield path, at, Value(group, at)
        elif not is_root:
            yield from _nodes(item, (*path, at), is_root)


def _left(question: Question, node: Node, facts: Facts, is_root: bool) -> Iterable[Question]:
    """Return what must be asked again of other parts of this shape: nothing, when the answer is good and no text was read."""
    tree = node.tree
    tree.has_read = tree.has_looked_around = False
    try:
        if question.choose is not None:
            chosen = question.choose(node, facts)
            if _is_of_shape(tree, is_root):
                return [left for one in chosen for left in _left(one, node, facts, is_root)]
        elif question.holds(node, facts) and _is_of_shape(tree, is_root):
            return ()
    except NotCastableError:
        pass
    return (question,)


def _is_of_shape(tree: Tree, is_root: bool) -> bool:
    # The shape of the root is that of the whole document: looking around, its questions see nothing else.
    return not tree.has_read and (is_root or not tree.has_looked_around)

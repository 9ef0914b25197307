"""How rules are declared: a ``RuleSet`` holds those of a layer, a context says where they apply, a function says what holds.

    RULES = RuleSet("en16931")
    LINE = RULES.on("cac:InvoiceLine", "cac:CreditNoteLine")

    @LINE.rule("BR-21", "fatal", "BT-126", nl="…", fr="…", en="State the number of every line.")
    def line_has_number(line: Group, facts: Facts) -> bool:
        return line.has("cbc:ID")

A *path* says where: ``/`` is the document, ``/cac:TaxTotal`` a child of the document, ``cac:Delivery`` an element of that name
wherever it stands, ``cac:TaxTotal/cac:TaxSubtotal`` one directly below another. A ``*`` stands for any characters:
``cbc:*Amount`` is every value whose name ends in ``Amount``, and ``*`` alone is every element.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from koppel_ubl.report import LayerName, Rule, Sentence, Severity

from .assertion import Assertion, Test, assert_none, assert_rule, assert_selected
from .document_context import DocumentContext
from .facts import Facts
from .places import Place
from .tree import Node

Find = Callable[[Any, Facts], Iterable[Node]]
"""The nodes that violate a rule, among those at or below a node."""
Kind = Callable[[Any, Facts], str | None]
Applies = Callable[[DocumentContext], bool]

EVERY_ELEMENT = "*"
FIRST, USUAL = 0, 1
"""Phases: what applies to every element is reported first, then the rules of all documents, then each conditional pattern."""


class Context:
    """Where a group of rules applies: at its paths, for the nodes for which ``where`` holds and that have the ``scheme``."""

    def __init__(self, rules: "RuleSet", paths: tuple[str, ...], where: Test | None, scheme: str | None) -> None:
        self.paths = paths
        self.where = where
        self.scheme = scheme
        self.assertions: list[Assertion] = []
        self.phase = FIRST if paths == (EVERY_ELEMENT,) else USUAL
        self._rules = rules

    def rule(self, rule_id: str, severity: Severity, term: str, *, nl: str, fr: str, en: str) -> Callable[[Test], Test]:
        """Declare a rule, and make the decorated function its test: whether it holds for a node.

        Raises:
            ValueError: there is another rule with this id.
        """
        return self.test(self._rules.declare(rule_id, severity, term, nl=nl, fr=fr, en=en))

    def test(self, rule: Rule) -> Callable[[Test], Test]:
        """Make the decorated function one more test of a declared rule."""

        def add(holds: Test) -> Test:
            self.add(assert_rule(rule, holds, self.phase))
            return holds

        return add

    def search(
        self, rule_id: str, severity: Severity, term: str, *, nl: str, fr: str, en: str
    ) -> Callable[[Find], Find]:
        """Declare a rule, and make the decorated function its search: it yields the nodes that violate the rule.

        Raises:
            ValueError: there is another rule with this id.
        """
        rule = self._rules.declare(rule_id, severity, term, nl=nl, fr=fr, en=en)

        def add(find: Find) -> Find:
            self.add(assert_none(rule, find, self.phase))
            return find

        return add

    def add(self, assertion: Assertion) -> None:
        """Add an assertion that is no rule by itself."""
        self.assertions.append(assertion)


class Pattern:
    """Contexts in order of precedence: within a pattern only the first context that applies to a node judges it.

    That is how Schematron patterns work, and it hides one error behind another; it is kept, so that the findings are those of
    the gateways of the network.
    """

    def __init__(self, rules: "RuleSet", applies: Applies | None, number: int) -> None:
        self.applies = applies
        self.number = number
        self._phase = USUAL if applies is None else USUAL + number
        self._rules = rules

    def on(self, *paths: str, where: Test | None = None, scheme: str | None = None) -> Context:
        """Open a context at these paths, after the contexts that were opened before."""
        context = Context(self._rules, paths, where, scheme)
        context.phase = self._phase
        self._rules.index(paths, _Entry(context, self))
        return context


class Kinds:
    """Contexts at the same paths for groups of several kinds, such as VAT categories; ``kind`` is evaluated once for a group."""

    def __init__(self, rules: "RuleSet", kind: Kind) -> None:
        self.kind = kind
        self.contexts: dict[str, Context] = {}
        self._rules = rules

    def of(self, kind: str) -> Context:
        """Return the context of one kind."""
        if kind not in self.contexts:
            self.contexts[kind] = Context(self._rules, (), None, None)
        return self.contexts[kind]


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A context with what it belongs to."""

    context: Context | Kinds
    pattern: Pattern | None = None
    unless: tuple[str, ...] = ()


_Compiled = tuple[tuple[Assertion, ...], list[tuple[Applies, tuple[Assertion, ...]]]]
"""What always holds at a place, and what holds in the documents of conditional patterns."""


class RuleSet:
    """The rules of a layer by id, and where each of them applies.

    Attributes:
        by_id: every rule that was declared.
    """

    def __init__(self, layer: LayerName, *, rule_by_rule: bool = False) -> None:
        """Open a set without rules; ``rule_by_rule`` reports them in the order of their declaration."""
        self.by_id: dict[str, Rule] = {}
        self._layer = layer
        self._entries: list[_Entry] = []
        self._paths_to: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._forbidden: dict[str, list[Rule]] = defaultdict(list)
        self._patterns = 0
        self._rule_by_rule = rule_by_rule

    def declare(self, rule_id: str, severity: Severity, term: str, *, nl: str, fr: str, en: str) -> Rule:
        """Declare a rule; the same rule may be declared again, to test it in several contexts.

        Raises:
            ValueError: there is another rule with this id.
        """
        rule = Rule(rule_id, severity, self._layer, term, Sentence(nl, fr, en))
        if self.by_id.setdefault(rule_id, rule) != rule:
            raise ValueError(rule_id)
        return self.by_id[rule_id]

    def on(
        self, *paths: str, where: Test | None = None, unless: tuple[str, ...] = (), scheme: str | None = None
    ) -> Context:
        """Open a context at these paths, except at the paths ``unless``."""
        context = Context(self, paths, where, scheme)
        if self._rule_by_rule:
            context.phase = USUAL + len(self._entries)
        self.index(paths, _Entry(context, None, unless))
        return context

    def pattern(self, applies: Applies | None = None) -> Pattern:
        """Open a pattern, for all documents or for those with a context for which ``applies`` holds."""
        self._patterns += 1
        return Pattern(self, applies, self._patterns)

    def by_kind(self, *paths: str, kind: Kind) -> Kinds:
        """Open a context for each kind of group at these paths."""
        kinds = Kinds(self, kind)
        self.index(paths, _Entry(kinds))
        return kinds

    def forbid(self, rule: Rule, *paths: str) -> None:
        """Declare that there may be nothing at these paths."""
        for path in paths:
            self._forbidden[path].append(rule)

    def index(self, paths: tuple[str, ...], entry: _Entry) -> None:
        """Note where an entry applies, by the last name of its paths."""
        for path in paths:
            name = path.rpartition("/")[2]
            self._paths_to[EVERY_ELEMENT if "*" in name else name].append((len(self._entries), path))
        self._entries.append(entry)

    def assertions(self, place: Place, context: DocumentContext) -> tuple[Assertion, ...]:
        """Return what must hold at a place, in documents with a context."""
        compiled = cast("_Compiled | None", place.compiled.get(self))
        if compiled is None:
            place.compiled[self] = compiled = self._compile(place)
        always, conditional = compiled
        return (*always, *(one for applies, more in conditional if applies(context) for one in more))

    def _compile(self, place: Place) -> _Compiled:
        entries = self._at(place)
        every: list[Assertion] = []
        usual: list[Assertion] = [assert_rule(rule, _never, USUAL) for rule in self._forbidden_at(place.path)]
        conditional: list[tuple[Applies, tuple[Assertion, ...]]] = []
        patterns: dict[Pattern, list[Context]] = {}
        for entry in entries:
            if isinstance(entry.context, Kinds):
                usual.append(_of_kind(entry.context))
            elif entry.pattern is not None:
                patterns.setdefault(entry.pattern, []).append(entry.context)
            elif entry.context.paths == (EVERY_ELEMENT,):
                every += _under(entry.context)
            else:
                usual += _under(entry.context)
        for pattern, contexts in sorted(patterns.items(), key=lambda item: item[0].number):
            first = _first_of(contexts)
            if pattern.applies is None:
                usual.append(first)
            else:
                conditional.append((pattern.applies, (first,)))
        return (*every, *usual), conditional

    def _at(self, place: Place) -> Iterator[_Entry]:
        names = (place.name, EVERY_ELEMENT, "") if place.above is None else (place.name, EVERY_ELEMENT)
        paths = (path for name in names for path in self._paths_to.get(name, ()))
        for number in sorted({number for number, path in paths if leads_to(path, place)}):
            entry = self._entries[number]
            if not any(leads_to(path, place) for path in entry.unless):
                yield entry

    def _forbidden_at(self, path: str) -> Iterator[Rule]:
        yield from self._forbidden.get(path, ())
        steps = path.split("/")
        for first in range(1, len(steps)):
            yield from self._forbidden.get("/".join(steps[first:]), ())


def leads_to(path: str, place: Place) -> bool:
    """Return whether a path leads to a place."""
    if path in (place.name, EVERY_ELEMENT):
        return True
    if path.startswith("/"):
        return path == place.path
    if "*" in path:
        return fnmatchcase(f"/{place.path}", f"*/{path}")
    return f"/{place.path}".endswith(f"/{path}")


def _never(node: Node, facts: Facts) -> bool:
    return False


def _under(context: Context) -> Iterable[Assertion]:
    """Return the assertions of a context that stands alone; its conditions become one selection."""
    if context.where is None and context.scheme is None:
        return context.assertions
    return [_first_of([context])]


def _first_of(contexts: list[Context]) -> Assertion:
    """Return one assertion of several contexts: that of the first context that applies to a node."""
    choices = [(each.scheme, each.where, tuple(each.assertions)) for each in contexts]

    def select(node: Node, facts: Facts) -> tuple[Assertion, ...]:
        given = node.get("schemeID")
        for scheme, where, assertions in choices:
            if scheme in (None, given) and (where is None or where(node, facts)):
                return assertions
        return ()

    return assert_selected(select, contexts[0].phase)


def _of_kind(kinds: Kinds) -> Assertion:
    of: Mapping[str, tuple[Assertion, ...]] = {name: tuple(each.assertions) for name, each in kinds.contexts.items()}
    return assert_selected(lambda group, facts: of.get(kinds.kind(group, facts) or "", ()), USUAL)

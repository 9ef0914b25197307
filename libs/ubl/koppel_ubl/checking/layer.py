"""What a layer of rules is, and how what it says becomes a finding."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from .about import About
from .places import CREDIT_NOTE, INVOICE, Place
from .question import Question, Said
from .report import Finding, LayerName, Rule
from .tree import Group, Value

FOUND_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True)
class Layer:
    """Rules that are asked together.

    Attributes:
        rules: every rule of the layer by id; what a question says must stand in it.
        questions: what is asked of the elements at a place, in documents that are about something.
        found: what a finding says was found at an element, when the question did not say itself.
        findings_max: findings of one rule in one document; more say nothing new and would let a hostile document fill the memory.
        all_findings_max: likewise of all its rules together.
        not_castable: the one rule that is told of where a value cannot be understood at all; without it only that rule is left.
    """

    name: LayerName
    rules: Mapping[str, Rule]
    questions: Callable[[Place, About], Iterable[Question]]
    found: Callable[[Rule, etree._Element], str | None] = lambda rule, element: (element.text or "").strip() or None
    findings_max: int = 100
    all_findings_max: int | None = None
    not_castable: Rule | None = None

    def finding(self, said: Said) -> Finding:
        """Return the finding of what was said."""
        node, rule = said.node, said.rule
        element = node.element if isinstance(node, Group | Value) else node
        found = self.found(rule, element) if said.found is None else said.found
        if found is not None and len(found) > FOUND_CHARACTERS_MAX:
            found = found[: FOUND_CHARACTERS_MAX - 1] + "…"
        message = rule.sentence if said.message is None else said.message
        return Finding(
            rule.id, rule.severity, rule.layer, rule.term, message, path_of(element), element.sourceline, found
        )


def path_of(element: etree._Element) -> str:
    """Return the path from the document element: ``/Invoice/cac:InvoiceLine[2]/cbc:ID``; a place only where there are more."""
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        parent = node.getparent()
        tag = str(node.tag)
        name = etree.QName(tag).localname
        if tag.startswith(_AGGREGATE):
            name = f"cac:{name}"
        elif tag.startswith(_BASIC):
            name = f"cbc:{name}"
        if parent is not None:
            before = sum(1 for _ in node.itersiblings(tag, preceding=True))
            if before or next(node.itersiblings(tag), None) is not None:
                name = f"{name}[{before + 1}]"
        steps.append(name)
        if tag in _ROOTS:
            break
        node = parent
    return "/" + "/".join(reversed(steps))


_AGGREGATE = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_BASIC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_ROOTS = frozenset({INVOICE, CREDIT_NOTE})

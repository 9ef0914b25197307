"""A layer of rules, and how its violations become findings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from koppel_ubl.report import Finding, LayerName, Rule

from .assertion import Assertion, Violation
from .document_context import DocumentContext
from .places import CREDIT_NOTE, INVOICE, Place
from .tree import Group, Value

FOUND_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True)
class Layer:
    """Rules that are checked together.

    Attributes:
        rules: every rule of the layer by id; a violation names one of them.
        assertions: what must hold for the elements at a place, in documents with a context.
        found: what a finding shows as found at an element, when the violation does not have it.
        findings_max: findings of one rule in one document; more add nothing, and let a hostile document fill the memory.
        all_findings_max: findings of all its rules together.
        not_castable: the one finding of this layer where a value cannot be read at all; without it only the rule that met
            the value is skipped.
    """

    name: LayerName
    rules: Mapping[str, Rule]
    assertions: Callable[[Place, DocumentContext], Iterable[Assertion]]
    found: Callable[[Rule, etree._Element], str | None] = lambda rule, element: (element.text or "").strip() or None
    findings_max: int = 100
    all_findings_max: int | None = None
    not_castable: Rule | None = None

    def finding(self, violation: Violation) -> Finding:
        """Return the finding of a violation."""
        node, rule = violation.node, violation.rule
        element = node.element if isinstance(node, Group | Value) else node
        found = self.found(rule, element) if violation.found is None else violation.found
        if found is not None and len(found) > FOUND_CHARACTERS_MAX:
            found = found[: FOUND_CHARACTERS_MAX - 1] + "…"
        message = rule.sentence if violation.message is None else violation.message
        return Finding(
            rule=rule.id,
            severity=rule.severity,
            message=message,
            line=element.sourceline,
            column=None,
            path=path_of(element),
            found=found,
            layer=rule.layer,
            term=rule.term,
        )


def path_of(element: etree._Element) -> str:
    """Return the path from the document element: ``/Invoice/cac:InvoiceLine[2]/cbc:ID``; positions only among several."""
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

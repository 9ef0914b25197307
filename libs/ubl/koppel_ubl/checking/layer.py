"""What a layer of rules is, and what it is given to look at."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from .report import Finding, LayerName, Rule
from .tree import Tree

FOUND_CHARACTERS_MAX = 80


class Subject:
    """The document that is checked: its root, and its index.

    Attributes:
        root: the ``Invoice`` or ``CreditNote`` element; inside an envelope it is not the root of the XML.
        tree: the index of all elements, made in one pass and shared by the layers.
    """

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        # Made before any layer looks: lxml makes an element's Python object anew each time unless somebody holds it.
        self.tree = Tree(root)


@dataclass(frozen=True, slots=True)
class Layer:
    """Rules that are looked at together.

    Attributes:
        rules: every rule of the layer by id; what ``judge`` reports must stand in it.
        judge: gives the findings of one document. Nothing in a document makes it raise.
    """

    name: LayerName
    rules: Mapping[str, Rule]
    judge: Callable[[Subject], Iterable[Finding]]


def finding(rule: Rule, element: etree._Element, found: str | None = None) -> Finding:
    """Return the finding that ``rule`` does not hold at ``element``."""
    if found is not None and len(found) > FOUND_CHARACTERS_MAX:
        found = found[: FOUND_CHARACTERS_MAX - 1] + "…"
    return Finding(
        rule.id,
        rule.severity,
        rule.layer,
        rule.term,
        rule.sentence,
        path_of(element),
        element.sourceline,
        found,
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
_ROOTS = frozenset(
    {
        "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice",
        "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote",
    }
)

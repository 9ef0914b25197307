"""How rules are declared: where a path leads, which context judges an element, and what a rule set refuses."""

from collections.abc import Iterator

import pytest
from lxml import etree

from koppel_ubl.checking.engine import Facts, Group, Layer, Node, RuleSet, Tree, Value, evaluate
from koppel_ubl.checking.engine.places import INVOICE, Memory, Place
from koppel_ubl.checking.engine.rule_set import leads_to

CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
SENTENCE = {"nl": "n", "fr": "f", "en": "e"}


@pytest.fixture
def rules() -> RuleSet:
    return RuleSet("house_rules")


def place(*tags: str) -> Place:
    found = Memory().invoice
    for tag in tags:
        found = found.child(tag)
    return found


def document() -> etree._Element:
    root = etree.Element(INVOICE)
    for number, scheme in (("1", "A"), ("2", "B"), ("", None)):
        line = etree.SubElement(root, f"{CAC}InvoiceLine")
        element = etree.SubElement(line, f"{CBC}ID")
        element.text = number
        if scheme:
            element.set("schemeID", scheme)
    return root


def broken(rules: RuleSet) -> list[tuple[str, str | None]]:
    """Return rule and path of each finding in ``document``; the name is new each time, as plans are kept by it."""
    tree = Tree(document())
    layer = Layer("house_rules", rules.by_id, rules.assertions)
    return [(found.rule, found.path) for found in evaluate(tree, (layer,), f"test {id(rules)}")]


def fails(node: Node, facts: Facts) -> bool:
    return False


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/", [True, False, False, False]),
        ("invoice:Invoice", [True, False, False, False]),
        ("/cac:TaxTotal", [False, True, False, False]),
        ("cac:TaxTotal", [False, True, False, False]),
        ("cac:TaxTotal/cbc:TaxAmount", [False, False, True, False]),
        ("/cbc:TaxAmount", [False, False, False, False]),
        ("xcac:TaxTotal", [False, False, False, False]),
        ("cbc:*Amount", [False, False, True, False]),
        ("cac:TaxTotal/*", [False, False, True, True]),
        ("*", [True, True, True, True]),
    ],
)
def test_a_path_leads_to_its_places(path: str, leads: list[bool]) -> None:
    total = f"{CAC}TaxTotal"
    places = [place(), place(total), place(total, f"{CBC}TaxAmount"), place(total, f"{CAC}TaxSubtotal")]
    assert [leads_to(path, each) for each in places] == leads


def test_every_context_that_applies_judges_an_element(rules: RuleSet) -> None:
    rules.on("cac:InvoiceLine").rule("R-1", "fatal", "", **SENTENCE)(lambda line, facts: line.has("cbc:Note"))
    rules.on("cac:InvoiceLine/cbc:ID", scheme="B").rule("R-2", "fatal", "", **SENTENCE)(fails)
    rules.on("cbc:ID", where=lambda value, facts: value.text == "1").rule("R-3", "fatal", "", **SENTENCE)(fails)
    rules.on("cbc:ID", unless=("cac:InvoiceLine/cbc:ID",)).rule("R-4", "fatal", "", **SENTENCE)(fails)
    line = "/Invoice/cac:InvoiceLine"
    assert broken(rules) == [
        ("R-1", f"{line}[1]"),
        ("R-3", f"{line}[1]/cbc:ID"),
        ("R-1", f"{line}[2]"),
        ("R-2", f"{line}[2]/cbc:ID"),
        ("R-1", f"{line}[3]"),
    ]


def test_in_a_pattern_the_first_context_that_applies_judges_alone(rules: RuleSet) -> None:
    pattern = rules.pattern()
    pattern.on("cbc:ID", scheme="A").rule("R-1", "fatal", "", **SENTENCE)(fails)
    pattern.on("cbc:ID", where=lambda value, facts: not value.is_blank).rule("R-2", "fatal", "", **SENTENCE)(fails)
    pattern.on("cbc:ID").rule("R-3", "fatal", "", **SENTENCE)(fails)
    assert [rule for rule, _ in broken(rules)] == ["R-1", "R-2", "R-3"]


def test_a_pattern_applies_to_the_documents_of_its_context_only(rules: RuleSet) -> None:
    rules.pattern(lambda context: context.is_between("DE")).on("/").rule("R-1", "fatal", "", **SENTENCE)(fails)
    rules.pattern(lambda context: not context.is_between("DE")).on("/").rule("R-2", "fatal", "", **SENTENCE)(fails)
    assert broken(rules) == [("R-2", "/Invoice")]


def test_kinds_have_rules_of_their_own(rules: RuleSet) -> None:
    kinds = rules.by_kind("cac:InvoiceLine", kind=lambda line, facts: line.text("cbc:ID") or None)
    kinds.of("2").rule("R-1", "fatal", "", **SENTENCE)(fails)
    assert broken(rules) == [("R-1", "/Invoice/cac:InvoiceLine[2]")]


def test_a_search_reports_each_node_that_it_finds(rules: RuleSet) -> None:
    @rules.on("/").search("R-1", "warning", "", **SENTENCE)
    def blanks(root: Group, facts: Facts) -> Iterator[Value]:
        yield from (number for number in root.elements("cac:InvoiceLine", "cbc:ID") if number.is_blank)

    assert broken(rules) == [("R-1", "/Invoice/cac:InvoiceLine[3]/cbc:ID")]


def test_what_is_forbidden_may_not_be_there(rules: RuleSet) -> None:
    rules.forbid(rules.declare("R-1", "warning", "", **SENTENCE), "/cac:InvoiceLine", "cac:Item/cbc:ID")
    assert [rule for rule, _ in broken(rules)] == ["R-1"] * 3


def test_rules_may_be_reported_in_the_order_of_their_declaration() -> None:
    rules = RuleSet("house_rules", rule_by_rule=True)
    rules.on("cbc:ID", where=lambda value, facts: not value.is_blank).rule("R-1", "fatal", "", **SENTENCE)(fails)
    rules.on("/").rule("R-2", "fatal", "", **SENTENCE)(fails)
    assert [rule for rule, _ in broken(rules)] == ["R-1", "R-1", "R-2"]


def test_an_id_is_that_of_one_rule(rules: RuleSet) -> None:
    first = rules.declare("R-1", "fatal", "", **SENTENCE)
    assert rules.declare("R-1", "fatal", "", **SENTENCE) is first
    with pytest.raises(ValueError, match="R-1"):
        rules.declare("R-1", "warning", "", **SENTENCE)

"""The verdicts that the shared folder documents: measured with the newest official rules, EN 16931 1.3.16 and Peppol 3.0.21."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import koppel_ubl

pytestmark = pytest.mark.oracle
SHARED = Path(os.environ.get("KOPPEL_SHARED", Path(__file__).parents[5] / "shared")) / "samples" / "ubl"
EXCEPT = {
    "own__XSD-amount-comma.xml": "the official rules stop at '582,77'; ours says so as KOPPEL-VALUE",
    "own__sbdh-envelope.xml": "the official rules judged the envelope, ours the invoice in it",
}
TEST_SETS = sorted((SHARED / "unit-testsets").glob("*.xml"))
_UBL = frozenset(
    f"{{urn:oasis:names:specification:ubl:schema:xsd:{name}-2}}{name}" for name in ("Invoice", "CreditNote")
)


def documented() -> list[dict[str, Any]]:
    try:
        manifest = json.loads((SHARED / "manifest.json").read_text())
    except OSError:
        return []
    return [entry for entry in manifest if "en16931" in entry["expected"] and Path(entry["file"]).name not in EXCEPT]


def test_there_are_verdicts() -> None:
    assert len(documented()) > 100, f"no verdicts in {SHARED}: set KOPPEL_SHARED"


@pytest.mark.parametrize("entry", documented(), ids=lambda entry: entry["file"])
def test_the_verdict_is_the_documented_one(entry: dict[str, Any]) -> None:
    content = (SHARED / entry["file"]).read_bytes()
    report = koppel_ubl.check(content)
    theirs = entry["expected"]["peppol_selfbilling" if b"poacc:selfbilling:" in content else "peppol"]
    for layer, expected in (("en16931", entry["expected"]["en16931"]), ("peppol", theirs)):
        found = [finding for finding in report.findings if finding.layer == layer]
        for severity in ("fatal", "warning"):
            assert {one.rule for one in found if one.severity == severity} == set(expected[severity]), (layer, severity)


@pytest.mark.parametrize("path", TEST_SETS, ids=lambda path: path.stem)
def test_the_unit_tests_of_the_standard_hold(path: Path) -> None:
    root = etree.parse(path, etree.XMLParser(remove_comments=True)).getroot()
    tests = root.findall(".//{*}test")
    assert tests
    for number, test in enumerate(tests):
        (document,) = (element for element in test if element.tag in _UBL)
        broken = koppel_ubl.check(etree.tostring(document), "en16931").rules("en16931")
        for rule in test.iterfind(".//{*}success"):
            assert rule.text not in broken, (number, rule.text)
        for rule in test.iterfind(".//{*}error"):
            assert rule.text in broken, (number, rule.text)

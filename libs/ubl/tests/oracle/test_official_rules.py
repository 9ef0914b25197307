"""Our rules beside the official ones: the same ids, fatal and warning, over all samples and thousands of mutations.

The official files are of an older release than ours; where a rule changed since, ours follows the newest, and the difference
stands in ``KNOWN`` with its reason. Anything else that differs fails.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from koppel_ubl import ReadError, check, safe_xml
from koppel_ubl.reading.document import document_of

from .mutations import mutated
from .official_rules import OfficialRules, Verdict, official_rules

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(900)]
SHARED = Path(os.environ.get("KOPPEL_SHARED", Path(__file__).parents[5] / "shared")) / "samples" / "ubl"
OWN = Path(__file__).parents[1] / "samples"
MUTATIONS = int(os.environ.get("KOPPEL_MUTATIONS", "6000"))
LAYERS = ("en16931",)

KNOWN: dict[str, str] = {
    **dict.fromkeys(("BR-66", "BR-67", "BR-CO-25", "UBL-CR-631"), "withdrawn since, up to 1.3.16"),
    **dict.fromkeys(("UBL-SR-53", "UBL-SR-54", "UBL-SR-55", "UBL-SR-56"), "new since, up to 1.3.16"),
}
"""Rules that the official files have and ours do not, or the reverse, whatever the document."""

LISTS = {
    f"BR-CL-{number}": "the code list is newer"
    for number in (["01", "03", "04", "05", "07", "10", "11", "13", "16", "20", "21", "22", "25", "26"])
}
"""Rules whose list changed since: they may differ where a document holds one of the changed codes."""


@pytest.fixture(scope="module")
def official() -> Iterator[OfficialRules]:
    with official_rules() as running:
        yield running


def samples() -> list[tuple[str, etree._Element]]:
    found = []
    for path in [*sorted(SHARED.rglob("*.xml")), *sorted(OWN.rglob("*.xml"))]:
        try:
            root = document_of(safe_xml.parse(path.read_bytes()))
        except ReadError:
            continue
        for content in root.iter("{*}EmbeddedDocumentBinaryObject"):
            content.text = "JVBERi0="
        found.append((f"{path.parent.name}/{path.name}", root))
    return found


class Schema:
    """The schema of UBL 2.1: the first layer of the official order."""

    def __init__(self) -> None:
        folder = SHARED.parents[1] / "artefacts" / "ubl-2.1-xsd"
        self._schemas = {
            name: etree.XMLSchema(etree.parse(next(folder.rglob(f"UBL-{name}-2.1.xsd"))))
            for name in ("Invoice", "CreditNote")
        }

    def allows(self, root: etree._Element) -> bool:
        return self._schemas[etree.QName(root).localname].validate(etree.fromstring(etree.tostring(root)))


def differences(root: etree._Element, verdict: Verdict) -> set[str]:
    """Return the ids that only one side reports, without the known ones."""
    findings = check(etree.tostring(root), "peppol-bis-3").findings
    found: set[str] = set()
    for layer in LAYERS:
        theirs = getattr(verdict, layer)
        ours = {finding.rule: finding.severity for finding in findings if finding.layer == layer}
        if theirs is None:
            # They stop without a report, such as where a seller has two names; we say what is wrong.
            found |= set() if "fatal" in ours.values() else {f"{layer} stopped and we see nothing"}
            continue
        found |= {rule for rule, _ in {*ours.items()} ^ {*theirs.items()} if rule not in KNOWN}
    return found


def test_samples_and_mutations_break_the_same_rules(official: OfficialRules) -> None:
    """Where the schema allows a document every id agrees; where not, the official order ends there, and so does ours."""
    roots, schema = samples(), Schema()
    assert len(roots) > 100, f"no samples in {SHARED}: set KOPPEL_SHARED"
    cases = [
        *roots,
        *(
            (f"{name} seed {number}", mutated(root, f"{name} {number}"))
            for number in range(-(-MUTATIONS // len(roots)))
            for name, root in roots
        ),
    ]
    agree, differ, fired, lists = Counter[bool](), defaultdict[str, list[str]](list), Counter[str](), Counter[str]()
    allowed = Counter[bool]()
    for name, root in cases:
        verdict, valid = official.judge(root), schema.allows(root)
        found = differences(root, verdict)
        allowed[valid] += 1
        agree[valid] += found <= LISTS.keys()
        fired.update({*(verdict.en16931 or ()), *(verdict.peppol or ())} if valid else ())
        if valid:
            lists.update(found & LISTS.keys())
            for rule in found - LISTS.keys():
                differ[rule].append(name)
    good, rest = f"{agree[True] / allowed[True]:.3%}", f"{agree[False] / allowed[False]:.3%}"
    print(
        f"\n{official.version}, {len(cases)} documents: {allowed[True]} follow the schema, {agree[True]} of them agree ({good});"
    )
    print(f"of the {allowed[False]} others, where the official order stops at the schema, {agree[False]} ({rest}).")
    print(f"{len(fired)} rules fired; where code lists are newer, lists differed: {dict(lists)}")
    for rule, names in sorted(differ.items()):
        print(f"  {rule}: {len(names)} of them, such as {names[:3]}")
    assert not differ

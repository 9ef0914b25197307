"""Our rules beside the official ones: the same ids, fatal and warning, over all samples and thousands of mutations.

The official files are of an older release than ours; where a rule changed since, ours follows the newest, and the difference
stands in ``KNOWN`` with its reason. Anything else that differs fails.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from koppel_ubl import ReadError, check, safe_xml
from koppel_ubl.reading.document import document_of

from .derive_structure import TARGET, derived
from .mutations import mutated
from .official_rules import OfficialRules, Verdict, official_rules

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(900)]
SHARED = Path(os.environ.get("KOPPEL_SHARED", Path(__file__).parents[5] / "shared")) / "samples" / "ubl"
OWN = Path(__file__).parents[1] / "samples"
MUTATIONS = int(os.environ.get("KOPPEL_MUTATIONS", "6000"))
LAYERS = ("en16931", "peppol")

KNOWN: dict[str, str] = {
    **dict.fromkeys(("BR-66", "BR-67", "BR-CO-25", "UBL-CR-631"), "withdrawn since, up to 1.3.16"),
    **dict.fromkeys(("UBL-SR-53", "UBL-SR-54", "UBL-SR-55", "UBL-SR-56"), "new since, up to 1.3.16"),
    **dict.fromkeys(
        (f"PEPPOL-COMMON-R{number}" for number in ("052", "053", "054", "055", "056-1", "056-2", "057")), "new since"
    ),
    "PEPPOL-EN16931-P0112": "new since, up to 3.0.21",
    "SE-R-013": "new since, up to 3.0.21",
}
"""Rules that the official files have and ours do not, or the reverse, whatever the document. So have all of ``DE-R-…``."""


def _has(path: str) -> Callable[[etree._Element], bool]:
    found = etree.XPath(path)
    return lambda root: bool(found(root))


_SELF_BILLED = "//*[local-name()='CustomizationID'][contains(., 'selfbilling')]"
_OTHER_PROFILE = "/*/*[local-name()='ProfileID'][normalize-space() != 'urn:fdc:peppol.eu:2017:poacc:billing:01:1.0']"
_KINDS = "//*[local-name()='InvoiceTypeCode' or local-name()='CreditNoteTypeCode']"
_NOT_DUTCH = (
    "not(/*/*[local-name()='AccountingCustomerParty']//*[local-name()='IdentificationCode'][normalize-space()='NL'])"
)
CHANGED: dict[str, tuple[Callable[[etree._Element], bool], str]] = {
    "PEPPOL-EN16931-R004": (
        _has(_SELF_BILLED + "|//*[local-name()='CustomizationID'][contains(., '::')]"),
        "no '::'; self-billing",
    ),
    "PEPPOL-EN16931-R007": (_has(f"{_OTHER_PROFILE}|{_SELF_BILLED}"), "a list of processes instead of a pattern"),
    "PEPPOL-EN16931-P0100": (
        _has(f"{_OTHER_PROFILE}|{_SELF_BILLED}|{_KINDS}[. = '326' or . = '384']"),
        "the list of kinds; every process",
    ),
    "PEPPOL-EN16931-P0101": (_has(f"{_OTHER_PROFILE}|{_SELF_BILLED}"), "every process"),
    "PEPPOL-EN16931-R002": (
        _has("//*[local-name()='IdentificationCode'][. = 'DE']"),
        "two German parties may have two notes",
    ),
    "PEPPOL-EN16931-R051": (_has("//*[local-name()='TaxSubtotal']"), "the VAT of a breakdown counts too"),
    "PEPPOL-COMMON-R042": (_has("//*[@schemeID='0184']"), "eight digits without DK"),
    "PEPPOL-COMMON-R049": (_has("//*[@schemeID='0007']"), "the check digit"),
    "SE-R-003": (_has("//*[local-name()='IdentificationCode'][. = 'SE']"), "fatal now"),
    "SE-R-004": (_has("//*[local-name()='IdentificationCode'][. = 'SE']"), "fatal now"),
    "DK-R-003": (_has("//*[local-name()='IdentificationCode'][. = 'DK']"), "fatal now"),
    "NL-R-007": (_has(_NOT_DUTCH), "only for a Dutch buyer"),
    "NL-R-008": (_has(_NOT_DUTCH), "only for a Dutch buyer"),
    **{
        f"BR-CL-{number}": (_has("/*"), "the code list is newer")
        for number in ("01", "03", "04", "05", "07", "10", "11", "13", "16", "20", "21", "22", "25", "26")
    },
    **{f"PEPPOL-EN16931-CL00{number}": (_has("/*"), "the code list is newer") for number in (2, 3, 7, 8)},
}
"""Rules that changed since: where they may differ, and what changed."""


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
    """The schema of UBL 2.1: the first layer of the official order.

    libxml2 departs from XML Schema in two ways that ours does not follow: it takes no white space around a date, which is
    therefore taken away here, and it takes letters that are none of base64's in an attachment, which no mutation touches.
    """

    def __init__(self) -> None:
        folder = SHARED.parents[1] / "artefacts" / "ubl-2.1-xsd"
        self._schemas = {
            name: etree.XMLSchema(etree.parse(next(folder.rglob(f"UBL-{name}-2.1.xsd"))))
            for name in ("Invoice", "CreditNote")
        }

    def allows(self, root: etree._Element) -> bool:
        copy = etree.fromstring(etree.tostring(root))
        for element in copy.iter("{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}*"):
            if str(element.tag).endswith("Date") and element.text:
                element.text = element.text.strip(" \t\r\n")
        return self._schemas[etree.QName(root).localname].validate(copy)


def differences(root: etree._Element, verdict: Verdict) -> tuple[set[str], set[str]]:
    """Return the ids that only one side reports: those without a known reason, and those that changed since."""
    report = check(etree.tostring(root), "peppol-bis-3")
    found: set[str] = set()
    for layer in LAYERS:
        theirs = getattr(verdict, layer)
        ours = {finding.rule: finding.severity for finding in report.findings if finding.layer == layer}
        if theirs is None:
            # They stop without a report, such as where a seller has two names; we say what is wrong.
            found |= set() if report.errors else {f"{layer} stopped and we see nothing"}
            continue
        found |= {
            rule
            for rule, _ in {*ours.items()} ^ {*theirs.items()}
            if rule not in KNOWN and not rule.startswith("DE-R-")
        }
    changed = {rule for rule in found if rule in CHANGED and CHANGED[rule][0](root)}
    return found - changed, changed


def test_the_table_of_the_structure_is_what_the_schema_says() -> None:
    assert TARGET.read_text(encoding="ascii") == derived(SHARED.parents[1] / "artefacts" / "ubl-2.1-xsd")


def test_samples_and_mutations_break_the_same_rules(
    official: OfficialRules, capsys: pytest.CaptureFixture[str]
) -> None:
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
    agree, allowed, fired, changed = Counter[bool](), Counter[bool](), Counter[str](), Counter[str]()
    differ: dict[str, list[str]] = defaultdict(list)
    for name, root in cases:
        verdict, valid = official.judge(root), schema.allows(root)
        found, of_release = differences(root, verdict)
        allowed[valid] += 1
        if bool(check(etree.tostring(root)).rules("structure")) is valid:
            found.add("the schema says otherwise")
            differ["the schema says otherwise"].append(name)
        agree[valid] += not found
        if valid:
            fired.update({*(verdict.en16931 or ()), *(verdict.peppol or ())})
            changed.update(of_release)
            for rule in found:
                differ[rule].append(name)
    good, rest = f"{agree[True] / allowed[True]:.3%}", f"{agree[False] / allowed[False]:.3%}"
    with capsys.disabled():  # how far both agree is worth reading when they do, too
        print(f"\n{official.version}, {len(cases)} documents:", end=" ")
        print(f"{allowed[True]} follow the schema, {agree[True]} of them agree ({good});")
        print(f"of the {allowed[False]} others, where the official order stops at the schema, {agree[False]} ({rest}).")
        print(f"{len(fired)} rules fired. Differences of release: {dict(changed)}")
        for rule, names in sorted(differ.items()):
            print(f"  {rule}: {len(names)} of them, such as {names[:3]}")
    assert not differ

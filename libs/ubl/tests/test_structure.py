"""The structure of UBL: findings where the schema would refuse, in plain sentences."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

import koppel_ubl
from koppel_ubl.checking.structure.table import ELEMENTS, clark

VALID = Path(__file__).parent / "samples" / "valid"
INVOICE = (VALID / "own__be-01-invoice-ogm-pdf.xml").read_bytes()
DATE = b"<cbc:IssueDate>2026-01-15</cbc:IssueDate>"


def found(old: bytes, new: bytes) -> list[tuple[str, str]]:
    assert old in INVOICE
    report = koppel_ubl.check(INVOICE.replace(old, new, 1))
    return [(one.rule, one.message.en) for one in report.findings if one.layer == "structure"]


@pytest.mark.parametrize("path", sorted(VALID.glob("*.xml")), ids=lambda path: path.stem)
def test_good_documents_have_the_structure(path: Path) -> None:
    assert not koppel_ubl.check(path.read_bytes()).rules("structure")


@pytest.mark.parametrize(
    ("old", "new", "rule", "sentence"),
    [
        (DATE, b"", "KOPPEL-MISSING", "cbc:IssueDate is missing in Invoice."),
        (DATE, DATE * 2, "KOPPEL-TOO-MANY", "This element may occur here only once."),
        (DATE, DATE.replace(b"01-15", b"02-30"), "KOPPEL-FORMAT", "This must be a date YYYY-MM-DD."),
        (DATE, DATE + b"<cbc:Colour>red</cbc:Colour>", "KOPPEL-UNKNOWN", "cbc:Colour does not exist in Invoice."),
        (DATE, DATE + b"and", "KOPPEL-TEXT", "There is text between the elements, where it does not belong."),
        (b"<cbc:ID>2026-0001</cbc:ID>", DATE + b"<cbc:ID>1</cbc:ID>", "KOPPEL-ORDER", "cbc:ID must come before cbc:IssueDate."),
        (b">582.77<", b">582,77<", "KOPPEL-FORMAT", "This must be a number with a decimal point."),
        (b' currencyID="EUR">582.77', b">582.77", "KOPPEL-ATTRIBUTE", "The attribute currencyID is missing."),
        (b"<cbc:ID>1</cbc:ID>", b'<cbc:ID colour="">1</cbc:ID>', "KOPPEL-ATTRIBUTE", "The attribute colour does not exist here."),
    ],
)  # fmt: skip
def test_each_fault_is_reported_in_words(old: bytes, new: bytes, rule: str, sentence: str) -> None:
    assert (rule, sentence) in found(old, new)


@pytest.mark.parametrize(
    ("element", "kind", "good"),
    [
        ("cbc:IssueDate", "cbc:IssueDateType", True),
        ("cac:AccountingSupplierParty", "cac:SupplierPartyType", True),
        ("cbc:IssueDate", "cbc:DueDateType", False),
        ("cbc:IssueDate", "IssueDateType", False),
        ("cac:AccountingSupplierParty", "cbc:SupplierPartyType", False),
    ],
)
def test_an_element_may_say_of_which_type_it_is(element: str, kind: str, good: bool) -> None:
    typed = f'<{element} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{kind}">'
    assert (not found(f"<{element}>".encode(), typed.encode())) is good


EXTENSION = (
    b'<Invoice xmlns:ext="urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2" xmlns:x="urn:x"\\1>'
    b"<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent>%s</ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>"
)


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (b"<x:y a='1'>any<x:z/>thing</x:y>", set()),
        (b"<cbc:IssueDate>2026-01-15</cbc:IssueDate>", set()),
        (b"<x:y><cac:Party><cac:PartyName><cbc:Name>N</cbc:Name></cac:PartyName></cac:Party></x:y>", set()),
        (b"<cbc:IssueDate>yesterday</cbc:IssueDate>", {"KOPPEL-FORMAT"}),
        (b"<x:y><x:z><cbc:Amount>1</cbc:Amount></x:z></x:y>", {"KOPPEL-ATTRIBUTE"}),
        (b"<cac:Party>text</cac:Party>", {"KOPPEL-TEXT"}),
        (b"", {"KOPPEL-MISSING"}),
        (b"<y xmlns=''/>", {"KOPPEL-MISSING"}),
    ],
)
def test_an_extension_may_hold_anything_but_ubl_that_is_wrong(content: bytes, rules: set[str]) -> None:
    document, times = re.subn(rb"<Invoice([^>]*)>", EXTENSION % content, INVOICE, count=1)
    assert times == 1
    assert koppel_ubl.check(document).rules("structure") == rules


@pytest.mark.parametrize(
    "content",
    [
        b"<cbc:ID>1</cbc:ID>",
        b"<cbc:Name>Signature</cbc:Name>",
        b"<ext:ExtensionAgencyID/><ext:ExtensionAgencyName>Koppel</ext:ExtensionAgencyName>",
        b"<ext:ExtensionURI>urn:oasis:names:specification:ubl:dsig:enveloped:xades</ext:ExtensionURI>",
        b"<ext:ExtensionReasonCode>1</ext:ExtensionReasonCode><ext:ExtensionReason> </ext:ExtensionReason>",
    ],
)
def test_a_signed_document_says_what_its_extension_is(content: bytes) -> None:
    extended, times = re.subn(rb"<Invoice([^>]*)>", EXTENSION % b"<x:y/>", INVOICE, count=1)
    assert times == 1
    said = extended.replace(b"<ext:ExtensionContent>", content + b"<ext:ExtensionContent>")
    assert {one.rule for one in koppel_ubl.check(said).findings} <= {"UBL-CR-001", "PEPPOL-EN16931-R008"}
    assert koppel_ubl.check(said).rules("structure") == set()


def shapes_of(tag: str) -> Iterator[etree._Element]:
    """Yield an element as nobody should write it: empty, with a text, with elements, with both."""
    for text, inside in ((None, None), (" ", None), ("text", None), (None, tag), ("1", "{urn:x}y")):
        element = etree.Element(tag, currencyID="EUR")
        element.text = text
        if inside is not None:
            etree.SubElement(element, inside)
        yield element


@pytest.mark.parametrize("around", ["Invoice", "UBLExtension", "ExtensionContent", "y"])
def test_any_element_of_any_namespace_is_judged_wherever_it_stands(around: str) -> None:
    """Below an element that UBL does not know, every element that it knows is judged, whatever stands around it."""
    document, _ = re.subn(
        rb"<Invoice([^>]*)>.*", EXTENSION % b"<x:y/>" + b"</Invoice>", INVOICE, count=1, flags=re.DOTALL
    )
    root = etree.fromstring(document)
    parent = next(one for one in root.iter() if etree.QName(one).localname == around)
    tags = [*ELEMENTS, *map(clark, ("cbc:None", "cac:None", "ext:None", "inv:None")), "{urn:x}y", "y"]
    for tag in tags:
        before = len(parent)
        parent.extend(shapes_of(tag))
        assert koppel_ubl.check(etree.tostring(root)).findings
        del parent[before:]


def test_a_document_that_is_wrong_everywhere_is_reported_two_hundred_times() -> None:
    wrong = INVOICE.replace(b"<cac:InvoiceLine>", b"<cac:InvoiceLine>" + b"<cbc:X/>" * 10_000, 1)
    report = koppel_ubl.check(wrong)
    assert len([one for one in report.findings if one.layer == "structure"]) == 200

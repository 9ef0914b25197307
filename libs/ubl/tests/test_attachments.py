"""Files inside a document: which of them shows the document itself, and a copy without them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import koppel_ubl
from koppel_ubl import Attachment, Invoice

SAMPLES = Path(__file__).parent / "samples"
INVOICE = (SAMPLES / "valid/own__be-01-invoice-ogm-pdf.xml").read_bytes()
PDF = b"%PDF-1.4"
PNG = b"\x89PNG\r\n\x1a\n"


def attached(file_name: str, content: bytes = PDF, **fields: Any) -> Attachment:
    return Attachment(file_name=file_name, content=content, **fields)


OTHER = attached("werkbon.pdf", id="werkbon", description="Werkbon")


@pytest.mark.parametrize(
    "itself",
    [
        attached("a.pdf", description="CommercialInvoice"),
        attached("a.pdf", description="Commercial invoice"),
        attached("a.pdf", description="Facture"),
        attached("a.pdf", description="Factuur nr. 2026-0117"),
        attached("a.pdf", description="Copy of the invoice"),
        attached("a.pdf", description="Invoice 2026/0117 (pdf)"),
        attached("a.pdf", id="2026-0117"),
        attached("a.pdf", id="2026-0117.pdf"),
        attached("a.pdf", type_code="380"),
        attached("Factuur 0117.pdf"),
        attached("F-2026-0117.pdf"),
        attached("20260117.pdf"),
        attached("scan.png", PNG, description="Invoice"),
        attached("scan.jpg", b"\xff\xd8\xff\xe0", type_code="380"),
    ],
)
def test_the_picture_is_what_the_sender_calls_so_wherever_it_stands(itself: Attachment) -> None:
    document = Invoice(number="2026-0117", type_code="380", attachments=(OTHER, itself))
    assert document.picture is itself
    assert document.names_itself_in(itself)
    assert document.pdf is (itself if itself.is_pdf else None)


@pytest.mark.parametrize(
    "other",
    [
        attached("voorwaarden.pdf", description="Terms of the invoice"),
        attached("a.pdf", description="Bijlage bij factuur 2026-0117"),
        attached("a.pdf", description="Factuur nr. 2026-0116"),
        attached("a.pdf", description="2026"),
        attached("a.pdf", type_code="916"),
        attached("invoiced-hours.pdf"),
        attached("12026-01178.pdf"),
        attached("invoice.csv", b"a;b"),
        attached("logo.png", PNG),
    ],
)
def test_what_is_named_otherwise_is_not_it(other: Attachment) -> None:
    document = Invoice(number="2026-0117", type_code="380", attachments=(other, OTHER))
    if other.is_pdf:
        assert document.picture is other, "the first PDF, for want of a name"
        assert not document.names_itself_in(other)
    else:
        assert document.picture is OTHER


def test_a_description_says_more_than_a_type_code_and_that_more_than_a_file_name() -> None:
    by_name, by_code = attached("factuur.pdf"), attached("b.pdf", type_code="380")
    by_description = attached("c.pdf", description="Factuur")
    document = Invoice(number="1", type_code="380", attachments=(by_name, by_code, by_description))
    assert document.picture is by_description
    assert replace(document, attachments=(by_name, by_code)).picture is by_code
    assert replace(document, attachments=(OTHER, by_name)).picture is by_name
    assert replace(document, attachments=()).picture is None


def test_a_copy_without_files_is_the_same_document_and_breaks_no_rule() -> None:
    light = koppel_ubl.without_embedded_files(INVOICE)
    whole, read = koppel_ubl.read(INVOICE), koppel_ubl.read(light)
    assert [(one.id, one.content) for one in read.attachments] == [(whole.number, None)]
    assert replace(read, attachments=()) == replace(whole, attachments=())
    assert koppel_ubl.check(light).valid
    assert len(light) < len(INVOICE)
    assert light == koppel_ubl.without_embedded_files(INVOICE)


@pytest.mark.parametrize(
    "name", ["own__sbdh-envelope", "own__two-pdfs-and-xml-attachment", "own__utf-16", "own__efff-v1-invoice"]
)
def test_links_envelopes_and_other_spellings_stay_as_they_mean(name: str) -> None:
    (path,) = SAMPLES.rglob(f"{name}.xml")
    whole, light = path.read_bytes(), koppel_ubl.without_embedded_files(path.read_bytes())
    before, after = koppel_ubl.read(whole), koppel_ubl.read(light)
    assert any(one.content for one in before.attachments)
    assert not any(one.content for one in after.attachments)
    assert [one.uri for one in before.attachments] == [one.uri for one in after.attachments]
    assert (before.totals, before.lines) == (after.totals, after.lines)


def test_what_is_no_document_has_no_copy() -> None:
    for data in (b"", b"<a/>", b"%PDF-1.4"):
        with pytest.raises(koppel_ubl.ReadError):
            koppel_ubl.without_embedded_files(data)


@pytest.mark.parametrize(
    "name",
    [
        "own__be-01-invoice-ogm-pdf",
        "own__be-02-creditnote-ref",
        "own__be-15-cash-discount",
        "own__sbdh-envelope",
        "own__two-pdfs-and-xml-attachment",
    ],
)
def test_a_copy_with_a_pdf_shows_it_and_is_the_same_document(name: str) -> None:
    (path,) = SAMPLES.rglob(f"{name}.xml")
    before, content = koppel_ubl.read(path.read_bytes()), b"%PDF-1.4 made for whoever has none"
    copy = koppel_ubl.with_embedded_pdf(path.read_bytes(), content, "../../2026-0001.pdf")
    after = koppel_ubl.read(copy)
    assert after.pdf is not None
    assert (after.pdf.content, after.pdf.file_name) == (content, "2026-0001.pdf")
    assert after.attachments[1:] == before.attachments
    assert replace(after, attachments=()) == replace(before, attachments=())
    found = [{each.rule for each in koppel_ubl.check(data).findings} for data in (path.read_bytes(), copy)]
    assert found[0] == found[1], "it breaks no rule that it did not break before"
    assert copy == koppel_ubl.with_embedded_pdf(path.read_bytes(), content, "2026-0001.pdf")

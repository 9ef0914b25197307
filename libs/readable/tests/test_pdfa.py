"""The structure that ISO 19005-3 (PDF/A-3) asks, and the original inside.

The typesetter checks the profile itself and refuses to write a file that breaks it; these tests read what it wrote.
"""

import hashlib

import pytest

import koppel_ubl
from koppel_readable import original_name, readable_pdf

from .pdfs import SAMPLES, opened, sample

UBL = sample("be-01-invoice-ogm-pdf")
DOCUMENT = koppel_ubl.read(UBL)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return readable_pdf(DOCUMENT, language="nl", ubl=UBL)


def test_it_says_that_it_is_pdfa_3a(pdf: bytes) -> None:
    assert pdf.startswith(b"%PDF-1.7\n%")
    xmp = opened(pdf).root_object["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp


def test_colours_have_an_output_intent(pdf: bytes) -> None:
    (intent,) = [one.get_object() for one in opened(pdf).root_object["/OutputIntents"]]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].get_object().get_data()[36:40] == b"acsp"


def test_every_font_is_embedded_and_every_character_has_its_unicode(pdf: bytes) -> None:
    fonts = [font.get_object() for page in opened(pdf).pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        assert "/ToUnicode" in font
        (descendant,) = font["/DescendantFonts"]
        descriptor = descendant.get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_nothing_that_pdfa_forbids(pdf: bytes) -> None:
    reader = opened(pdf)
    assert not reader.is_encrypted
    assert "/ID" in reader.trailer
    assert reader.root_object["/Lang"] == "nl"
    assert reader.root_object["/MarkInfo"]["/Marked"]
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(reader.root_object)
    assert b"/JavaScript" not in pdf


def test_the_original_is_inside_byte_for_byte(pdf: bytes) -> None:
    reader = opened(pdf)
    name = original_name(DOCUMENT)
    assert name == f"{DOCUMENT.number}.xml"
    assert reader.attachments[name] == [UBL]
    (associated,) = [one.get_object() for one in reader.root_object["/AF"]]
    assert associated["/AFRelationship"] == "/Source"
    assert associated["/UF"] == associated["/F"] == name
    embedded = associated["/EF"]["/F"].get_object()
    assert embedded["/Subtype"] == "/text/xml"
    assert "/ModDate" in embedded["/Params"]


@pytest.mark.parametrize("name", ["own__iso-8859-1.xml", "own__utf-16.xml", "own__utf8-bom.xml"])
def test_an_original_of_any_encoding_is_inside(name: str) -> None:
    data = (SAMPLES / "legacy" / name).read_bytes()
    document = koppel_ubl.read(data)
    assert list(opened(readable_pdf(document, ubl=data)).attachments.values()) == [[data]]


def test_without_the_original_nothing_is_inside_and_the_page_does_not_say_so() -> None:
    reader = opened(readable_pdf(DOCUMENT, language="en"))
    assert not reader.attachments
    text = reader.pages[0].extract_text()
    assert "Made from the electronic invoice by Koppel; that invoice (UBL) is the original." in text
    assert "inside" not in text


def test_equal_input_makes_equal_bytes(pdf: bytes) -> None:
    again = readable_pdf(koppel_ubl.read(UBL), language="nl", ubl=UBL)
    assert hashlib.sha256(again).hexdigest() == hashlib.sha256(pdf).hexdigest()
    assert readable_pdf(DOCUMENT, language="fr", ubl=UBL) != pdf
    assert opened(pdf).metadata.creation_date.date() == DOCUMENT.issue_date


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("2026/0412 A", "2026-0412-A.xml"),
        ("F°é-1", "Fe-1.xml"),
        ("../../etc/passwd", "etc-passwd.xml"),
        ("号", "document.xml"),
        (None, "document.xml"),
        ("9" * 500, "9" * 80 + ".xml"),
    ],
)
def test_the_original_is_named_like_the_document(number: str | None, name: str) -> None:
    assert original_name(koppel_ubl.Invoice(number=number)) == name

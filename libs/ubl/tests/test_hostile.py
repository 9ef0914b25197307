"""Bytes from outside may be anything: they read, or they are refused with ``ReadError``, quickly and without a look around."""

import base64
import contextlib
import io
import os
import random
import socket
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import koppel_ubl
from koppel_ubl import ReadError
from koppel_ubl.identifiers import find_structured_references
from koppel_ubl.reading.attachments import safe_file_name

GOOD = (Path(__file__).parent / "samples/valid/own__be-01-invoice-ogm-pdf.xml").read_bytes()
ROOT = b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">'
ENVELOPE = b'<StandardBusinessDocument xmlns="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">'
BOUND_S = 1.0
OF_XML = {
    *("doctype", "empty", "not_well_formed", "not_xml", "tag_too_long", "too_deep", "too_large"),
    *("too_many_attributes", "too_many_elements", "unsupported_encoding", "wrong_root"),
}
OBJECT_REFERENCE = (
    b"<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cbc:DocumentTypeCode>130</cbc:DocumentTypeCode>"
    b"</cac:AdditionalDocumentReference>"
)


def code_of(data: bytes) -> str:
    """Return why reading refuses this, in time; checking refuses it too, unless it is what a field holds that is hostile."""
    started_at = time.process_time()
    with pytest.raises(ReadError) as refused:
        koppel_ubl.read(data)
    assert time.process_time() - started_at < BOUND_S
    assert str(refused.value)
    code = refused.value.code
    started_at = time.process_time()
    with pytest.raises(ReadError) if code in OF_XML else contextlib.nullcontext() as checked:
        koppel_ubl.check(data)
    assert time.process_time() - started_at < BOUND_S
    assert checked is None or checked.value.code == code
    return code


def declared(doctype: bytes) -> bytes:
    declaration, _, rest = GOOD.partition(b"?>")
    return declaration + b"?>" + doctype + rest


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE Invoice SYSTEM "http://127.0.0.1:9/x.dtd">',
        b'<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE Invoice [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>',
        b"<!DOCTYPE x [" + b"".join(b'<!ENTITY a%d "&a%d;&a%d;">' % (n + 1, n, n) for n in range(60)) + b"]>",
        b'<!-- hello --><?pi x?>\n<!DOCTYPE Invoice [<!ATTLIST Invoice a CDATA "1">]>',
        b"<!doctype html>",
    ],
)
def test_a_document_type_is_refused_whatever_it_declares(doctype: bytes, no_network: list[object]) -> None:
    assert code_of(declared(doctype)) == "doctype"
    assert code_of(declared(doctype).decode().replace("UTF-8", "UTF-16").encode("utf-16")) == "doctype"
    assert no_network == []


@pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be", "cp037", "utf-7"])
@pytest.mark.parametrize(
    "declaration", ['<?xml version="1.0"?>', "", f"<?xml version='1.0'{' ' * 300}encoding='UTF-7'?>"]
)
def test_no_encoding_hides_a_document_type(declaration: str, encoding: str) -> None:
    rest = GOOD.decode().partition("?>")[2].encode("ascii", "replace").decode()
    doctype = '<!DOCTYPE Invoice [<!ENTITY a "b">]>'
    hidden = f"{declaration}{doctype}{rest}".encode(encoding)
    assert code_of(hidden) in {"doctype", "unsupported_encoding", "not_xml", "not_well_formed"}


def test_a_document_type_behind_a_declaration_in_utf_7_is_not_read() -> None:
    declaration = b"<?xml version='1.0'" + b" " * 300 + b"encoding='UTF-7'?>"
    doctype = '<!DOCTYPE Invoice [<!ENTITY a "b">]>'.encode("utf-7").replace(b"<", b"+ADw-").replace(b"!", b"+ACE-")
    assert code_of(declaration + doctype + GOOD.partition(b"?>")[2]) == "not_well_formed"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    tried: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: tried.append(address))
    return tried


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"<!-- never closed", "not_well_formed"),
        (b'{"invoice": 1}', "not_xml"),
        (b"\x00\x01\x02", "not_xml"),
        (b"%PDF-1.7", "not_xml"),
        (b"<html></html>", "wrong_root"),
        (b"<Invoice/>", "wrong_root"),
        (GOOD[: len(GOOD) // 2], "not_well_formed"),
        (GOOD.replace(b"2026-0001", b"\xff\xfe\xfd", 1), "not_well_formed"),
        (GOOD.replace(b"2026-0001", b"a\x0bb", 1), "not_well_formed"),
        (GOOD.replace(b"2026-01-15", b"2026-02-30", 1), "invalid_date"),
        (GOOD.replace(b"2026-01-15", b"15/01/2026", 1), "invalid_date"),
        (GOOD.replace(b"582.77", b"5.8277E2", 1), "invalid_number"),
        (GOOD.replace(b"582.77", b"NaN", 1), "invalid_number"),
        (GOOD.replace(b"582.77", b"582,77", 1), "invalid_number"),
        (GOOD.replace(b"582.77", b"9" * 400, 1), "invalid_number"),
        (GOOD.replace(b"582.77", b"9" * 21, 1), "invalid_number"),
        (GOOD.replace(b"582.77", b"5." + b"0" * 41, 1), "invalid_number"),
        (GOOD.replace(b"582.77", "٥٨٢".encode(), 1), "invalid_number"),
        (GOOD.replace(b'encoding="UTF-8"', b'encoding="UTF-7"', 1), "unsupported_encoding"),
        (b"<" + b"a" * 20_000 + b"/>", "tag_too_long"),
        (ROOT + b"<a>" * 200 + b"</a>" * 200 + b"</Invoice>", "too_deep"),
        (ENVELOPE + b"<a>" * 200 + b"</a>" * 200 + ROOT + b"</Invoice></StandardBusinessDocument>", "too_deep"),
        (ROOT + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</Invoice>", "too_deep"),
        (b"\xff\xfe<", "not_well_formed"),
        (b"\x1f\x8b\x08\x00" + bytes(100), "not_xml"),
        (b"PK\x03\x04" + bytes(100), "not_xml"),
    ],
)
def test_what_is_no_invoice_says_so(data: bytes, code: str) -> None:
    assert code_of(data) == code


@pytest.mark.parametrize("declared", ["utf-16", "UTF-16", "UTF-16LE"])
def test_bytes_that_are_not_the_utf_16_they_declare_are_told_so(declared: str) -> None:
    with pytest.raises(ReadError, match=f"declares {declared}, but its bytes are not UTF-16"):
        koppel_ubl.read(GOOD.replace(b"UTF-8", declared.encode(), 1))
    assert koppel_ubl.read(GOOD.replace(b"UTF-8", declared.encode(), 1).decode().encode("utf-16")).number == "2026-0001"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        *((name, "iso8859-1") for name in ("ISO-8859-1", "iso_8859-1", "ISO8859-1", "iso8859_1", "latin-1", "Latin1")),
        *((name, "cp1252") for name in ("windows-1252", "Windows-1252", "cp1252", "CP-1252")),
        *((f"ISO-8859-{part}", f"iso8859-{part}") for part in (2, 9, 15, 16)),
        *(
            ("windows-1250", "cp1250"),
            ("latin9", "iso8859-15"),
            ("IBM850", "cp850"),
            ("cp858", "cp858"),
            ("macintosh", "mac-roman"),
        ),
        *(("us-ascii", "ascii"), ("UTF8", "utf-8")),
    ],
)
def test_a_single_byte_encoding_is_read_under_each_of_its_names(declared: str, encoding: str) -> None:
    named = GOOD.decode().replace("UTF-8", declared, 1).replace("Voorbeeld Drukkerij BV", "Café Zürich")
    text = named.encode(encoding, "xmlcharrefreplace")
    assert "Café Zürich" in (koppel_ubl.read(text).seller.name or "")
    assert koppel_ubl.check(text).valid
    assert "Café Zürich" in (koppel_ubl.read(koppel_ubl.without_embedded_files(text)).seller.name or "")


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1252", "UTF-8", "utf-16", "UTF-7", "EBCDIC-CP-BE"])
def test_a_byte_order_mark_says_more_than_the_declaration(declared: str) -> None:
    text = GOOD.decode().replace("UTF-8", declared, 1).replace("Voorbeeld Drukkerij BV", "Café €")
    assert "Café €" in (koppel_ubl.read(b"\xef\xbb\xbf" + text.encode()).seller.name or "")
    doctype = text.replace("?>", "?><!DOCTYPE Invoice>", 1)
    assert code_of(b"\xef\xbb\xbf" + doctype.encode()) == "doctype"


@pytest.mark.parametrize(("declared", "encoding"), [("ISO-8859-1", "iso8859-1"), ("windows-1252", "cp1252")])
def test_a_byte_order_mark_before_bytes_that_are_no_utf_8_says_nothing(declared: str, encoding: str) -> None:
    text = GOOD.decode().replace("UTF-8", declared, 1).replace("Voorbeeld Drukkerij BV", "Café Zürich")
    marked = b"\xef\xbb\xbf" + text.encode(encoding, "xmlcharrefreplace")
    assert "Café Zürich" in (koppel_ubl.read(marked).seller.name or "")
    assert koppel_ubl.check(marked).valid
    assert "Café Zürich" in (koppel_ubl.read(koppel_ubl.without_embedded_files(marked)).seller.name or "")
    assert code_of(marked.replace(b"?>", b"?><!DOCTYPE Invoice>", 1)) == "doctype"
    assert code_of(marked.replace(declared.encode(), b"UTF-8", 1)) == "not_well_formed"


def test_bytes_that_the_declared_encoding_does_not_have_are_refused() -> None:
    for declared in (b"cp1252", b"us-ascii", b"UTF-8"):
        assert code_of(GOOD.replace(b"UTF-8", declared, 1).replace(b"2026-0001", b"\x81", 1)) == "not_well_formed"


def test_markup_where_a_value_belongs_is_refused_and_never_followed(no_network: list[object]) -> None:
    include = b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'
    assert code_of(GOOD.replace(b">2026-0001<", b">" + include + b"<", 1)) == "unexpected_element"
    assert no_network == []


def test_a_flood_of_attributes_is_refused() -> None:
    flood = b" ".join(b'a%d="1"' % n for n in range(200_000))
    assert code_of(ROOT[:-1] + b" " + flood + b"></Invoice>") == "tag_too_long"


def test_a_flood_before_the_document_is_refused() -> None:
    for each in (b"<!---->", b"<?a?>"):
        assert code_of(b"<?xml version='1.0'?>" + each * 5_000_000 + ROOT + b"</Invoice>") == "too_many_elements"


@pytest.mark.parametrize(
    ("before", "flood"),
    [
        (b"<cac:AdditionalDocumentReference>", OBJECT_REFERENCE),
        (b"<cac:PartyTaxScheme>", b"<cac:PartyTaxScheme><cbc:CompanyID>1</cbc:CompanyID></cac:PartyTaxScheme>"),
        (b"<cac:Item>", b"<cac:DocumentReference><cbc:ID>1</cbc:ID></cac:DocumentReference>"),
        (b"<cac:Item>", b'<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">1</cbc:TaxAmount></cac:TaxTotal>'),
        (b"<cac:Item>", b"<cac:Item><cbc:Name>x</cbc:Name></cac:Item>"),
    ],
)
def test_a_flood_of_what_is_held_once_takes_time_in_proportion(before: bytes, flood: bytes) -> None:
    data = GOOD.replace(before, flood * 40_000 + before, 1)
    started_at = time.process_time()
    assert len(koppel_ubl.read(data).unmapped) > 1_000
    assert time.process_time() - started_at < 10 * BOUND_S, "each looked for among all the others takes minutes"


@pytest.mark.parametrize(
    "content",
    [
        *(b"PK\x03\x04" + bytes(26) + b"a.txt", b"PK\x05\x06" + bytes(18), b"PK\x07\x08PK\x03\x04"),
        *(b"\x1f\x8b\x08", b"\x1f\x9d", b"BZh9", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01", b"MSCF"),
        b"a.txt".ljust(257, b"\0") + b"ustar\x0000",
    ],
)
def test_an_archive_inside_is_told_of_and_not_taken_out(content: bytes) -> None:
    document = koppel_ubl.read(with_file(content))
    [attachment] = document.attachments
    assert (attachment.is_archive, attachment.content) == (True, None)
    assert (attachment.media_type, attachment.file_name) == (
        "application/pdf",
        koppel_ubl.read(GOOD).attachments[0].file_name,
    )
    assert document.picture is None
    assert "Invoice/AdditionalDocumentReference/Attachment/EmbeddedDocumentBinaryObject" in document.unmapped
    again = koppel_ubl.read(koppel_ubl.write(document))
    assert again == replace(document, attachments=again.attachments, unmapped=())
    assert (again.attachments[0].id, again.attachments[0].content) == (attachment.id, None)


def with_file(content: bytes) -> bytes:
    start = GOOD.index(b">", GOOD.index(b"EmbeddedDocumentBinaryObject")) + 1
    return GOOD[:start] + base64.b64encode(content) + GOOD[GOOD.index(b"<", start) :]


def packed(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return held.getvalue()


OFFICE = packed("theme/theme1.xml", "[Content_Types].xml", "xl/workbook.xml")


@pytest.mark.parametrize(
    ("content", "is_taken"),
    [
        (OFFICE, True),
        (packed("content.xml", "META-INF/manifest.xml"), True),
        (packed("a.txt", "sub/[Content_Types].xml"), False),
        (packed("a.xlsx").replace(b"x", OFFICE, 1), False),
        (packed(*(f"{number}.txt" for number in range(2_100)), "[Content_Types].xml"), False),
    ],
)
def test_an_office_document_is_one_wherever_its_manifest_stands(content: bytes, is_taken: bool) -> None:
    [attachment] = koppel_ubl.read(with_file(content)).attachments
    assert attachment.is_archive is not is_taken
    assert attachment.content == (content if is_taken else None)


def test_blanks_without_end_in_a_note_take_no_time() -> None:
    started_at = time.process_time()
    for _ in range(10):
        assert find_structured_references("+++123" + " " * 9_900) == []
    assert time.process_time() - started_at < BOUND_S
    assert find_structured_references("+++ 123 / 4567 / 89002 +++") == ["123456789002"]


def test_too_many_bytes_are_refused_without_parsing() -> None:
    assert code_of(ROOT + b" " * 100_000_001) == "too_large"


def test_a_large_pdf_reads() -> None:
    content = b"JVBERi0xLjcK" + b"AAAA" * 4_000_000
    start = GOOD.index(b">", GOOD.index(b"EmbeddedDocumentBinaryObject")) + 1
    end = GOOD.index(b"<", start)
    invoice = koppel_ubl.read(GOOD[:start] + content + GOOD[end:])
    assert invoice.pdf is not None
    assert invoice.pdf.content is not None
    assert len(invoice.pdf.content) == 12_000_009


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\factuur 1.pdf", "factuur 1.pdf"),
        ("a\x00b\r\nX-Header: 1.pdf", "a_b_X-Header_ 1.pdf"),
        ("...", "attachment"),
        ("", "attachment"),
        (".htaccess", "htaccess"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_file_names_are_harmless(given_name: str, safe: str) -> None:
    assert safe_file_name(given_name) == safe


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_read_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        koppel_ubl.read(data)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(300 * int(os.environ.get("KOPPEL_FUZZ", "1"))))
def test_any_mutation_of_a_good_invoice_reads_or_is_refused(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(GOOD)
    for _ in range(rng.randint(1, 8)):
        at, size = rng.randrange(len(data)), rng.randint(1, 60)
        match rng.randrange(4):
            case 0:
                del data[at : at + size]
            case 1:
                data[at:at] = bytes(rng.randrange(256) for _ in range(size))
            case 2:
                data[at:at] = data[at : at + size]
            case _:
                data[at] = rng.randrange(256)
    with contextlib.suppress(ReadError):
        koppel_ubl.read(bytes(data))
    with contextlib.suppress(ReadError):
        koppel_ubl.check(bytes(data))

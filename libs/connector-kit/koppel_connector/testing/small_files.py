"""Small valid files of the types that Peppol allows inside an invoice, and a UBL that carries them. All made here."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable
from io import BytesIO
from typing import Final
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import koppel_ubl

EmbeddedFile = tuple[str, str, bytes, str | None]
"""File name, media type, content, description."""
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


def _pdf() -> bytes:
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>",
    )
    whole, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(whole))
        whole += b"%d 0 obj%sendobj\n" % (number, each)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(places)
    return whole + table + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(whole)


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def _packed(parts: dict[str, str]) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as archive:
        for name, text in parts.items():
            archive.writestr(ZipInfo(name, _NO_TIME), text)
    return packed.getvalue()


_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_OFFICE: Final = "http://schemas.openxmlformats.org"
PDF: Final = _pdf()
PNG: Final = _png()
JPEG: Final = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300" + "01" * 64 + "ffc0000b080001000101011100"
    "ffc40014000100000000000000000000000000000000ffc40014100100000000000000000000000000000000"
    "ffda0008010100003f0037ffd9"
)
CSV: Final = b"day;hours\r\n2026-01-15;8\r\n"
XLSX: Final = _packed(
    {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_OFFICE}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'{_XML}<Relationships xmlns="{_OFFICE}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_OFFICE}/spreadsheetml/2006/main" '
        f'xmlns:r="{_OFFICE}/officeDocument/2006/relationships"><sheets><sheet name="1" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_OFFICE}/package/2006/relationships"><Relationship '
        f'Id="r1" Type="{_OFFICE}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'{_XML}<worksheet xmlns="{_OFFICE}/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>8</v></c></row></sheetData></worksheet>',
    }
)
_ODF: Final = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
ODS: Final = _packed(
    {
        "mimetype": _ODS_TYPE,
        "META-INF/manifest.xml": f'{_XML}<m:manifest xmlns:m="{_ODF}:manifest:1.0" m:version="1.2"><m:file-entry '
        f'm:full-path="/" m:media-type="{_ODS_TYPE}"/><m:file-entry m:full-path="content.xml" m:media-type="text/xml"/>'
        "</m:manifest>",
        "content.xml": f'{_XML}<o:document-content xmlns:o="{_ODF}:office:1.0" xmlns:t="{_ODF}:table:1.0" '
        'o:version="1.2"><o:body><o:spreadsheet><t:table t:name="1"><t:table-row><t:table-cell o:value-type="float" '
        'o:value="8"/></t:table-row></t:table></o:spreadsheet></o:body></o:document-content>',
    }
)


def with_files(ubl: bytes, files: Iterable[EmbeddedFile], *, keep: bool = True) -> bytes:
    """Return the UBL with these files, in front of what it carries itself, which may be left out."""
    whole = (ubl if keep else koppel_ubl.without_embedded_files(ubl)).decode()
    references = "".join(
        f"<cac:AdditionalDocumentReference><cbc:ID>{escape(name)}</cbc:ID>"
        + (f"<cbc:DocumentDescription>{escape(description)}</cbc:DocumentDescription>" if description else "")
        + f"<cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode={quoteattr(media_type)} "
        f"filename={quoteattr(name)}>{b64encode(content).decode()}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment>"
        "</cac:AdditionalDocumentReference>"
        for name, media_type, content, description in files
    )
    before, found, after = whole.partition("<cac:AdditionalDocumentReference>")
    assert found, "the sample carries a file, so that the place is known"
    return f"{before}{references}{found}{after}".encode()

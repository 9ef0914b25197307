"""A UBL AttachedDocument is an envelope: the invoice inside is read and checked, anything else is refused by its name."""

import base64
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

import koppel_ubl
from koppel_ubl import ReadError

INVOICE = (Path(__file__).parent / "samples/valid/own__be-01-invoice-ogm-pdf.xml").read_bytes()
CREDIT_NOTE = (Path(__file__).parent / "samples/valid/own__be-02-creditnote-ref.xml").read_bytes()
UBL = "urn:oasis:names:specification:ubl:schema:xsd"
SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"


def attached(*attachments: str, root: str = "AttachedDocument") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{UBL}:{root}-2" xmlns:cac="{UBL}:CommonAggregateComponents-2" '
        f'xmlns:cbc="{UBL}:CommonBasicComponents-2"><cbc:ID>1</cbc:ID><cbc:IssueDate>2026-01-15</cbc:IssueDate>'
        f"{''.join(f'<cac:Attachment>{one}</cac:Attachment>' for one in attachments)}</{root}>"
    ).encode()


def as_text(data: bytes) -> str:
    return f"<cac:ExternalReference><cbc:Description>{escape(data.decode())}</cbc:Description></cac:ExternalReference>"


def as_cdata(data: bytes) -> str:
    text = f"<cbc:Description><![CDATA[{data.decode()}]]></cbc:Description>"
    return f"<cac:ExternalReference><cbc:MimeCode>text/xml</cbc:MimeCode>{text}</cac:ExternalReference>"


def as_base64(data: bytes) -> str:
    embedded = base64.encodebytes(data).decode()
    return f'<cbc:EmbeddedDocumentBinaryObject mimeCode="text/xml">{embedded}</cbc:EmbeddedDocumentBinaryObject>'


def refusal(data: bytes) -> ReadError:
    for use in (koppel_ubl.read, koppel_ubl.check, koppel_ubl.without_embedded_files):
        with pytest.raises(ReadError) as refused:
            use(data)
    return refused.value


@pytest.mark.parametrize("carry", [as_text, as_cdata, as_base64])
@pytest.mark.parametrize("document", [INVOICE, CREDIT_NOTE], ids=["invoice", "credit note"])
def test_the_document_inside_is_read_and_checked(carry: object, document: bytes) -> None:
    assert callable(carry)
    whole = attached(carry(document))
    assert koppel_ubl.read(whole) == koppel_ubl.read(document)
    assert koppel_ubl.check(whole).findings == koppel_ubl.check(document).findings
    assert koppel_ubl.without_embedded_files(whole) == koppel_ubl.without_embedded_files(document)


def test_what_the_text_declares_was_the_encoding_of_another_file() -> None:
    declared = INVOICE.replace(b'encoding="UTF-8"', b'encoding="UTF-16"')
    assert declared != INVOICE
    assert koppel_ubl.read(attached(as_cdata(declared))) == koppel_ubl.read(INVOICE)


def test_it_may_stand_in_a_peppol_envelope() -> None:
    inner = attached(as_cdata(INVOICE)).partition(b"?>")[2]
    envelope = b'<StandardBusinessDocument xmlns="%s">%s</StandardBusinessDocument>' % (SBDH.encode(), inner)
    assert koppel_ubl.read(envelope) == koppel_ubl.read(INVOICE)


def test_a_picture_beside_the_invoice_is_no_second_document() -> None:
    whole = attached(as_cdata(INVOICE), as_base64(b"%PDF-1.4"))
    assert koppel_ubl.read(whole).number == "2026-0001"


def test_a_response_beside_the_invoice_is_no_second_invoice() -> None:
    response = as_cdata(attached(root="ApplicationResponse"))
    for whole in (attached(response, as_base64(INVOICE)), attached(as_cdata(INVOICE), response)):
        assert koppel_ubl.read(whole) == koppel_ubl.read(INVOICE)


@pytest.mark.parametrize(
    ("attachments", "names"),
    [
        ((), "AttachedDocument holds 0"),
        ((as_base64(b"%PDF-1.4"),), "AttachedDocument holds 0"),
        ((as_cdata(INVOICE), as_cdata(CREDIT_NOTE)), "AttachedDocument holds 2"),
        (
            (as_cdata(attached(root="Order")), as_cdata(attached(root="ApplicationResponse"))),
            "AttachedDocument holds 2",
        ),
        ((as_cdata(attached(root="ApplicationResponse")),), "<ApplicationResponse>"),
        ((as_text(attached(as_text(INVOICE))),), "<AttachedDocument>"),
    ],
)
def test_what_holds_no_invoice_is_refused_by_name(attachments: tuple[str, ...], names: str) -> None:
    refused = refusal(attached(*attachments))
    assert refused.code == "wrong_root"
    assert names in refused.message


def test_what_is_hostile_outside_is_hostile_inside() -> None:
    doctype = INVOICE.replace(b"?>", b'?><!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/hostname">]>', 1)
    deep = b'<Invoice xmlns="%s:Invoice-2">' % UBL.encode() + b"<a>" * 200 + b"</a>" * 200 + b"</Invoice>"
    flood = b"<Invoice " + b'a="" ' * 10_000 + b"/>"
    for data, code in ((doctype, "doctype"), (deep, "too_deep"), (flood, "tag_too_long"), (b"<a", "not_well_formed")):
        for carry in (as_text, as_base64):
            assert refusal(attached(carry(data))).code == code
    wrong = "<cbc:EmbeddedDocumentBinaryObject>!!</cbc:EmbeddedDocumentBinaryObject>"
    assert refusal(attached(wrong)).code == "invalid_base64"


def test_an_invoice_with_a_large_picture_is_read() -> None:
    large = base64.b64encode(b"%PDF-1.4\n" + bytes(9_000_000))
    start, end = b'filename="2026-0001.pdf">', b"</cbc:EmbeddedDocumentBinaryObject>"
    before, _, rest = INVOICE.partition(start)
    whole = before + start + large + end + rest.partition(end)[2]
    document = koppel_ubl.read(attached(as_cdata(whole)))
    assert document.pdf is not None
    assert len(document.pdf.content or b"") == 9_000_009

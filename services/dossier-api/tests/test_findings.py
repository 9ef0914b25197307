"""A UBL document is checked when it comes in: what breaks a rule travels along, what breaks the schema is refused."""

import base64
import itertools

import pytest

from .conftest import DossierClient
from .document_samples import OURS, PDF, invoice

UBL = "application/xml"


async def test_a_broken_rule_travels_with_the_document_and_blocks_nothing(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    wrong = invoice().replace(b">EUR</cbc:DocumentCurrencyCode>", b">BEF</cbc:DocumentCurrencyCode>")
    document = await client.filed(dossier["id"], wrong, UBL)
    found = {one["rule"]: one for one in document["findings"]}
    assert found["BR-CL-04"]["severity"] == "fatal"
    assert found["BR-CL-04"]["xpath"] == "/Invoice/cbc:DocumentCurrencyCode"
    assert all(found["BR-CL-04"]["message"][language] for language in ("nl", "fr", "en"))
    assert found["BR-CL-04"]["line"] > 0
    assert document["state"] == "filed"


async def test_what_breaks_the_schema_is_refused_with_the_places(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    wrong = invoice().replace(b"</cbc:IssueDate>", b"</cbc:IssueDate><cbc:Colour>red</cbc:Colour>")
    answer = await client.hand_in(dossier["id"], wrong, UBL)
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_document")
    (error,) = answer.json()["errors"]
    assert (error["rule"], error["xpath"]) == ("KOPPEL-UNKNOWN", "/Invoice/cbc:Colour")
    assert "cbc:Colour does not exist in Invoice" in error["message"]


async def test_what_has_more_decimals_than_it_may_is_filed_with_a_finding(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    divided, endless = (f"{whole}{'3' * 27}" for whole in ("33.", "0."))
    data = invoice().replace(b">21</cbc:Percent>", f">21.{'0' * 27}</cbc:Percent>".encode())
    data = data.replace(b">121.00</cbc:TaxInclusiveAmount>", f">121.{endless[2:]}</cbc:TaxInclusiveAmount>".encode())
    at, end = data.index(b">", data.index(b"<cbc:PriceAmount")) + 1, data.index(b"</cbc:PriceAmount>")
    document = await client.filed(dossier["id"], data[:at] + divided.encode() + data[end:], UBL)
    assert document["total"] == {"amount": "121.33", "currency": "EUR"}
    assert {"BR-DEC-14", "KOPPEL-DIGITS"} <= {one["rule"] for one in document["findings"]}


async def test_a_signed_document_is_filed(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    namespace = "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2"
    extension = (
        f'<ext:UBLExtensions xmlns:ext="{namespace}"><ext:UBLExtension><ext:ExtensionURI>urn:oasis:names:specification:ubl:dsig:'
        'enveloped:xades</ext:ExtensionURI><ext:ExtensionContent><x:Signatures xmlns:x="urn:x">1</x:Signatures>'
        "</ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>"
    )
    plain, start = invoice(), invoice().index(b"<cbc:")
    document = await client.filed(dossier["id"], plain[:start] + extension.encode() + plain[start:], UBL)
    before = await client.filed(dossier["id"], invoice("2026-0002"), UBL)
    rules = [{one["rule"] for one in each["findings"] if one["rule"] != "not_read"} for each in (document, before)]
    assert rules[0] == rules[1] | {"UBL-CR-001"}


@pytest.mark.parametrize("specification", ["urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:", "e-fff:"])
async def test_amounts_in_another_currency_than_the_document_says_have_a_finding(
    client: DossierClient, specification: str
) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    data = invoice().replace(b">EUR</cbc:DocumentCurrencyCode>", b">USD</cbc:DocumentCurrencyCode>")
    data = data.replace(b"urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:", specification.encode())
    document = await client.filed(dossier["id"], data, UBL)
    [found] = [one for one in document["findings"] if one["rule"] == "other_currency"]
    assert found["message"]["nl"].startswith("Het document zegt USD, maar bedragen staan in EUR")
    before = await client.filed(dossier["id"], invoice("2026-0002"), UBL)
    assert "other_currency" not in {one["rule"] for one in before["findings"]}


async def test_an_attachment_that_cannot_go_along_has_a_finding(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    text = invoice(pdf=PDF).decode()
    start, end = text.index("<cbc:EmbeddedDocumentBinaryObject"), text.index("</cac:Attachment>")
    linked = f"{text[:start]}<cac:ExternalReference><cbc:URI>https://example.com/a.pdf</cbc:URI></cac:ExternalReference>{text[end:]}"
    inside = text.index(">", start) + 1
    empty = text[:inside] + text[text.index("<", inside) :]
    numbers = itertools.count()
    packed = [
        text[:inside] + base64.b64encode(content).decode() + text[text.index("<", inside) :]
        for content in (b"PK\x03\x04" + bytes(26) + b"a.txt", b"\x1f\x8b\x08\x00" + bytes(20), b"Rar!\x1a\x07\x01")
    ]
    for data, rule, named in (
        (linked, "linked_file", "https://example.com/a.pdf"),
        (empty, "empty_file", "factuur.pdf"),
        *((one, "archive", "factuur.pdf") for one in packed),
    ):
        document = await client.filed(
            dossier["id"], data.replace(">2026-0001<", f">{rule}-{next(numbers)}<").encode(), UBL
        )
        [found] = [one for one in document["findings"] if one["rule"] in {"linked_file", "empty_file", "archive"}]
        assert (found["rule"], found["severity"]) == (rule, "warning")
        assert named in found["message"]["nl"]
        assert [one["role"] for one in document["content"]] == ["ubl"]

"""A UBL document is checked when it comes in: what breaks a rule travels along, what breaks the schema is refused."""

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


async def test_an_attachment_that_cannot_go_along_has_a_finding(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    text = invoice(pdf=PDF).decode()
    start, end = text.index("<cbc:EmbeddedDocumentBinaryObject"), text.index("</cac:Attachment>")
    linked = f"{text[:start]}<cac:ExternalReference><cbc:URI>https://example.com/a.pdf</cbc:URI></cac:ExternalReference>{text[end:]}"
    inside = text.index(">", start) + 1
    empty = text[:inside] + text[text.index("<", inside) :]
    for data, rule, named in (
        (linked, "linked_file", "https://example.com/a.pdf"),
        (empty, "empty_file", "factuur.pdf"),
    ):
        document = await client.filed(dossier["id"], data.replace(">2026-0001<", f">{rule}<").encode(), UBL)
        [found] = [one for one in document["findings"] if one["rule"] in {"linked_file", "empty_file"}]
        assert (found["rule"], found["severity"]) == (rule, "warning")
        assert named in found["message"]["nl"]

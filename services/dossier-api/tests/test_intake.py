"""Documents handed in: first everything that must be refused, then what is taken."""

import asyncio
import hashlib
import json
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from dossier_api import intake
from dossier_api.reading import Unreadable
from koppel_mesh.http.problems import FieldError
from koppel_mesh.messages import DocumentChanged

from .conftest import OTHER_FIRM, DossierClient
from .document_samples import OURS, PDF, THEIRS, attached_document, credit_note, invoice, multipart

HOSTILE = {
    "entities": b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><Invoice>&b;</Invoice>',
    "outside": b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><Invoice>&a;</Invoice>',
    "deep": b"<a>" * 20_000 + b"</a>" * 20_000,
    "json": b'{"id": 1}',
    "html": b"<html><body>Not found</body></html>",
    "cut": invoice()[:900],
    "not utf-8": invoice().replace(b"Brood", b"Br\xff\xfed"),
    "nul": b"<Invoice>\x00</Invoice>",
}


@pytest.mark.parametrize("name", list(HOSTILE))
async def test_hostile_xml_is_refused_with_the_reason(client: DossierClient, name: str) -> None:
    dossier = await client.dossier()
    answer = await client.hand_in(dossier["id"], HOSTILE[name])
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["code"] == "unreadable_document"
    assert body["errors"][0]["rule"] and body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("media_type", "body", "status", "code"),
    [
        ("application/json", b"{}", 415, "unsupported_media_type"),
        ("", b"x", 415, "unsupported_media_type"),
        ("application/xml", PDF, 422, "unreadable_document"),
        ("application/pdf", invoice(), 422, "not_a_pdf"),
        ("application/xml", b"  \n", 422, "empty_body"),
        ("application/pdf", b"", 422, "empty_body"),
        ("multipart/form-data", b"x", 422, "malformed_multipart"),
        ("multipart/form-data; boundary=edge", b"--edge\r\nno header", 422, "malformed_multipart"),
        ("multipart/form-data; boundary=edge", b"", 422, "malformed_multipart"),
        ("multipart/form-data; boundary=edge", b"--edge--\r\n", 422, "nothing_handed_in"),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_refused(
    client: DossierClient, media_type: str, body: bytes, status: int, code: str
) -> None:
    dossier = await client.dossier()
    answer = await client.hand_in(dossier["id"], body, media_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert status != 422 or answer.json()["errors"]


@pytest.mark.parametrize(
    "metadata",
    [
        b"not json",
        b"[]",
        b'{"kind": "nonsense"}',
        b'{"reference": "a\\u0000b"}',
        b'{"reference": "\\ud800"}',
        b'{"total": {"amount": 12.1, "currency": "EUR"}}',
        b'{"total": {"amount": "1e400", "currency": "EUR"}}',
        b'{"total": {"amount": "NaN", "currency": "EUR"}}',
        b'{"unheard_of": 1}',
        b'{"issue_date": 0}',
        b'{"due_date": "1767225600"}',
        b"\xff\xfe",
    ],
)
async def test_metadata_that_are_none_are_refused(client: DossierClient, metadata: bytes) -> None:
    dossier = await client.dossier()
    body, media_type = multipart(pdf=("application/pdf", PDF), metadata=("application/json", metadata))
    answer = await client.hand_in(dossier["id"], body, media_type)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_metadata")


async def test_a_body_over_the_limit_is_refused(client: DossierClient) -> None:
    dossier = await client.dossier()
    answer = await client.hand_in(dossier["id"], PDF + b" " * 3_100_000, "application/pdf")
    assert answer.status_code == 413


async def test_a_document_between_others_is_refused_unless_a_side_is_named(client: DossierClient) -> None:
    dossier = await client.dossier()
    invoice_xml = invoice(seller=THEIRS, buyer="0831797467")
    answer = await client.hand_in(dossier["id"], invoice_xml)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_this_dossier")
    answer = await client.hand_in(dossier["id"], invoice_xml, query="?direction=purchase")
    assert (answer.status_code, answer.json()["kind"]) == (201, "purchase_invoice")


async def test_what_misses_its_number_is_refused_with_the_place(client: DossierClient) -> None:
    dossier = await client.dossier()
    answer = await client.hand_in(dossier["id"], invoice().replace(b"<cbc:ID>2026-0001</cbc:ID>", b""))
    assert answer.status_code == 422
    assert "ID" in answer.json()["errors"][0]["xpath"]


@pytest.mark.parametrize("currency", ["ÉUR", "E1R", "EURO", "ſek"])
async def test_what_names_no_currency_is_refused_with_the_place(client: DossierClient, currency: str) -> None:
    dossier = await client.dossier()
    answer = await client.hand_in(dossier["id"], invoice().replace(b"EUR", currency.encode()))
    assert answer.status_code == 422, answer.text
    assert "Invoice/DocumentCurrencyCode" in {error["xpath"] for error in answer.json()["errors"]}


async def test_a_currency_in_small_letters_is_a_finding_and_shown_in_capitals(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice().replace(b"EUR", b"eur"))
    assert (filed["total"], filed["currency"]) == ({"amount": "121.00", "currency": "EUR"}, "EUR")
    assert "BR-CL-04" in {finding["rule"] for finding in filed["findings"]}


async def test_quick_entry_beside_a_ubl_is_refused(client: DossierClient) -> None:
    dossier = await client.dossier()
    metadata = json.dumps({"number": "X"}).encode()
    body, media_type = multipart(ubl=("application/xml", invoice()), metadata=("application/json", metadata))
    answer = await client.hand_in(dossier["id"], body, media_type)
    assert (answer.status_code, answer.json()["code"]) == (422, "told_by_document")


async def test_an_unknown_dossier_or_part_is_refused(client: DossierClient) -> None:
    assert (await client.hand_in(str(uuid4()), invoice())).status_code == 404
    dossier = await client.dossier()
    body, media_type = multipart(ubl=("application/xml", invoice()), extra=("text/plain", b"x"))
    assert (await client.hand_in(dossier["id"], body, media_type)).json()["code"] == "unknown_part"


async def test_a_sale_is_filed_and_announced(client: DossierClient) -> None:
    dossier = await client.dossier()
    await client.take_events()
    invoice_xml = invoice()
    answer = await client.hand_in(dossier["id"], invoice_xml)
    assert answer.status_code == 201
    filed = answer.json()
    assert filed["kind"] == "sales_invoice"
    assert (filed["number"], filed["issue_date"]) == ("2026-0001", "2026-11-03")
    assert filed["total"] == {"amount": "121.00", "currency": "EUR"}
    assert (filed["state"], filed["revision"], filed["locked"]) == ("filed", 1, False)
    assert filed["sha256"] == hashlib.sha256(invoice_xml).hexdigest()
    assert filed["counterparty"] == {"name": "Koper NV", "enterprise_number": THEIRS, "vat_number": f"BE{THEIRS}"}
    assert [(line["id"], line["net"], line["accounting_cost"]) for line in filed["lines"]] == [
        ("1", "80.00", "700100"),
        ("2", "20.00", None),
    ]
    assert filed["vat"] == [{"category": "S", "rate": "21", "base": "100.00", "tax": "21.00"}]
    assert filed["deliveries"] == []
    (event,) = await client.take_events()
    assert isinstance(event, DocumentChanged)
    assert (str(event.document_id), event.state, event.kind, event.version) == (
        filed["id"],
        "filed",
        "sales_invoice",
        1,
    )
    assert [(each.role, each.size_bytes) for each in event.content] == [("ubl", len(invoice_xml))]


async def test_a_purchase_credit_note_is_known_by_the_buyer(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], credit_note(seller=THEIRS, buyer=OURS))
    assert filed["kind"] == "purchase_credit_note"
    assert filed["counterparty"]["name"] == "Verkoper BV"


async def test_a_vat_number_without_its_country_is_ours_in_belgium_alone(client: DossierClient) -> None:
    dossier = await client.dossier()
    invoice_xml = invoice(seller="none").replace(b">BEnone<", f">{OURS}<".encode())
    abroad = invoice_xml.replace(b">BE</cbc:IdentificationCode>", b">NL</cbc:IdentificationCode>")
    assert (await client.hand_in(dossier["id"], abroad)).json()["code"] == "not_this_dossier"
    assert (await client.filed(dossier["id"], invoice_xml))["kind"] == "sales_invoice"


async def test_the_embedded_pdf_is_a_file_of_its_own(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice(pdf=PDF))
    assert [file["role"] for file in filed["content"]] == ["ubl", "pdf"]
    answer = await client.call("GET", f"/documents/{filed['id']}/content/pdf")
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/pdf"


async def test_multipart_keeps_every_byte_and_takes_the_ubl_for_the_document(client: DossierClient) -> None:
    dossier = await client.dossier()
    invoice_xml = invoice(pdf=PDF + b"embedded")
    metadata = json.dumps(
        {"reference": "map 7", "ledger_account": "700200", "lines": [{"id": "2", "ledger_account": "7"}]}
    )
    body, media_type = multipart(
        ubl=("application/xml", invoice_xml),
        pdf=("application/pdf", PDF),
        metadata=("application/json", metadata.encode()),
    )
    answer = await client.hand_in(dossier["id"], body, media_type)
    assert answer.status_code == 201, answer.text
    filed = answer.json()
    assert filed["sha256"] == hashlib.sha256(invoice_xml).hexdigest()
    assert (filed["reference"], filed["ledger_account"]) == ("map 7", "700200")
    assert [line["ledger_account"] for line in filed["lines"]] == [None, "7"]
    assert (await client.call("GET", f"/documents/{filed['id']}/content/ubl")).content == invoice_xml
    assert (await client.call("GET", f"/documents/{filed['id']}/content/pdf")).content == PDF


async def test_metadata_may_say_that_it_is_a_tills_day(client: DossierClient) -> None:
    dossier = await client.dossier()
    body, media_type = multipart(
        ubl=("application/xml", invoice()), metadata=("application/json", b'{"kind": "daily_receipts"}')
    )
    assert (await client.hand_in(dossier["id"], body, media_type)).json()["kind"] == "daily_receipts"
    receipts = await client.filed(dossier["id"], invoice("DR-1", seller=OURS, buyer=OURS))
    assert receipts["kind"] == "daily_receipts"


async def test_metadata_may_say_that_it_does_not_go_to_the_bookkeeping_by_itself(client: DossierClient) -> None:
    """R122."""
    dossier = await client.dossier()
    await client.take_events()
    for number, said in (("F-1", b'{"forward": false}'), ("F-2", b"{}")):
        body, media_type = multipart(ubl=("application/xml", invoice(number)), metadata=("application/json", said))
        assert (await client.hand_in(dossier["id"], body, media_type)).status_code == 201
    assert [event.forward for event in await client.take_events()] == [False, True]


async def test_the_same_bytes_are_the_same_document(client: DossierClient) -> None:
    dossier = await client.dossier()
    first = await client.filed(dossier["id"], invoice())
    again = await client.hand_in(dossier["id"], invoice())
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    elsewhere = await client.dossier()
    assert (await client.filed(elsewhere["id"], invoice()))["id"] != first["id"]


async def test_a_pdf_that_comes_later_is_kept(client: DossierClient) -> None:
    dossier = await client.dossier()
    first = await client.filed(dossier["id"], invoice())
    body, media_type = multipart(ubl=("application/xml", invoice()), pdf=("application/pdf", PDF))
    again = await client.hand_in(dossier["id"], body, media_type)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert (await client.call("GET", f"/documents/{first['id']}/content/pdf")).content == PDF


async def test_another_pdf_than_it_has_is_reported(client: DossierClient) -> None:
    dossier = await client.dossier()
    invoice_xml, other = invoice(pdf=PDF), PDF + b"% other"
    first = await client.filed(dossier["id"], invoice_xml)
    body, media_type = multipart(ubl=("application/xml", invoice_xml), pdf=("application/pdf", other))
    for _ in range(2):
        again = await client.hand_in(dossier["id"], body, media_type)
        assert (again.status_code, again.json()["id"]) == (200, first["id"])
        added = [each for each in again.json()["findings"] if each not in first["findings"]]
        assert [each["rule"] for each in added] == ["other_pdf"]
    assert (await client.call("GET", f"/documents/{first['id']}/content/pdf")).content == PDF


async def test_a_pdf_beside_the_one_in_the_ubl_is_kept_and_so_is_that(client: DossierClient) -> None:
    dossier = await client.dossier()
    invoice_xml, other = invoice(pdf=PDF), PDF + b"% other"
    body, media_type = multipart(ubl=("application/xml", invoice_xml), pdf=("application/pdf", other))
    first = await client.filed(dossier["id"], body, media_type)
    assert (await client.call("GET", f"/documents/{first['id']}/content/pdf")).content == other
    assert (await client.call("GET", f"/documents/{first['id']}/content/ubl")).content == invoice_xml
    again = await client.hand_in(dossier["id"], invoice_xml)
    assert (again.status_code, again.json()["findings"]) == (200, first["findings"])


async def test_the_same_bytes_twenty_times_at_once_are_one_document(client: DossierClient) -> None:
    dossier = await client.dossier()
    await client.take_events()
    answers = await asyncio.gather(*(client.hand_in(dossier["id"], invoice(pdf=PDF)) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await client.take_events()) == 1
    async with client.context.database.reading() as reading:
        assert (await reading.execute(text("SELECT count(*) FROM document"))).scalar_one() == 1


async def test_an_idempotency_key_gives_the_first_answer_again(client: DossierClient) -> None:
    dossier = await client.dossier()
    key = {"Idempotency-Key": "k-1"}
    first = await client.hand_in(dossier["id"], invoice(), headers=key)
    again = await client.hand_in(dossier["id"], invoice(), headers=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    other = await client.hand_in(dossier["id"], invoice("2026-0002"), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_document_that_was_taken_gets_its_first_answer_whatever_is_refused_now(
    client: DossierClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = await client.dossier()
    key = {"Idempotency-Key": "before-upgrade"}
    first = await client.hand_in(dossier["id"], invoice(), headers=key)

    def refuse(_: bytes) -> None:
        raise Unreadable([FieldError(rule="stricter", message="Since an upgrade.")])

    monkeypatch.setattr(intake, "read_ubl", refuse)
    again = await client.hand_in(dossier["id"], invoice(), headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await client.hand_in(dossier["id"], invoice("2026-0002"))).status_code == 422


async def test_a_client_that_draws_a_new_boundary_sends_the_same_request(client: DossierClient) -> None:
    dossier = await client.dossier()
    key = {"Idempotency-Key": "k-2"}
    body, media_type = multipart(ubl=("application/xml", invoice()), pdf=("application/pdf", PDF))
    first = await client.hand_in(dossier["id"], body, media_type, headers=key)
    for boundary in ("b3f0c1", '"b3 f0"'):
        redrawn = body.replace(b"--edge", f"--{boundary.strip(chr(34))}".encode())
        again = await client.hand_in(dossier["id"], redrawn, f"multipart/form-data; boundary={boundary}", headers=key)
        assert (again.status_code, again.json()) == (201, first.json())
    other, media_type = multipart(ubl=("application/xml", invoice("2026-0002")))
    answer = await client.hand_in(dossier["id"], other, media_type, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_file_is_not_sent_again_to_who_has_it(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice('a"b\u00e9/../c'.replace('"', "&quot;")))
    answer = await client.call("GET", f"/documents/{filed['id']}/content/ubl")
    assert answer.headers["etag"] == f'"{filed["sha256"]}"'
    assert answer.headers["content-disposition"].isascii()
    assert "/" not in answer.headers["content-disposition"]
    path = f"/documents/{filed['id']}/content/ubl"
    known = await client.call("GET", path, headers={"If-None-Match": answer.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    asked = await client.call("HEAD", path)
    assert (asked.status_code, asked.content, asked.headers["etag"]) == (200, b"", answer.headers["etag"])
    assert asked.headers["content-length"] == str(len(answer.content))
    assert (await client.call("GET", f"/documents/{filed['id']}/content/pdf")).status_code == 404
    assert (await client.call("GET", path, firm=OTHER_FIRM)).status_code == 404


async def test_a_large_document_is_read(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice(pdf=PDF + b"x" * 1_500_000))
    assert filed["content"][1]["size_bytes"] == len(PDF) + 1_500_000


async def test_a_store_that_is_away_is_said_and_nothing_is_filed(client: DossierClient, tmp_path: Path) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    blobs = tmp_path / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.write_text("not a folder")
    for answer in (
        await client.call("GET", f"/documents/{filed['id']}/content/ubl"),
        await client.hand_in(dossier["id"], invoice("2026-0002")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "content_away")
        assert answer.headers["retry-after"]
    assert len((await client.call("GET", "/documents")).json()["items"]) == 1
    blobs.unlink()
    (tmp_path / "elsewhere").rename(blobs)
    assert (await client.hand_in(dossier["id"], invoice("2026-0002"))).status_code == 201


async def test_an_attached_document_is_filed_as_the_invoice_inside_or_refused_by_name(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    whole = attached_document(invoice("A-1", pdf=PDF))
    filed = await client.filed(dossier["id"], whole)
    assert (filed["number"], filed["kind"], filed["total"]["amount"]) == ("A-1", "sales_invoice", "121.00")
    assert {each["role"]: each["sha256"] for each in filed["content"]} == {
        "ubl": hashlib.sha256(whole).hexdigest(),
        "pdf": hashlib.sha256(PDF).hexdigest(),
    }
    refused = await client.hand_in(dossier["id"], attached_document(b"<ApplicationResponse/>"))
    assert (refused.status_code, refused.json()["code"]) == (422, "unreadable_document")
    assert "<ApplicationResponse>" in refused.json()["errors"][0]["message"]

"""Quick entry, approval, accounts and journals, and the lock."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from dossier_api.tables import document as documents
from dossier_api.tables import dossier as dossiers
from koppel_mesh.messages import DeliveryChanged

from .conftest import PROBLEM, DossierClient
from .document_samples import PDF, THEIRS, invoice, multipart

ENTRY = {
    "kind": "purchase_invoice",
    "number": "A-77",
    "issue_date": "2026-11-02",
    "total": {"amount": "121.00", "currency": "EUR"},
    "counterparty": {"name": "Leverancier", "enterprise_number": THEIRS},
}
Facts = Callable[..., DeliveryChanged]


async def patch(client: DossierClient, document: dict[str, Any], body: dict[str, Any]) -> Any:
    return await client.call("PATCH", f"/documents/{document['id']}", json=body)


async def test_a_bare_pdf_waits_for_its_data(client: DossierClient) -> None:
    dossier = await client.dossier()
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    assert (pdf["state"], pdf["kind"], pdf["total"]) == ("awaiting_entry", "miscellaneous", None)
    answer = await client.hand_in(dossier["id"], PDF + b"2", "application/pdf", query="?direction=purchase")
    assert (answer.json()["state"], answer.json()["kind"]) == ("awaiting_entry", "purchase_invoice")


@pytest.mark.parametrize("missing", ["number", "issue_date", "total", "counterparty"])
async def test_incomplete_entry_is_kept_and_does_not_move_on(client: DossierClient, missing: str) -> None:
    dossier = await client.dossier()
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    partly = await patch(client, pdf, {name: value for name, value in ENTRY.items() if name != missing})
    assert (partly.status_code, partly.json()["state"]) == (200, "awaiting_entry")
    complete = await patch(client, pdf, {missing: ENTRY[missing]})
    assert (complete.json()["state"], complete.json()["revision"]) == ("filed", 1)


async def test_entry_that_contradicts_itself_is_refused(client: DossierClient) -> None:
    dossier = await client.dossier()
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    wrong = {**ENTRY, "vat": [{"category": "S", "rate": "21", "base": "100.00", "tax": "20.00"}]}
    answer = await patch(client, pdf, wrong)
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "vat_total")
    twice = {**ENTRY, "lines": [{"id": "1"}, {"id": "1"}]}
    assert (await patch(client, pdf, twice)).status_code == 422


async def test_a_total_entered_after_the_vat_must_agree_with_it(client: DossierClient) -> None:
    dossier = await client.dossier()
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    vat = [{"category": "S", "rate": "21", "base": "100.00", "tax": "21.00"}]
    assert (await patch(client, pdf, {"vat": vat})).status_code == 200
    answer = await patch(client, pdf, {**ENTRY, "total": {"amount": "500.00", "currency": "EUR"}})
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "vat_total")
    assert (await patch(client, pdf, ENTRY)).json()["state"] == "filed"
    corrected = {"total": {"amount": "106.00", "currency": "EUR"}, "vat": [{**vat[0], "rate": "6", "tax": "6.00"}]}
    for change in ({name: corrected[name]} for name in corrected):
        assert (await patch(client, pdf, change)).status_code == 422, change
    assert (await patch(client, pdf, corrected)).json()["total"]["amount"] == "106.00"


async def test_entered_data_move_the_document_on_and_are_shown(client: DossierClient) -> None:
    dossier = await client.dossier()
    relations = [{"code": "L1", "name": "Leverancier BV", "vat_number": f"BE {THEIRS}", "journal": "601"}]
    await client.call("PUT", f"/dossiers/{dossier['id']}/relations", json={"items": relations})
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    await client.take_events()
    vat = [{"category": "S", "rate": "21", "base": "100.00", "tax": "21.00"}]
    lines = [
        {
            "id": "1",
            "description": "Papier",
            "net": "100.00",
            "vat_category": "S",
            "vat_rate": "21",
            "ledger_account": "604",
        }
    ]
    done = (await patch(client, pdf, {**ENTRY, "vat": vat, "lines": lines, "due_date": "2026-12-02"})).json()
    assert (done["state"], done["kind"], done["number"], done["due_date"]) == (
        "filed",
        "purchase_invoice",
        "A-77",
        "2026-12-02",
    )
    assert done["total"] == {"amount": "121.00", "currency": "EUR"}
    assert done["counterparty"]["enterprise_number"] == THEIRS
    assert (done["relation"]["code"], done["relation"]["journal"]) == ("L1", "601")
    assert done["vat"] == vat
    assert (done["lines"][0]["net"], done["lines"][0]["ledger_account"]) == ("100.00", "604")
    (event,) = await client.take_events()
    assert (event.state, event.kind, event.version) == ("filed", "purchase_invoice", 2)
    answer = await patch(client, pdf, {"number": None})
    assert (answer.status_code, answer.json()["code"]) == (422, "incomplete_document")
    corrected = (await patch(client, pdf, {"lines": [{"id": "1", "ledger_account": "605"}]})).json()
    assert (corrected["lines"][0]["ledger_account"], corrected["lines"][0]["net"]) == ("605", "100.00")
    assert corrected["revision"] == 2


async def test_metadata_with_everything_file_a_pdf_at_once(client: DossierClient) -> None:
    dossier = await client.dossier(export={"approval_required": True})
    body, media_type = multipart(
        pdf=("application/pdf", PDF), metadata=("application/json", json.dumps(ENTRY).encode())
    )
    answer = await client.hand_in(dossier["id"], body, media_type)
    assert (answer.status_code, answer.json()["state"]) == (201, "awaiting_approval")
    body, media_type = multipart(
        pdf=("application/pdf", PDF + b"2"), metadata=("application/json", b'{"kind": "miscellaneous"}')
    )
    contract = await client.hand_in(dossier["id"], body, media_type)
    assert (contract.json()["state"], contract.json()["kind"]) == ("awaiting_approval", "miscellaneous")


async def test_only_what_awaits_approval_can_be_approved(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    entry = await client.filed(dossier["id"], PDF, "application/pdf")
    for document in (filed, entry):
        answer = await client.call("POST", f"/documents/{document['id']}/approve")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_awaiting_approval")


async def test_approval_files_the_document_and_says_who(client: DossierClient) -> None:
    dossier = await client.dossier(export={"approval_required": True})
    held = await client.filed(dossier["id"], invoice())
    assert held["state"] == "awaiting_approval"
    await client.take_events()
    approved = (await client.call("POST", f"/documents/{held['id']}/approve")).json()
    assert (approved["state"], approved["approved_by"], approved["revision"]) == ("filed", "tester", 1)
    (event,) = await client.take_events()
    assert (event.state, event.version) == ("filed", 2)
    assert (await client.call("POST", f"/documents/{held['id']}/approve")).status_code == 409


async def test_what_was_filed_before_approval_was_asked_for_awaits_it_unless_it_went(
    client: DossierClient, fact: Facts
) -> None:
    dossier = await client.dossier()
    went, filed = [await client.filed(dossier["id"], invoice(number)) for number in ("went", "filed")]
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    elsewhere = await client.filed((await client.dossier())["id"], invoice("elsewhere"))
    await client.deliver(fact(went, "blocked", 1))
    asks = {"export": {"approval_required": True}}
    await client.take_events()
    await client.call("PATCH", f"/dossiers/{dossier['id']}", json=asks)
    states = [(await client.document(each["id"]))["state"] for each in (went, filed, pdf, elsewhere)]
    assert states == ["filed", "awaiting_approval", "awaiting_entry", "filed"]
    _, event = await client.take_events()
    assert (str(event.document_id), event.state, event.version) == (filed["id"], "awaiting_approval", 2)
    approved = await client.call("POST", f"/documents/{filed['id']}/approve")
    assert (approved.status_code, approved.json()["state"], approved.json()["revision"]) == (200, "filed", 1)
    for each in ({"export": {"approval_required": False}}, asks):
        await client.call("PATCH", f"/dossiers/{dossier['id']}", json=each)
    assert (await client.document(filed["id"]))["state"] == "filed", "approved once is approved"


@pytest.mark.parametrize("last", ["number", "counterparty"])
async def test_what_is_completed_while_approval_is_asked_for_awaits_it(client: DossierClient, last: str) -> None:
    dossier = await client.dossier()
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    await patch(client, pdf, {name: value for name, value in ENTRY.items() if name != last})
    async with client.context.database.transaction() as tx:
        # Somebody asks for approval, and looks for what was filed before; he is not done yet.
        await tx.execute(select(dossiers).where(dossiers.c.id == UUID(dossier["id"])).with_for_update(key_share=True))
        await tx.execute(update(dossiers).values(approval_required=True))
        completing = asyncio.create_task(patch(client, pdf, {last: ENTRY[last]}))
        await asyncio.wait([completing], timeout=0.3)
    assert (await completing).json()["state"] == "awaiting_approval"


async def test_a_document_and_the_rules_it_is_under_change_at_once(client: DossierClient) -> None:
    dossier = await client.dossier()
    pdf = await client.filed(dossier["id"], PDF, "application/pdf")
    await patch(client, pdf, ENTRY)
    entry, rules = await _queued_behind(
        client,
        pdf,
        patch(client, pdf, {"counterparty": {"name": "Een andere"}}),
        client.call("PATCH", f"/dossiers/{dossier['id']}", json={"export": {"approval_required": True}}),
    )
    assert (entry.status_code, rules.status_code) == (200, 200)
    assert (await client.document(pdf["id"]))["state"] == "awaiting_approval"


async def test_a_report_of_a_problem_and_the_rules_come_at_once(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    _, rules = await _queued_behind(
        client,
        filed,
        client.deliver(fact(filed, "blocked", 1, problem=PROBLEM)),
        client.call("PATCH", f"/dossiers/{dossier['id']}", json={"export": {"approval_required": True}}),
    )
    assert rules.status_code == 200


async def _queued_behind(client: DossierClient, pdf: dict[str, Any], *calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Make ``calls`` one after the other while somebody else still changes ``pdf``; return their answers."""
    async with client.context.database.transaction() as tx:
        await tx.execute(select(documents).where(documents.c.id == UUID(pdf["id"])).with_for_update(key_share=True))
        waiting = []
        for call in calls:
            waiting.append(asyncio.create_task(call))
            await asyncio.wait(waiting, timeout=0.3)
    return await asyncio.gather(*waiting)


async def test_a_structured_document_takes_accounts_and_nothing_it_tells_itself(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    for body in (
        {"number": "X"},
        {"total": {"amount": "1", "currency": "EUR"}},
        {"kind": "purchase_invoice"},
        {"lines": [{"id": "1", "net": "5.00"}]},
    ):
        answer = await patch(client, filed, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "told_by_document"), body
    unknown = await patch(client, filed, {"lines": [{"id": "9", "ledger_account": "7"}]})
    assert unknown.json()["errors"][0]["rule"] == "unknown_line"
    await client.take_events()
    changed = (
        await patch(
            client, filed, {"journal": "702", "ledger_account": "700", "lines": [{"id": "2", "ledger_account": "701"}]}
        )
    ).json()
    assert (changed["journal"], changed["ledger_account"], changed["revision"]) == ("702", "700", 2)
    assert [line["ledger_account"] for line in changed["lines"]] == [None, "701"]
    (event,) = await client.take_events()
    assert (event.revision, event.version, event.state) == (2, 2, "filed")
    same = (await patch(client, filed, {"journal": "702"})).json()
    assert same["revision"] == 2
    assert await client.take_events() == []
    cleared = (await patch(client, filed, {"journal": None, "lines": [{"id": "2"}]})).json()
    assert (cleared["journal"], cleared["lines"][1]["ledger_account"], cleared["revision"]) == (None, None, 3)


async def test_a_line_has_an_account_however_long_its_id(client: DossierClient) -> None:
    dossier = await client.dossier()
    long = "0199a000-0000-7000-8000-000000000001/" * 10
    filed = await client.filed(
        dossier["id"], invoice().replace(b"<cbc:ID>2</cbc:ID>", f"<cbc:ID>{long}</cbc:ID>".encode())
    )
    assert filed["lines"][1]["id"] == long
    changed = await patch(client, filed, {"lines": [{"id": long, "ledger_account": "701"}]})
    assert (changed.status_code, changed.json()["lines"][1]["ledger_account"]) == (200, "701")


async def test_what_is_not_approved_yet_changes_without_a_new_revision(client: DossierClient) -> None:
    dossier = await client.dossier(export={"approval_required": True})
    held = await client.filed(dossier["id"], invoice())
    assert (await patch(client, held, {"journal": "702"})).json()["revision"] == 1


async def test_an_exported_document_is_locked_when_its_dossier_locks(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier(export={"lock_after_export": True})
    filed = await client.filed(dossier["id"], invoice())
    assert (await patch(client, filed, {"journal": "702"})).status_code == 200
    await client.deliver(fact(filed, "exported", 3))
    assert (await client.document(filed["id"]))["locked"] is True
    answer = await patch(client, filed, {"journal": "703"})
    assert (answer.status_code, answer.json()["code"]) == (409, "document_locked")
    # the dossier may stop locking; what was locked at export stays so
    await client.call("PATCH", f"/dossiers/{dossier['id']}", json={"export": {"lock_after_export": False}})
    assert (await patch(client, filed, {"journal": "703"})).status_code == 409


async def test_a_lock_set_later_holds_for_what_was_exported_before(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    await client.deliver(fact(filed, "booked", 4, entry_number="26700001"))
    assert (await patch(client, filed, {"journal": "703"})).json()["state"] == "booked"
    await client.call("PATCH", f"/dossiers/{dossier['id']}", json={"export": {"lock_after_export": True}})
    assert (await patch(client, filed, {"journal": "704"})).status_code == 409


async def test_a_journal_is_chosen_for_one_connection_and_cleared_with_the_others(client: DossierClient) -> None:
    """Targets call their journals differently (R141): a document keeps a code for every target, and codes by connection."""
    dossier = await client.dossier()
    here = "0193a1b2-0000-7000-8000-000000000001"
    metadata = json.dumps({"journal": "720", "journals": {here: "V3"}})
    body, content_type = multipart(ubl=("application/xml", invoice()), metadata=("application/json", metadata.encode()))
    document = await client.filed(dossier["id"], body, content_type)
    assert (document["journal"], document["journals"]) == ("720", {here: "V3"})
    refused = await patch(client, document, {"journals": {"octopus": "V3"}})
    assert (refused.status_code, refused.json()["errors"][0]["field"].split(".")[:2]) == (422, ["body", "journals"])
    changed = (await patch(client, document, {"journals": {here: "V4"}})).json()
    assert (changed["journals"], changed["journal"], changed["revision"]) == ({here: "V4"}, "720", 2)
    assert (await patch(client, document, {"journals": {}})).json()["journals"] == {}

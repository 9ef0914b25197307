"""The same document by two channels goes once: the second is held, names the first, and a person decides."""

import asyncio
from typing import Any

import pytest

from .conftest import OTHER_FIRM, DossierClient
from .document_samples import OURS, PDF, THEIRS, attached_document, credit_note, invoice, multipart

ENVELOPE = (
    b'<StandardBusinessDocument xmlns="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">'
    b"<StandardBusinessDocumentHeader><HeaderVersion>1.0</HeaderVersion></StandardBusinessDocumentHeader>"
)


def purchase(number: str = "F-1", **changes: str) -> bytes:
    return invoice(number, seller=THEIRS, buyer=OURS, **changes)  # type: ignore[arg-type]


def bare(text: bytes) -> bytes:
    """Return the document without its XML declaration."""
    return text[text.index(b"<Invoice") :]


COPIES: dict[str, bytes] = {
    "other line ends": purchase().replace(b"\n", b"\r\n"),
    "in an envelope": ENVELOPE + bare(purchase()) + b"</StandardBusinessDocument>",
    "in an AttachedDocument": attached_document(purchase()),
    "with a comment": purchase().replace(b"</Invoice>", b"<!-- again --></Invoice>"),
    "in UTF-16": bare(purchase()).decode().encode("utf-16"),
    "with another reference": purchase(reference="PO-2"),
    "number written otherwise": purchase("f 1"),
    "number with zeros": purchase("F-0001"),
    "number after a word": purchase("Factuur nr. F-1"),
    "with a PDF inside": invoice("F-1", seller=THEIRS, buyer=OURS, pdf=PDF),
}


@pytest.mark.parametrize("name", list(COPIES))
async def test_the_second_copy_is_held_and_names_the_first(client: DossierClient, name: str) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], purchase())
    second = await client.filed(dossier["id"], COPIES[name])
    assert (first["state"], second["state"]) == ("filed", "held")
    [question] = second["questions"]
    assert (question["code"], question["other_document_id"]) == ("probable_duplicate", first["id"])
    assert "F-1" in question["message"]["nl"]
    assert [option["answer"] for option in question["options"]] == ["release", "drop"]
    assert first["questions"] == []


async def test_a_credit_note_with_minus_signs_is_a_copy_of_the_one_without(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    credit = credit_note("C-1", seller=THEIRS, buyer=OURS)
    first = await client.filed(dossier["id"], credit)
    second = await client.filed(dossier["id"], credit.replace(b">121.00<", b">-121.00<"))
    assert [one["code"] for one in second["questions"]] == ["negative_credit_note", "probable_duplicate"]
    answered = await answer(client, second, "credit", "negative_credit_note")
    assert answered.json()["state"] == "held", "else the credit is booked twice"
    assert second["questions"][1]["other_document_id"] == first["id"]


async def answer(
    client: DossierClient, document: dict[str, Any], given: str, question: str = "probable_duplicate"
) -> Any:
    body = {"question": question, "answer": given, "reason": "nagekeken"}
    return await client.call("POST", f"/documents/{document['id']}/answers", json=body)


async def test_a_person_releases_it_and_the_answer_is_kept(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    await client.filed(dossier["id"], purchase())
    second = await client.filed(dossier["id"], purchase(reference="PO-2"))
    await client.take_events()
    released = (await answer(client, second, "release")).json()
    assert released["state"] == "filed"
    [question] = released["questions"]
    assert (question["answer"], question["answered_by"], question["reason"]) == ("release", "tester", "nagekeken")
    assert question["answered_at"]
    [announced] = await client.take_events()
    assert (str(announced.document_id), announced.state) == (second["id"], "filed")
    again = await answer(client, second, "drop")
    assert (again.status_code, again.json()["code"]) == (409, "not_asked")


async def test_a_person_drops_it_and_may_take_that_back(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS, export={"frequency": "never", "approval_required": True})
    await client.filed(dossier["id"], purchase())
    second = await client.filed(dossier["id"], purchase(reference="PO-2"))
    assert (await answer(client, second, "drop")).json()["state"] == "dropped"
    third = await client.filed(dossier["id"], purchase(reference="PO-3"))
    assert third["questions"][0]["other_document_id"] != second["id"], "what was dropped is no first"
    assert (await answer(client, second, "release")).json()["state"] == "awaiting_approval"


async def test_what_is_dropped_leaves_its_number_free(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    await client.filed(dossier["id"], purchase("F-9"))
    second = await client.filed(dossier["id"], purchase("F-9", reference="PO-2"))
    assert second["state"] == "held"
    await answer(client, second, "drop")
    other = await client.dossier(enterprise_number=OURS)
    assert (await client.filed(other["id"], purchase("F-9")))["state"] == "filed", "dossiers do not see each other"


@pytest.mark.parametrize(
    ("copy", "differs"),
    [
        (purchase(day="2026-11-04"), "03.11.2026"),
        (purchase().replace(b"121.00", b"121.05"), "121.00"),
        (credit_note("F-1", seller=THEIRS, buyer=OURS), "121.00"),
    ],
)
async def test_the_same_number_with_something_else_different_warns_and_goes(
    client: DossierClient, copy: bytes, differs: str
) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], purchase())
    second = await client.filed(dossier["id"], copy)
    assert (second["state"], second["questions"]) == ("filed", [])
    [warning] = [one for one in second["findings"] if one["rule"] == "same_number"]
    assert warning["severity"] == "warning"
    assert first["id"] in warning["message"]["en"]
    assert differs in warning["message"]["en"]


@pytest.mark.parametrize("copy", [purchase("F-2"), invoice("F-1"), invoice("F-1", seller="0403170701", buyer=OURS)])
async def test_another_number_side_or_counterparty_is_another_document(client: DossierClient, copy: bytes) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    await client.filed(dossier["id"], purchase())
    second = await client.filed(dossier["id"], copy)
    assert second["state"] == "filed"
    assert [one for one in second["findings"] if one["rule"] == "same_number"] == []


async def test_copies_that_arrive_at_one_moment_are_not_both_filed(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    copies = [purchase(reference=f"PO-{number}") for number in range(6)]
    answers = await asyncio.gather(*(client.filed(dossier["id"], copy) for copy in copies))
    assert sorted(one["state"] for one in answers) == ["filed", *["held"] * 5]


async def test_the_same_bytes_are_the_same_document_and_no_copy(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], purchase())
    again = await client.hand_in(dossier["id"], purchase())
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, first["id"], "filed")


async def test_a_pdf_is_compared_once_its_data_is_entered(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], purchase())
    scan = await client.filed(dossier["id"], PDF, "application/pdf")
    entry = {
        "kind": "purchase_invoice",
        "number": "F1",
        "issue_date": "2026-11-03",
        "total": {"amount": "121.00", "currency": "EUR"},
        "counterparty": {"name": "Wie ook", "enterprise_number": THEIRS},
    }
    entered = (await client.call("PATCH", f"/documents/{scan['id']}", json=entry)).json()
    assert (entered["state"], entered["questions"][0]["other_document_id"]) == ("held", first["id"])
    refused = await client.call("PATCH", f"/documents/{scan['id']}", json={"number": "F-2"})
    assert (refused.status_code, refused.json()["code"]) == (409, "awaits_answer")
    assert (await answer(client, scan, "release")).json()["state"] == "filed"
    renamed = (await client.call("PATCH", f"/documents/{scan['id']}", json={"number": "F-2"})).json()
    assert (renamed["state"], renamed["number"]) == ("filed", "F-2")


async def test_entry_with_the_file_is_compared_too(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], purchase())
    metadata = (
        b'{"kind": "purchase_invoice", "number": "F-1", "issue_date": "2026-11-03", "total": {"amount": "121.00"},'
        b' "counterparty": {"name": "X", "vat_number": "BE' + THEIRS.encode() + b'"}}'
    )
    body, media_type = multipart(pdf=("application/pdf", PDF), metadata=("application/json", metadata))
    second = await client.filed(dossier["id"], body, media_type)
    assert second["questions"][0]["other_document_id"] == first["id"]


async def test_an_answer_must_be_one_of_the_options(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], purchase())
    second = await client.filed(dossier["id"], purchase(reference="PO-2"))
    wrong = await answer(client, second, "perhaps")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_answer")
    assert "release, drop" in wrong.json()["errors"][0]["message"]
    assert (await answer(client, second, "credit", "negative_credit_note")).status_code == 409
    assert (await answer(client, first, "release")).status_code == 409
    body = {"question": "probable_duplicate", "answer": "release"}
    elsewhere = await client.call("POST", f"/documents/{second['id']}/answers", firm=OTHER_FIRM, json=body)
    assert elsewhere.status_code == 404
    approve = await client.call("POST", f"/documents/{second['id']}/approve")
    assert (approve.status_code, approve.json()["code"]) == (409, "not_awaiting_approval")

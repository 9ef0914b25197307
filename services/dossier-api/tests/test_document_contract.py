"""What dossier-api answers is the document that connectors read: field by field, amount by amount."""

from typing import Any

from koppel_bookkeeping import Document
from koppel_bookkeeping.document import DocumentSummary
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryChanged, DeliveryState, LocalisedText, ProblemData, WhoCanFix

from .conftest import DossierClient
from .document_samples import PDF, THEIRS, credit_note, invoice
from .test_statements import BANK, CODA

ENTERED = {
    "kind": "purchase_invoice",
    "number": "88123",
    "issue_date": "2026-11-03",
    "due_date": "2026-12-03",
    "total": {"amount": "127.00", "currency": "EUR"},
    "counterparty": {"name": "Telecom NV", "enterprise_number": THEIRS},
    "lines": [
        {"id": "1", "net": "100.00", "vat_category": "S", "vat_rate": "21.00", "ledger_account": "611000"},
        {"id": "2", "net": "6.0", "vat_category": "E"},
    ],
    "vat": [
        {"category": "S", "rate": "21.00", "base": "100.00", "tax": "21.00"},
        {"category": "E", "base": "6.0", "tax": "0"},
    ],
}


def insist_on_the_contract(answered: dict[str, Any]) -> Document:
    """A field that either end renames or drops is missing here, or is not given back."""
    assert set(answered) == set(Document.model_fields)
    document = Document.model_validate(answered)
    assert document.model_dump(mode="json") == answered
    return document


async def filed(
    client: DossierClient, dossier: dict[str, Any], body: bytes, media_type: str = "application/xml"
) -> Any:
    return await client.document((await client.filed(dossier["id"], body, media_type))["id"])


async def test_an_invoice_and_a_credit_note_stand_as_on_paper(client: DossierClient) -> None:
    dossier = await client.dossier()
    relation = {"code": "25", "name": "Klant", "vat_number": f"BE{THEIRS}", "ledger_account": "701000"}
    await client.call("PUT", f"/dossiers/{dossier['id']}/relations", json={"items": [relation], "source": "exact"})
    for body in (invoice(pdf=PDF), credit_note()):
        document = insist_on_the_contract(await filed(client, dossier, body))
        assert document.total is not None and str(document.total.amount) == "121.00"
        assert sum(each.base + each.tax for each in document.vat) == document.total.amount
        assert document.relation is not None and document.relation.ledger_account == "701000"


async def test_what_a_person_entered_comes_back_as_it_was_entered(client: DossierClient) -> None:
    dossier = await client.dossier()
    waiting = await filed(client, dossier, PDF, "application/pdf")
    insist_on_the_contract(waiting)
    changed = await client.call("PATCH", f"/documents/{waiting['id']}", json=ENTERED)
    assert changed.status_code == 200, changed.text
    document = insist_on_the_contract(changed.json())
    assert [str(line.net) for line in document.lines] == ["100.00", "6.0"]
    assert document.lines[0].ledger_account == "611000"


async def test_a_statement_and_a_delivery_with_its_problem_are_part_of_it(client: DossierClient) -> None:
    dossier = await client.dossier()
    statement = await filed(client, dossier, BANK, CODA)
    assert insist_on_the_contract(statement).statements
    problem = ProblemData(
        code="journal_missing",
        message=LocalisedText(nl="nl", fr="fr", en="en"),
        who_can_fix=WhoCanFix.ACCOUNTANT,
        detail="bank_statement",
    )
    await client.deliver(
        DeliveryChanged(
            delivery_id=new_id(),
            document_id=statement["id"],
            revision=1,
            connector="connector-exact",
            connection_id=new_id(),
            state=DeliveryState.BLOCKED,
            problem=problem,
            version=1,
        )
    )
    document = insist_on_the_contract(await client.document(statement["id"]))
    assert [each.problem for each in document.deliveries] == [problem]


async def test_a_list_shows_the_summary_of_the_same_document(client: DossierClient) -> None:
    dossier = await client.dossier()
    whole = await filed(client, dossier, invoice())
    (listed,) = (await client.call("GET", f"/documents?dossier_id={dossier['id']}")).json()["items"]
    assert set(listed) == set(DocumentSummary.model_fields)
    assert listed == {name: whole[name] for name in listed}

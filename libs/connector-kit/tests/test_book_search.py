"""What others booked is looked for before the first send: what it costs, what a person answers, and what stops nothing."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_connector import Call, DeliveryContext, Vendor
from koppel_connector.contract import BookSearch
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed, party, sample
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind

from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

PURCHASE = DocumentKind.PURCHASE_INVOICE


class SearchedPaper(PaperConnector):
    profile = replace(PaperConnector.profile, book_search=BookSearch(batch=50))

    async def prepare(self, context: DeliveryContext[PaperSettings]) -> dict[str, Any]:
        return await super().prepare(context) | told(context.document.model_dump(mode="json"))

    async def search_books(self, vendor: Vendor, documents: Sequence[SoughtDocument]) -> Sequence[EntryInBooks]:
        params = {"numbers": ",".join(each.number for each in documents)}
        found = (await vendor.call(Call("search", "GET", "/entries", params=params, acts=False))).json()
        return [
            EntryInBooks(
                remote_id=each["id"],
                side="sale" if each["kind"].startswith("sales") else "purchase",
                document_number=each["document"],
                counterparty=Counterparty(enterprise_number=each["customer"]),
                issued_on=date.fromisoformat(each["date"]),
                total=Decimal(each["total"]),
                currency=each["currency"],
                entry_number=each["number"],
            )
            for each in found
        ]


SERVICE = connector_service(SearchedPaper(), settings=PaperServiceSettings)


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url, start=False) as running:
        await harness.connect(running)
        yield running


def told(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"document": document["number"], "date": document["issue_date"]}


def type_in(vendor: PaperVendor, document: Mapping[str, Any], cents: int = 0) -> str:
    number = f"99{len(vendor.ledger):03d}"
    vendor.ledger.append(
        {
            **told(document),
            "id": f"hand-{number}",
            "reference": "",
            "kind": document["kind"],
            "total": str(Decimal(document["total"]["amount"]) + Decimal(cents) / 100),
            "currency": document["currency"],
            "customer": document["counterparty"]["enterprise_number"],
            "number": number,
            "made": 0.0,
            "booked": True,
        }
    )
    return number


async def searches(testbed: Testbed) -> int:
    return len(await testbed.rows("SELECT 1 FROM attempt WHERE operation = 'search'"))


async def resolve(testbed: Testbed, delivery_id: UUID, **decision: str) -> None:
    async with testbed.owner() as owner:
        answer = await owner.post(f"/v1/deliveries/{delivery_id}/resolve", json=decision)
        assert answer.status_code == 200, answer.text


async def test_one_question_answers_for_everything_that_is_due(testbed: Testbed, vendor: PaperVendor) -> None:
    await testbed.deliver(*(testbed.ready(*sample(number)) for number in range(40)))
    testbed.start()
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 40
    assert await searches(testbed) == 1


async def test_what_was_due_later_or_tried_before_is_asked_anew(testbed: Testbed, vendor: PaperVendor) -> None:
    document = sample(1, PURCHASE)
    waiting = {**document.document, "ledger_account": "999999"}
    await testbed.deliver(testbed.ready(waiting, document.files), testbed.ready(*sample(2)))
    testbed.start()
    await testbed.until(lambda: _blocked(testbed), "one waits for an account")
    number = type_in(vendor, document.document)
    testbed.internal_services.add_document({**waiting, "ledger_account": None}, document.files)
    (blocked,) = await testbed.rows("SELECT id FROM delivery WHERE state = 'blocked'")
    async with testbed.owner() as owner:
        assert (await owner.post(f"/v1/deliveries/{blocked.id}/retry")).status_code == 202
    rows = await testbed.until_state("review", "booked")
    (held,) = [row for row in rows if row.state == "review"]
    assert number in held.problem["detail"], "it was typed in while the document waited"


async def _blocked(testbed: Testbed) -> bool:
    return sorted(row.state for row in await testbed.deliveries()) == ["blocked", "booked"]


async def test_a_counterparty_that_others_book_is_searched_for_each_document(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    seen = sample(1, PURCHASE, party(5))
    type_in(vendor, seen.document, cents=100)
    await testbed.deliver(testbed.ready(*seen))
    testbed.start()
    (row,) = await testbed.until_state("booked")
    assert [each["code"] for each in row.progress["warnings"]] == ["entry_alike_in_books"]
    asked = await searches(testbed)
    await testbed.change("UPDATE memory SET observed_at = '2026-01-01'")  # the database server was started since
    others = [sample(number, PURCHASE, party(5)) for number in range(2, 6)]
    await testbed.deliver(*(testbed.ready(*each) for each in others))
    await testbed.until_state("booked")
    assert await searches(testbed) == asked + len(others)


async def test_what_we_made_ourselves_holds_nothing_back(testbed: Testbed, vendor: PaperVendor) -> None:
    """A person released the second copy: that two documents have one number is asked before, by dossier-api."""
    document = sample(1, PURCHASE)
    await testbed.deliver(testbed.ready(*document))
    testbed.start()
    await testbed.until_state("booked")
    await testbed.deliver(testbed.ready({**document.document, "id": str(new_id())}, document.files))
    rows = await testbed.until_state("booked")
    assert (len(rows), len(vendor.ledger)) == (2, 2)


async def test_a_search_that_is_refused_stops_nothing_and_is_not_repeated(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    vendor.search_of_numbers_is_refused = True
    await testbed.deliver(testbed.ready(*sample(1)))
    testbed.start()
    (row,) = await testbed.until_state("booked")
    (warning,) = row.progress["warnings"]
    assert warning["code"] == "books_not_searched"
    assert "no right to search" in warning["detail"]
    await testbed.deliver(testbed.ready(*sample(2)))
    await testbed.until_state("booked")
    assert await searches(testbed) == 1, "the vendor counts refusals"


async def test_a_search_that_fails_while_the_vendor_is_well_stops_nothing(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    vendor.search_fails = 100
    await testbed.deliver(testbed.ready(*sample(1)))
    testbed.start()
    (row,) = await testbed.until_state("booked")
    (warning,) = row.progress["warnings"]
    assert warning["code"] == "books_not_searched"
    asked = await searches(testbed)
    assert asked > 1, "the vendor may have been away"
    await testbed.deliver(testbed.ready(*sample(2)))
    await testbed.until_state("booked")
    assert await searches(testbed) == asked, "for a while nobody asks"


async def test_a_person_who_had_it_sent_is_not_asked_about_the_same_entry_again(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    document = sample(1, PURCHASE)
    type_in(vendor, document.document)
    await testbed.deliver(testbed.ready({**document.document, "reference": "not today"}, document.files))
    testbed.start()
    (asked,) = await testbed.until_state("review")
    await resolve(testbed, asked.id, decision="resend")
    await testbed.until_state("failed")
    testbed.internal_services.add_document(
        {**document.document, "dossier_id": str(testbed.dossier_id), "firm_id": str(testbed.firm_id)}, document.files
    )
    async with testbed.owner() as owner:
        assert (await owner.post(f"/v1/deliveries/{asked.id}/retry")).status_code == 202
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 2


async def test_what_a_person_called_booked_there_is_not_booked_by_an_export_of_everything(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    document = sample(1, PURCHASE)
    number = type_in(vendor, document.document)
    event = testbed.ready(*document)
    await testbed.deliver(event)
    testbed.start()
    (asked,) = await testbed.until_state("review")
    await resolve(testbed, asked.id, decision="booked")
    (booked,) = await testbed.until_state("booked")
    assert booked.entry_number == number
    await testbed.deliver(event.model_copy(update={"again": True}))
    await testbed.until_state("booked", "review")
    assert len(vendor.ledger) == 1

"""What becomes of a document is asked of each connection, frozen into its deliveries, and a no is reported."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from koppel_connector import DeliveryContext, Problem, ReadBack, Target, Vendor
from koppel_connector.contract import TurnedDown
from koppel_connector.delivery.claims import claim
from koppel_connector.service import connector_service
from koppel_connector.testing import Fault, Testbed, open_testbed
from koppel_mesh.messages import DeliveryChanged, DeliveryState, DocumentKind

from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

BOOKING = Target("book", settle_s=0.2)
MAIL = Target("book", may_stay_exported=True, settle_s=0.2)


class ChoosyConnector(PaperConnector):
    """Journal ``both`` books and files, ``file`` only files; statements go one after the other, where the journal is ``bank``."""

    def targets(self, kind: DocumentKind, settings: PaperSettings) -> tuple[Target, ...] | Problem:
        filing = Target("file", reads_back=False, settle_s=0.2)
        match kind, settings.journal:
            case DocumentKind.BANK_STATEMENT, "bank":
                return (Target("book", settle_s=0.2, sequence_key="BE68539007547034"),)
            case ((DocumentKind.BANK_STATEMENT | DocumentKind.DAILY_RECEIPTS), _):
                return Problem("kind_not_taken", kind.value)
            case _, "both":
                return (BOOKING, filing)
            case _, "file":
                return (filing,)
            case _, "mailbox" | "refusing":
                return (MAIL,)
        return (BOOKING,)

    def books_scope(self, settings: PaperSettings) -> str | None:
        return "the company"

    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        match vendor.settings.journal:
            case "mailbox":
                return {}
            case "refusing":
                return {each.delivery.id: TurnedDown(Problem("rejected_by_vendor", "not ours")) for each in contexts}
        return await super().read_back(vendor, contexts)

    async def prepare(self, context: DeliveryContext) -> Any:
        target = context.delivery.target
        assert target is not None
        return {**await super().prepare(context), "operation": target.operation}


SERVICE = connector_service(ChoosyConnector(), settings=PaperServiceSettings)


@pytest.fixture
async def testbed(vendor: PaperVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        yield running


async def connect(testbed: Testbed, vendor: PaperVendor, journal: str) -> UUID:
    return await testbed.connect({"journal": journal}, vendor.allow)


async def choose(testbed: Testbed, connection_id: UUID, journal: str) -> None:
    async with testbed.owner() as owner:
        body = {"settings": {"journal": journal}}
        assert (await owner.patch(f"/v1/connections/{connection_id}", json=body)).status_code == 200


def statement(harness: PaperHarness, number: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    document, files = harness.document(number)
    return {**document, "kind": "bank_statement"}, dict(files)


async def test_a_kind_that_a_connection_does_not_take_is_told_on_the_document(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await connect(testbed, vendor, "700")
    seen = len(vendor.seen)
    await testbed.deliver(event := testbed.ready(*statement(harness, 1)))
    (row,) = await testbed.until_state("blocked")
    assert (row.problem["code"], row.problem["detail"], row.failures) == ("kind_not_taken", "bank_statement", 0)
    (changed,) = [each for each in await testbed.published() if isinstance(each, DeliveryChanged)]
    assert (changed.document_id, changed.state) == (event.document_id, DeliveryState.BLOCKED)
    assert changed.problem is not None
    assert len(vendor.seen) == seen


async def test_it_is_asked_again_when_the_settings_change(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    connection_id = await connect(testbed, vendor, "700")
    await testbed.deliver(testbed.ready(*statement(harness, 1)))
    await testbed.until_state("blocked")
    await choose(testbed, connection_id, "701")
    await testbed.until_state("blocked")
    await choose(testbed, connection_id, "bank")
    (row,) = await testbed.until_state("booked")
    assert (row.sequence_key, row.problem) == ("BE68539007547034", None)


async def test_a_document_may_have_several_deliveries_at_one_connection(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await connect(testbed, vendor, "both")
    event = testbed.ready(*harness.document(1))
    await testbed.deliver(event, event)
    rows = await testbed.until_state("booked", "exported")

    async def settled() -> bool:
        return sorted((row.operation, row.state) for row in await testbed.deliveries()) == [
            ("book", "booked"),
            ("file", "exported"),
        ]

    await testbed.until(settled, "one is booked, the other, which cannot be read back, is exported")
    assert len(rows) == 2
    assert sorted((entry["operation"], entry["reference"]) for entry in vendor.ledger) == sorted(
        (row.operation, row.remote_ref) for row in rows
    )


async def test_a_delivery_keeps_the_target_it_was_made_for(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    connection_id = await connect(testbed, vendor, "file")
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await choose(testbed, connection_id, "700")
    (row,) = await testbed.until_state("exported")
    assert (row.operation, row.reads_back, row.due_at) == ("file", False, None)
    assert [entry["operation"] for entry in vendor.ledger] == ["file"]


async def test_what_waits_follows_the_settings_to_another_destination(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    connection_id = await connect(testbed, vendor, "mailbox")
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await choose(testbed, connection_id, "700")
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
    (row,) = await testbed.until_state("booked")
    assert (row.operation, row.may_stay_exported) == ("book", False)
    assert len(vendor.ledger) == 1


async def test_what_somebody_books_by_hand_ends_as_exported_and_is_read_back_all_the_same(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    connection_id = await connect(testbed, vendor, "mailbox")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("exported")
    assert row.due_at is not None
    told = [each for each in await testbed.published() if isinstance(each, DeliveryChanged)]
    assert {each.ends_as for each in told} == {DeliveryState.EXPORTED}
    await choose(testbed, connection_id, "700")
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
    await testbed.until_state("booked")


async def test_what_is_turned_down_afterwards_has_failed(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await connect(testbed, vendor, "refusing")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("failed")
    assert (row.problem["code"], row.problem["detail"]) == ("rejected_by_vendor", "not ours")


async def test_a_sequence_goes_oldest_first_and_a_blocked_head_holds_the_rest(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """Over two connections to the same books."""
    first_way = await connect(testbed, vendor, "bank")
    first_dossier = testbed.dossier_id
    testbed.dossier_id = uuid4()
    await testbed.introduce_dossier()
    await connect(testbed, vendor, "bank")
    other_dossier = testbed.dossier_id
    await harness.fail(Fault.FORBIDS)
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    for number, dossier_id in enumerate((first_dossier, other_dossier, first_dossier, other_dossier)):
        testbed.dossier_id = dossier_id
        await testbed.deliver(testbed.ready(*statement(harness, number)))
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")

    async def head_is_blocked() -> bool:
        return (await testbed.deliveries())[0].state == "blocked"

    await testbed.until(head_is_blocked, "the head lacks a right")
    await testbed.change("UPDATE connection SET last_served_at = clock_timestamp()")
    testbed.context.wake("deliveries")
    (head, *others) = await testbed.deliveries()
    assert {row.state for row in others} == {"ready"}
    assert vendor.ledger == []
    async with testbed.owner() as owner:
        shown = {each["id"]: each["waits_for"] for each in (await owner.get("/v1/deliveries")).json()["items"]}
        in_front = {"delivery_id": str(head.id), "document_id": str(head.document_id)}
        assert shown == {str(head.id): None} | {str(row.id): in_front for row in others}
        assert (await owner.post(f"/v1/deliveries/{head.id}/retry")).status_code == 202
    rows = await testbed.until_state("booked")
    assert head.connection_id == first_way
    assert [entry["reference"] for entry in vendor.ledger] == [row.remote_ref for row in rows]


async def bank_statements(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor, count: int) -> UUID:
    """Have statements exported of which the vendor refuses the first for good; return the id of its delivery."""
    await connect(testbed, vendor, "bank")
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    for number in range(count):
        document, files = statement(harness, number)
        refused = {"reference": "no such account"} if number == 0 else {}
        await testbed.deliver(testbed.ready({**document, **refused}, files))
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")

    async def head_has_failed() -> bool:
        return (await testbed.deliveries())[0].state == "failed"

    await testbed.until(head_has_failed, "the vendor refuses the head")
    head: UUID = (await testbed.deliveries())[0].id
    return head


async def test_a_failed_head_holds_the_rest_until_a_person_tries_it_again(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """A later statement must not go before one that can still go."""
    head = await bank_statements(testbed, harness, vendor, 3)
    assert await claim(testbed.kit, 5) == []
    assert [row.state for row in await testbed.deliveries()] == ["failed", "ready", "ready"]
    documents = testbed.internal_services.documents
    documents.update({identifier: {**document, "reference": None} for identifier, document in documents.items()})
    async with testbed.owner() as owner:
        assert (await owner.post(f"/v1/deliveries/{head}/retry")).status_code == 202
    rows = await testbed.until_state("booked")
    assert [entry["reference"] for entry in vendor.ledger] == [row.remote_ref for row in rows]


async def test_a_failed_head_that_a_person_leaves_holds_nobody(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    head = await bank_statements(testbed, harness, vendor, 2)
    async with testbed.owner() as owner:
        left = await owner.post(f"/v1/deliveries/{head}/resolve", json={"decision": "abandon"})
        assert (left.status_code, left.json()["state"], left.json()["problem"]) == (200, "failed", None)

    async def gone_on() -> bool:
        return [row.state for row in await testbed.deliveries()] == ["failed", "booked"]

    await testbed.until(gone_on, "the next one goes")


async def test_a_failed_head_of_a_removed_connection_holds_nobody(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await bank_statements(testbed, harness, vendor, 1)
    (removed,) = await testbed.rows("SELECT id FROM connection")
    await connect(testbed, vendor, "bank")
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(testbed.ready(*statement(harness, 2)))
    async with testbed.owner() as owner:
        assert (await owner.delete(f"/v1/connections/{removed.id}")).status_code == 204
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")

    async def gone_on() -> bool:
        return "booked" in [row.state for row in await testbed.deliveries()]

    await testbed.until(gone_on, "what goes by the other connection is held by nobody")

"""Statements are delivered when connector-coda says that it is their turn, each account's one after the other."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from koppel_connector import ActionRequired, DeliveryContext, Problem, Target
from koppel_connector.service import connector_service
from koppel_connector.testing import Fault, Testbed, open_testbed
from koppel_mesh.messages import DocumentKind, DocumentReady

from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

CURRENT, SAVINGS = "BE18001234567865 EUR", "BE35001234567971 EUR"


class StatementConnector(PaperConnector):
    """Takes statements, as any connector does that names the kind; journal ``none`` takes none, ``both`` files them too.

    It files no cash book.
    """

    def targets(self, kind: DocumentKind, settings: PaperSettings) -> tuple[Target, ...] | Problem:
        if settings.journal == "none":
            return Problem("kind_not_taken", kind.value)
        booking = Target(settle_s=0.2)
        return (booking, Target("file", reads_back=False, settle_s=0.2)) if settings.journal == "both" else (booking,)

    async def prepare(self, context: DeliveryContext) -> Any:
        if context.delivery.operation == "file" and context.delivery.kind is DocumentKind.CASH_STATEMENT:
            raise ActionRequired(Problem("rejected_by_vendor", "it cannot be filed"))
        return await super().prepare(context)

    def books_scope(self, settings: PaperSettings) -> str | None:
        return "the company"


SERVICE = connector_service(StatementConnector(), settings=PaperServiceSettings)


@pytest.fixture
async def testbed(vendor: PaperVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        yield running


def statement(
    testbed: Testbed, harness: PaperHarness, number: int, account: str | None, **changes: Any
) -> DocumentReady:
    document, files = harness.document(number)
    return testbed.ready({**document, "kind": "bank_statement", **changes}, files, sequence_key=account)


async def hold(testbed: Testbed, until: str) -> None:
    await testbed.change(f"UPDATE connection SET not_before = clock_timestamp() + interval '{until}'")


async def test_a_statement_has_no_delivery_before_it_is_its_turn(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.connect({"journal": "700"}, vendor.allow)
    early = statement(testbed, harness, 1, None)
    await testbed.deliver(early)
    assert await testbed.deliveries() == []
    await testbed.deliver(early.model_copy(update={"sequence_key": CURRENT}), early)
    (row,) = await testbed.until_state("booked")
    assert row.sequence_key == CURRENT


async def test_each_account_goes_by_itself_and_in_order(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """The first statement of the current account is refused for good; those of the savings account do not wait for it."""
    await testbed.connect({"journal": "700"}, vendor.allow)
    await hold(testbed, "1 hour")
    for number, account in enumerate((CURRENT, SAVINGS, CURRENT, SAVINGS)):
        refused = {"reference": "no such account"} if number == 0 else {}
        await testbed.deliver(statement(testbed, harness, number, account, **refused))
    await hold(testbed, "0 hours")

    async def savings_are_booked() -> bool:
        return [row.state for row in await testbed.deliveries()] == ["failed", "booked", "ready", "booked"]

    await testbed.until(savings_are_booked, "the account of the refused statement waits, the other does not")
    rows = await testbed.deliveries()
    assert [entry["reference"] for entry in vendor.ledger] == [rows[1].remote_ref, rows[3].remote_ref]


async def test_what_cannot_be_filed_holds_what_is_filed_and_not_what_is_booked(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """Each operation of a statement goes in order by itself."""
    await testbed.connect({"journal": "both"}, vendor.allow)
    await testbed.deliver(statement(testbed, harness, 0, CURRENT, kind="cash_statement"))
    await testbed.deliver(statement(testbed, harness, 1, CURRENT))

    async def second_is_booked() -> bool:
        rows = {(row.document_id, row.operation): row.state for row in await testbed.deliveries()}
        states = sorted(rows.values())
        return states in (["blocked", "booked", "booked", "ready"], ["booked", "booked", "failed", "ready"])

    await testbed.until(second_is_booked, "both are booked, and the second waits to be filed")
    waiting = [row.operation for row in await testbed.deliveries() if row.state != "booked"]
    assert waiting == ["file", "file"]


async def test_what_was_not_taken_keeps_its_turn(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> None:
    connection_id = await testbed.connect({"journal": "none"}, vendor.allow)
    for number in range(3):
        await testbed.deliver(statement(testbed, harness, number, CURRENT))
    await testbed.until_state("blocked")
    await choose(testbed, connection_id, "700")
    rows = await testbed.until_state("booked")
    assert [row.sequence_key for row in rows] == [CURRENT] * 3
    assert [entry["reference"] for entry in vendor.ledger] == [row.remote_ref for row in rows]


async def test_a_connection_that_takes_no_statements_holds_none_of_another(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """Both lead to the same books."""
    await testbed.connect({"journal": "none"}, vendor.allow)
    await testbed.connect({"journal": "700"}, vendor.allow)
    for number in range(2):
        await testbed.deliver(statement(testbed, harness, number, CURRENT))

    async def booked_by_the_other() -> bool:
        return sorted(row.state for row in await testbed.deliveries()) == ["blocked", "blocked", "booked", "booked"]

    await testbed.until(booked_by_the_other, "the connection that takes statements has booked them")


async def test_an_outcome_in_doubt_is_looked_up_out_of_turn(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """The older way, which a person had left, is wanted again: it waits for the other, which is in doubt and waits for none."""
    await testbed.connect({"journal": "700"}, vendor.allow)
    await testbed.connect({"journal": "700"}, vendor.allow)
    await hold(testbed, "1 hour")
    await testbed.deliver(statement(testbed, harness, 0, CURRENT))
    older, _ = await testbed.deliveries()
    async with testbed.owner() as owner:
        left = await owner.post(f"/v1/deliveries/{older.id}/resolve", json={"decision": "abandon"})
        assert left.status_code == 200, left.text
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await hold(testbed, "0 hours")

        async def is_in_doubt() -> bool:
            return [row.state for row in await testbed.deliveries()] == ["failed", "unknown"]

        await testbed.until(is_in_doubt, "the newer way is in doubt")
        await hold(testbed, "1 hour")
        assert (await owner.post(f"/v1/deliveries/{older.id}/retry")).status_code == 202
    await hold(testbed, "0 hours")
    rows = await testbed.until_state("booked", "review")
    assert [row.state for row in rows] == ["review", "booked"]
    assert len(vendor.ledger) == 1


async def choose(testbed: Testbed, connection_id: UUID, journal: str) -> None:
    async with testbed.owner() as owner:
        body = {"settings": {"journal": journal}}
        assert (await owner.patch(f"/v1/connections/{connection_id}", json=body)).status_code == 200

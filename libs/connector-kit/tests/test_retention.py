"""The sync log is kept for as long as the operator says, and what proves that something was sent for ever."""

import pytest

from koppel_connector.calls import retention
from koppel_connector.calls.retention import forget_exchanges
from koppel_connector.testing import Fault, Testbed

from .paper_harness import PaperHarness


async def age(testbed: Testbed, days: int) -> None:
    await testbed.change(f"UPDATE attempt SET finished_at = finished_at - interval '{days} days'")


async def test_nothing_younger_than_the_setting_is_forgotten(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.connect(testbed)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    await age(testbed, testbed.context.settings.sync_log_days - 1)
    before = await testbed.rows("SELECT id, request, response FROM attempt ORDER BY id")
    assert not await forget_exchanges(testbed.context)
    assert await testbed.rows("SELECT id, request, response FROM attempt ORDER BY id") == before


async def test_old_questions_go_and_what_acted_loses_its_bodies_only(
    testbed: Testbed, harness: PaperHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.connect(testbed)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    acted = await testbed.rows("SELECT id, outcome, http_status FROM attempt WHERE acts ORDER BY id")
    assert acted
    assert await testbed.rows("SELECT 1 FROM attempt WHERE NOT acts")
    await age(testbed, testbed.context.settings.sync_log_days + 1)
    monkeypatch.setattr(retention, "BATCH", 1)
    while await forget_exchanges(testbed.context):
        pass
    assert await testbed.rows("SELECT id, outcome, http_status FROM attempt ORDER BY id") == acted
    assert not await testbed.rows("SELECT 1 FROM attempt WHERE request IS NOT NULL OR response IS NOT NULL")


async def test_what_belongs_to_a_delivery_on_its_way_is_kept(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.connect(testbed)
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    row = (await testbed.until_state("unknown"))[0]
    await testbed.change("UPDATE delivery SET state = 'review', due_at = NULL")
    await age(testbed, testbed.context.settings.sync_log_days + 1)
    kept = f"SELECT count(*) AS number FROM attempt WHERE delivery_id = '{row.id}' AND request IS NOT NULL"
    before = (await testbed.rows(kept))[0].number
    assert before
    await forget_exchanges(testbed.context)
    assert (await testbed.rows(kept))[0].number == before

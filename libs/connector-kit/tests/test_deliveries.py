"""Ready documents, revisions, fairness, connections that stop and come back, and what people are shown."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from koppel_connector.connection.events import Removed
from koppel_connector.testing import Fault, Testbed, open_testbed
from koppel_mesh.messages import DeliveryChanged, DeliveryState

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        await harness.connect(running)
        yield running


def revised(testbed: Testbed, harness: PaperHarness, revision: int) -> Any:
    document, files = harness.document(1)
    return testbed.ready({**document, "revision": revision}, files)


async def test_what_is_not_ours_makes_no_delivery(testbed: Testbed, harness: PaperHarness) -> None:
    other_dossier = testbed.ready(*harness.document(2), dossier_id=uuid4())
    forged_firm = testbed.ready(*harness.document(3), firm_id=uuid4())
    await testbed.deliver(other_dossier, forged_firm)
    assert await testbed.deliveries() == []


async def test_a_newer_revision_replaces_what_never_left(testbed: Testbed, harness: PaperHarness) -> None:
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(revised(testbed, harness, 1))
    await testbed.deliver(revised(testbed, harness, 2))
    await testbed.deliver(revised(testbed, harness, 1))
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
    rows = await testbed.until_state("booked", "superseded")
    assert [(row.revision, row.state) for row in rows] == [(1, "superseded"), (2, "booked")]


async def test_a_newer_revision_never_books_beside_an_older(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.deliver(revised(testbed, harness, 1))
    await testbed.until_state("booked")
    await testbed.deliver(revised(testbed, harness, 2))
    rows = await testbed.until_state("booked", "review")
    assert rows[1].problem["code"] == "already_booked_other_revision"
    assert len(vendor.ledger) == 1


async def test_a_person_sees_what_changed_since_the_revision_that_was_sent(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.deliver(revised(testbed, harness, 1))
    await testbed.until_state("booked")
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "revision": 2, "number": "CHANGED-1"}, files))
    sent, asked = await testbed.until_state("booked", "review")
    async with testbed.owner() as owner:
        shown = (await owner.get(f"/v1/deliveries/{asked.id}")).json()
        assert shown["changes"] == [f"number: {document['number']} → CHANGED-1"]
        assert (await owner.get(f"/v1/deliveries/{sent.id}")).json()["changes"] is None
    assert len(vendor.ledger) == 1


async def test_a_newer_revision_never_books_beside_what_a_person_left(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """Found twice, it is there, though we were never given an entry."""
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(revised(testbed, harness, 1))
    (row,) = await testbed.until_state("unknown")
    vendor.ledger.append(dict(vendor.ledger[0]))
    await testbed.until_state("review")
    async with testbed.owner() as owner:
        left = await owner.post(f"/v1/deliveries/{row.id}/resolve", json={"decision": "abandon"})
        assert left.json()["state"] == "failed"
    await testbed.deliver(revised(testbed, harness, 2))
    rows = await testbed.until_state("failed", "review")
    assert rows[1].problem["code"] == "already_booked_other_revision"
    assert {entry["reference"] for entry in vendor.ledger} == {row.remote_ref}


async def test_an_older_revision_that_comes_late_stays_behind(testbed: Testbed, harness: PaperHarness) -> None:
    await testbed.deliver(revised(testbed, harness, 2))
    await testbed.until_state("booked")
    await testbed.deliver(revised(testbed, harness, 1))
    assert [row.state for row in await testbed.deliveries()] == ["booked", "superseded"]


async def test_missing_settings_block_and_name_themselves(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.change("UPDATE connection SET settings = '{}'")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    row = (await testbed.until_state("blocked"))[0]
    assert row.problem["code"] == "settings_missing"
    assert "journal" in row.problem["message"]["nl"]
    assert vendor.ledger == []
    assert row.failures == 0
    await testbed.change("""UPDATE connection SET settings = '{"journal": "700"}', unblocked_at = clock_timestamp()""")
    await testbed.until_state("booked")


async def test_a_slow_vendor_costs_nobody_the_claim_of_those_that_wait_their_turn(
    harness: PaperHarness, vendor: PaperVendor, make_database: Callable[..., str]
) -> None:
    lease_s = 1.5
    async with open_testbed(
        SERVICE, make_database(SERVICE), paper_base_url=vendor.url, deadline_s=0.6, lease_s=lease_s
    ) as testbed:
        await harness.connect(testbed)
        vendor.books_in_s = 2 * lease_s / testbed.kit.settings.claim_batch
        await testbed.deliver(
            *(testbed.ready(*harness.document(number)) for number in range(testbed.kit.settings.claim_batch))
        )
        rows = await testbed.until_state(*["booked"] * testbed.kit.settings.claim_batch)
        assert [row.attempts for row in rows] == [1] * len(rows), "the sweeper took a living worker's claims"


async def test_a_lease_that_no_call_fits_in_is_refused_at_the_start(make_database: Callable[..., str]) -> None:
    with pytest.raises(ValueError, match="KOPPEL_LEASE_S is 1; connector-paper needs 2, twice its deadline"):
        async with open_testbed(SERVICE, make_database(SERVICE), deadline_s=1.0, lease_s=1.0):
            pass


async def test_a_removed_connection_ends_what_waited(testbed: Testbed, harness: PaperHarness) -> None:
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    connection = (await testbed.rows("SELECT id FROM connection"))[0]
    async with testbed.context.database.transaction() as tx:
        await testbed.kit.connections.apply(tx, connection.id, Removed())
    row = (await testbed.until_state("failed"))[0]
    assert row.problem["code"] == "connection_removed"


async def test_a_definite_refusal_fails_with_the_vendors_words(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "reference": "Periode is afgesloten: 2024 - 1"}, files))
    row = (await testbed.until_state("failed"))[0]
    assert row.problem["code"] == "rejected_by_vendor"
    assert "2024 - 1" in row.problem["detail"]
    assert vendor.ledger == []
    rendered = [event for event in await testbed.published() if isinstance(event, DeliveryChanged)]
    assert rendered[-1].state is DeliveryState.FAILED
    assert rendered[-1].problem is not None


async def test_the_vendor_down_is_retried_and_the_connection_paused(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await vendor.__aexit__()
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(8)))

    async def paused() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE failures >= 5 AND probe_at > clock_timestamp()"))

    await testbed.until(paused, "the connection is paused, and its vendor probed")
    assert {row.state for row in await testbed.deliveries()} <= {"ready", "sending", "failed"}


async def test_dossier_api_down_loses_nothing(testbed: Testbed, harness: PaperHarness) -> None:
    testbed.internal_services.down = True
    await testbed.deliver(testbed.ready(*harness.document(1)))

    async def stumbled() -> bool:
        problem = (await testbed.deliveries())[0].problem
        return problem is not None and problem["code"] == "document_unavailable"

    await testbed.until(stumbled, "the document could not be read")
    assert (await testbed.deliveries())[0].failures == 0
    testbed.internal_services.down = False
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
    await testbed.until_state("booked")


async def test_a_document_that_is_gone_ends(testbed: Testbed, harness: PaperHarness) -> None:
    event = testbed.ready(*harness.document(1))
    testbed.internal_services.documents.clear()
    await testbed.deliver(event)
    assert (await testbed.until_state("failed"))[0].problem["code"] == "document_gone"


async def test_of_a_bug_people_are_told_no_more_than_its_kind(testbed: Testbed, harness: PaperHarness) -> None:
    """What an exception says may hold anything."""
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "total": None}, files))
    (row,) = await testbed.until_state("failed")
    assert (row.problem["code"], row.problem["detail"]) == ("internal", "AssertionError")


async def test_two_bookings_of_one_reference_go_to_a_person(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    reference = (await testbed.deliveries())[0].remote_ref
    vendor.ledger.append(
        {"reference": reference, "id": "x", "number": "1", "total": "121.00", "made": 0, "booked": True}
    )
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
    row = (await testbed.until_state("review"))[0]
    assert row.problem["code"] == "found_twice"


async def test_a_total_that_differs_goes_to_a_person(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.booked_at_once = False
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("exported")
    vendor.ledger[0].update(total="121.01", booked=True)
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
    row = (await testbed.until_state("review"))[0]
    assert row.problem["code"] == "totals_differ"
    assert "121.01" in row.problem["message"]["en"]


async def test_exported_but_not_booked_is_noticed_by_a_clock(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    vendor.booked_at_once = False
    async with open_testbed(
        SERVICE, make_database(SERVICE), paper_base_url=vendor.url, unbooked_after_s=0.5
    ) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(testbed.ready(*harness.document(1)))

        async def noticed() -> bool:
            rows = await testbed.deliveries()
            return bool(rows) and rows[0].problem is not None

        await testbed.until(noticed, "the clock notices")
        row = (await testbed.deliveries())[0]
        assert (row.state, row.problem["code"]) == ("exported", "exported_not_booked")
        vendor.ledger[0]["booked"] = True
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
        row = (await testbed.until_state("booked"))[0]
        assert row.problem is None


async def test_a_noisy_dossier_leaves_its_neighbours_their_pace(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(
        SERVICE, make_database(SERVICE), paper_base_url=vendor.url, workers=2, start=False
    ) as testbed:
        await harness.connect(testbed)
        noisy = testbed.dossier_id
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(120)))
        quiet = []
        for number in range(5):
            testbed.dossier_id = uuid4()
            await testbed.introduce_dossier()
            await harness.connect(testbed)
            event = testbed.ready(*harness.document(1000 + number))
            quiet.append(event.document_id)
            await testbed.deliver(event)
        testbed.start()

        async def quiet_done() -> bool:
            rows = await testbed.rows("SELECT document_id FROM delivery WHERE state = 'booked'")
            return {row.document_id for row in rows} >= set(quiet)

        await testbed.until(quiet_done, "the quiet dossiers are served")
        left = await testbed.rows(
            "SELECT count(*) AS n FROM delivery WHERE state = 'ready' AND dossier_id = :id", id=noisy
        )
        assert left[0].n > 40, "the noisy dossier was served first"


async def test_each_connection_of_a_dossier_gets_its_own_delivery(testbed: Testbed, harness: PaperHarness) -> None:
    async with testbed.owner() as owner:
        body = {"dossier_id": str(testbed.dossier_id), "settings": {"journal": "701"}}
        assert (await owner.post("/v1/connections", json=body)).status_code == 201
    await testbed.deliver(testbed.ready(*harness.document(1)))
    rows = await testbed.until_state("booked", "blocked")
    assert sorted(row.state for row in rows) == ["blocked", "booked"]
    waiting = next(row for row in rows if row.state == "blocked")
    assert waiting.problem["code"] == "not_connected"


async def test_a_call_is_logged_with_the_delivery_that_it_was_made_for(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """The connector does not say for which: one that forgot would hide from the sweeper that a dead worker had acted."""
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("booked")
    made = await testbed.rows("SELECT phase, delivery_id, document_id FROM attempt ORDER BY id")
    of_delivery = {each.phase for each in made if (each.delivery_id, each.document_id) == (row.id, row.document_id)}
    assert of_delivery == {"send", "lookup"}
    assert {each.phase for each in made if each.delivery_id is None} == {"token", "read", "read_back"}


@pytest.mark.parametrize("phase", ["send", "lookup", "read_back"])
async def test_a_database_that_goes_away_costs_neither_a_retry_nor_a_search(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor, phase: str
) -> None:
    await testbed.change("CREATE SEQUENCE stumbles")
    await testbed.change(
        "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.phase = '{phase}' AND nextval('stumbles') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
        " RETURN NEW; END $$"
    )
    await testbed.change("CREATE TRIGGER stumble BEFORE INSERT ON attempt FOR EACH ROW EXECUTE FUNCTION stumble()")
    if phase == "lookup":
        await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(testbed.ready(*harness.document(1)))

    async def held_back() -> bool:
        return bool(
            await testbed.rows(
                "SELECT 1 FROM stumbles, delivery WHERE is_called AND state <> 'sending' AND lease_token IS NULL"
            )
        )

    await testbed.until(held_back, "the database went away in mid-work")
    (row,) = await testbed.deliveries()
    assert (row.failures, row.lookups) == (0, 0)
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_a_track_that_fails_leaves_the_others_to_their_end(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.change("UPDATE connection SET max_inflight = 2, not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(2)))
    failing, other = await testbed.deliveries()
    await testbed.change("CREATE SEQUENCE stumbles")
    await testbed.change(
        "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.state = 'exported' AND NEW.id = '{failing.id}' THEN PERFORM nextval('stumbles'); RAISE EXCEPTION 'disk full';"
        " END IF; RETURN NEW; END $$"
    )
    await testbed.change("CREATE TRIGGER stumble BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION stumble()")
    vendor.books_in_s = 0.5
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")

    async def one_failed() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM stumbles WHERE last_value >= 2"))

    await testbed.until(one_failed, "the outcome of the first could not be written")
    await testbed.kit.close()
    assert [row.state for row in await testbed.deliveries() if row.id == other.id] == ["exported"]


async def test_an_outcome_is_written_again_when_the_database_stumbles(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.change("CREATE SEQUENCE stumbles")
    await testbed.change(
        "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.state = 'exported' AND nextval('stumbles') = 1 THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$"
    )
    await testbed.change("CREATE TRIGGER stumble BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION stumble()")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 1
    assert await testbed.rows("SELECT 1 FROM attempt WHERE finished_at IS NULL") == []
    assert await testbed.rows("SELECT 1 FROM attempt WHERE phase = 'lookup'") == []


async def test_a_batch_that_fails_is_logged_with_its_traceback(testbed: Testbed) -> None:
    async def fail() -> None:
        raise LookupError("a bug of ours")

    with capture_logs() as logs:
        testbed.kit.start_batch(uuid4(), fail, "deliveries")
        await testbed.kit.close()
    (logged,) = [each for each in logs if each["event"] == "batch failed"]
    assert isinstance(logged["exc_info"], LookupError)
    assert logged["exc_info"].__traceback__ is not None

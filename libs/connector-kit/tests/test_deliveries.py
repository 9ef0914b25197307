"""Ready documents, revisions, fairness, connections that stop and come back, and what people are told."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from koppel_connector.conformance import Fault, Workshop, workshop
from koppel_connector.connections import set_state
from koppel_mesh.messages import ConnectionState, DeliveryChanged, DeliveryState, DocumentKind

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def shop(vendor: PaperVendor, harness: PaperHarness, make_database: Callable[[], str]) -> AsyncIterator[Workshop]:
    async with workshop(SERVICE, make_database(), paper_base_url=vendor.url) as running:
        await harness.connect(running)
        yield running


def revised(shop: Workshop, harness: PaperHarness, revision: int) -> Any:
    document, files = harness.document(1)
    return shop.ready({**document, "revision": revision}, files)


async def test_what_is_not_ours_makes_no_delivery(shop: Workshop, harness: PaperHarness) -> None:
    other_kind = shop.ready(*harness.document(1), kind=DocumentKind.BANK_STATEMENT)
    other_dossier = shop.ready(*harness.document(2), dossier_id=uuid4())
    forged_firm = shop.ready(*harness.document(3), firm_id=uuid4())
    await shop.hand(other_kind, other_dossier, forged_firm)
    assert await shop.deliveries() == []


async def test_a_newer_revision_replaces_what_never_left(shop: Workshop, harness: PaperHarness) -> None:
    await shop.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await shop.hand(revised(shop, harness, 1))
    await shop.hand(revised(shop, harness, 2))
    await shop.hand(revised(shop, harness, 1))
    await shop.change("UPDATE connection SET not_before = clock_timestamp()")
    rows = await shop.until_state("booked", "superseded")
    assert [(row.revision, row.state) for row in rows] == [(1, "superseded"), (2, "booked")]


async def test_a_newer_revision_never_books_beside_an_older(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await shop.hand(revised(shop, harness, 1))
    await shop.until_state("booked")
    await shop.hand(revised(shop, harness, 2))
    rows = await shop.until_state("booked", "review")
    assert rows[1].problem["code"] == "already_booked_other_revision"
    assert len(vendor.ledger) == 1


async def test_a_newer_revision_never_books_beside_what_a_person_left(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """Found twice, it is there, though we were never told an entry."""
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await shop.hand(revised(shop, harness, 1))
    (row,) = await shop.until_state("unknown")
    vendor.ledger.append(dict(vendor.ledger[0]))
    await shop.until_state("review")
    async with shop.owner() as owner:
        left = await owner.post(f"/v1/deliveries/{row.id}/resolve", json={"decision": "abandon"})
        assert left.json()["state"] == "failed"
    await shop.hand(revised(shop, harness, 2))
    rows = await shop.until_state("failed", "review")
    assert rows[1].problem["code"] == "already_booked_other_revision"
    assert {entry["reference"] for entry in vendor.ledger} == {row.remote_ref}


async def test_an_older_revision_that_comes_late_stays_behind(shop: Workshop, harness: PaperHarness) -> None:
    await shop.hand(revised(shop, harness, 2))
    await shop.until_state("booked")
    await shop.hand(revised(shop, harness, 1))
    assert [row.state for row in await shop.deliveries()] == ["booked", "superseded"]


async def test_missing_settings_block_and_name_themselves(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await shop.change("UPDATE connection SET settings = '{}'")
    await shop.hand(shop.ready(*harness.document(1)))
    row = (await shop.until_state("blocked"))[0]
    assert row.problem["code"] == "settings_missing"
    assert "journal" in row.problem["message"]["nl"]
    assert vendor.ledger == []
    assert row.failures == 0
    await shop.change("""UPDATE connection SET settings = '{"journal": "700"}', unblocked_at = clock_timestamp()""")
    await shop.until_state("booked")


async def test_a_slow_vendor_costs_nobody_the_claim_of_those_that_wait_their_turn(
    harness: PaperHarness, vendor: PaperVendor, make_database: Callable[[], str]
) -> None:
    lease_s = 1.5
    async with workshop(SERVICE, make_database(), paper_base_url=vendor.url, deadline_s=0.6, lease_s=lease_s) as shop:
        await harness.connect(shop)
        vendor.books_in_s = 2 * lease_s / shop.kit.settings.claim_batch
        await shop.hand(*(shop.ready(*harness.document(number)) for number in range(shop.kit.settings.claim_batch)))
        rows = await shop.until_state(*["booked"] * shop.kit.settings.claim_batch)
        assert [row.attempts for row in rows] == [1] * len(rows), "the sweeper took a living worker's claims"


async def test_a_lease_that_no_call_fits_in_is_refused_at_the_start(make_database: Callable[[], str]) -> None:
    with pytest.raises(ValueError, match="KOPPEL_LEASE_S is 1; connector-paper needs 2, twice its deadline"):
        async with workshop(SERVICE, make_database(), deadline_s=1.0, lease_s=1.0):
            pass


async def test_a_removed_connection_ends_what_waited(shop: Workshop, harness: PaperHarness) -> None:
    await shop.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await shop.hand(shop.ready(*harness.document(1)))
    connection = (await shop.rows("SELECT id FROM connection"))[0]
    async with shop.context.database.transaction() as tx:
        await set_state(tx, shop.kit, connection.id, ConnectionState.DISCONNECTED)
    row = (await shop.until_state("failed"))[0]
    assert row.problem["code"] == "connection_removed"


async def test_a_definite_refusal_fails_with_the_vendors_words(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    document, files = harness.document(1)
    await shop.hand(shop.ready({**document, "reject": "Periode is afgesloten: 2024 - 1"}, files))
    row = (await shop.until_state("failed"))[0]
    assert row.problem["code"] == "rejected_by_vendor"
    assert "2024 - 1" in row.problem["detail"]
    assert vendor.ledger == []
    told = [event for event in await shop.told() if isinstance(event, DeliveryChanged)]
    assert told[-1].state is DeliveryState.FAILED
    assert told[-1].problem is not None


async def test_the_vendor_down_is_retried_and_the_connection_paused(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await vendor.__aexit__()
    await shop.hand(*(shop.ready(*harness.document(number)) for number in range(8)))

    async def paused() -> bool:
        return bool(await shop.rows("SELECT 1 FROM connection WHERE failures >= 5 AND not_before > clock_timestamp()"))

    await shop.until(paused, "the connection is paused after five failures")
    assert {row.state for row in await shop.deliveries()} <= {"ready", "sending", "failed"}


async def test_dossier_api_down_loses_nothing(shop: Workshop, harness: PaperHarness) -> None:
    shop.neighbours.down = True
    await shop.hand(shop.ready(*harness.document(1)))

    async def stumbled() -> bool:
        problem = (await shop.deliveries())[0].problem
        return problem is not None and problem["code"] == "document_unavailable"

    await shop.until(stumbled, "the document could not be read")
    assert (await shop.deliveries())[0].failures == 0
    shop.neighbours.down = False
    await shop.change("UPDATE delivery SET due_at = clock_timestamp()")
    await shop.until_state("booked")


async def test_a_document_that_is_gone_ends(shop: Workshop, harness: PaperHarness) -> None:
    event = shop.ready(*harness.document(1))
    shop.neighbours.documents.clear()
    await shop.hand(event)
    assert (await shop.until_state("failed"))[0].problem["code"] == "document_gone"


async def test_of_a_bug_people_are_told_no_more_than_its_kind(shop: Workshop, harness: PaperHarness) -> None:
    """What an exception says may hold anything."""
    document, files = harness.document(1)
    await shop.hand(shop.ready({name: value for name, value in document.items() if name != "total"}, files))
    (row,) = await shop.until_state("failed")
    assert (row.problem["code"], row.problem["detail"]) == ("internal", "KeyError")


async def test_two_bookings_of_one_reference_go_to_a_person(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await shop.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await shop.hand(shop.ready(*harness.document(1)))
    reference = (await shop.deliveries())[0].remote_ref
    vendor.ledger.append(
        {"reference": reference, "id": "x", "number": "1", "total": "121.00", "made": 0, "booked": True}
    )
    await shop.change("UPDATE connection SET not_before = clock_timestamp()")
    row = (await shop.until_state("review"))[0]
    assert row.problem["code"] == "found_twice"


async def test_a_total_that_differs_goes_to_a_person(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.booked_at_once = False
    await shop.hand(shop.ready(*harness.document(1)))
    await shop.until_state("exported")
    vendor.ledger[0].update(total="121.01", booked=True)
    await shop.change("UPDATE delivery SET due_at = clock_timestamp()")
    row = (await shop.until_state("review"))[0]
    assert row.problem["code"] == "totals_differ"
    assert "121.01" in row.problem["message"]["en"]


async def test_exported_but_not_booked_is_noticed_by_a_clock(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[[], str]
) -> None:
    vendor.booked_at_once = False
    async with workshop(SERVICE, make_database(), paper_base_url=vendor.url, unbooked_after_s=0.5) as shop:
        await harness.connect(shop)
        await shop.hand(shop.ready(*harness.document(1)))

        async def noticed() -> bool:
            rows = await shop.deliveries()
            return bool(rows) and rows[0].problem is not None

        await shop.until(noticed, "the clock notices")
        row = (await shop.deliveries())[0]
        assert (row.state, row.problem["code"]) == ("exported", "exported_not_booked")
        vendor.ledger[0]["booked"] = True
        await shop.change("UPDATE delivery SET due_at = clock_timestamp()")
        row = (await shop.until_state("booked"))[0]
        assert row.problem is None


async def test_a_noisy_dossier_leaves_its_neighbours_their_pace(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[[], str]
) -> None:
    async with workshop(SERVICE, make_database(), paper_base_url=vendor.url, workers=2, start=False) as shop:
        await harness.connect(shop)
        noisy = shop.dossier_id
        await shop.hand(*(shop.ready(*harness.document(number)) for number in range(120)))
        quiet = []
        for number in range(5):
            shop.dossier_id = uuid4()
            await shop.introduce_dossier()
            await harness.connect(shop)
            event = shop.ready(*harness.document(1000 + number))
            quiet.append(event.document_id)
            await shop.hand(event)
        shop.start()

        async def quiet_done() -> bool:
            rows = await shop.rows("SELECT document_id FROM delivery WHERE state = 'booked'")
            return {row.document_id for row in rows} >= set(quiet)

        await shop.until(quiet_done, "the quiet dossiers are served")
        left = await shop.rows(
            "SELECT count(*) AS n FROM delivery WHERE state = 'ready' AND dossier_id = :id", id=noisy
        )
        assert left[0].n > 40, "the noisy dossier was served first"


async def test_each_connection_of_a_dossier_gets_its_own_delivery(shop: Workshop, harness: PaperHarness) -> None:
    async with shop.owner() as owner:
        body = {"dossier_id": str(shop.dossier_id), "settings": {"journal": "701"}}
        assert (await owner.post("/v1/connections", json=body)).status_code == 201
    await shop.hand(shop.ready(*harness.document(1)))
    rows = await shop.until_state("booked", "blocked")
    assert sorted(row.state for row in rows) == ["blocked", "booked"]
    waiting = next(row for row in rows if row.state == "blocked")
    assert waiting.problem["code"] == "not_connected"


@pytest.mark.parametrize("faults", [(), (Fault.ACTS_THEN_HANGS,)], ids=["at once", "after doubt"])
async def test_two_ways_to_one_company_are_taken_one_after_the_other(
    harness: PaperHarness, vendor: PaperVendor, make_database: Callable[[], str], faults: tuple[Fault, ...]
) -> None:
    settle_s = 1.0
    async with workshop(SERVICE, make_database(), paper_base_url=vendor.url, settle_s=settle_s) as shop:
        await harness.connect(shop)
        await harness.connect(shop)
        await shop.change("UPDATE connection SET limit_scope = 'one company'")
        for fault in faults:
            await harness.fail(fault)
        await shop.hand(shop.ready(*harness.document(1)))
        await shop.until_state("booked", "booked")
    first, second = vendor.ledger
    assert (first["went_before"], second["went_before"]) == (False, True), "the second way knows of the first"
    assert second["made"] - first["made"] > settle_s * (1 + len(faults)), (
        "a search would find by then what the first did"
    )


async def test_what_was_refused_did_not_go_before(shop: Workshop, harness: PaperHarness, vendor: PaperVendor) -> None:
    await harness.connect(shop)
    await shop.change("UPDATE connection SET limit_scope = 'one company'")
    await harness.fail(Fault.FORBIDS)
    await shop.hand(shop.ready(*harness.document(1)))
    await shop.until_state("blocked", "booked")
    assert [entry["went_before"] for entry in vendor.ledger] == [False]


async def test_a_call_is_logged_with_the_delivery_that_it_was_made_for(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """The connector does not say for which: one that forgot would hide from the sweeper that a dead worker had acted."""
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await shop.hand(shop.ready(*harness.document(1)))
    (row,) = await shop.until_state("booked")
    made = await shop.rows("SELECT phase, delivery_id, document_id FROM attempt ORDER BY id")
    of_delivery = {each.phase for each in made if (each.delivery_id, each.document_id) == (row.id, row.document_id)}
    assert of_delivery == {"send", "lookup"}
    assert {each.phase for each in made if each.delivery_id is None} == {"token", "read", "read_back"}


@pytest.mark.parametrize("phase", ["send", "lookup", "read_back"])
async def test_a_database_that_goes_away_costs_neither_a_retry_nor_a_search(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor, phase: str
) -> None:
    await shop.change("CREATE SEQUENCE stumbles")
    await shop.change(
        "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.phase = '{phase}' AND nextval('stumbles') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
        " RETURN NEW; END $$"
    )
    await shop.change("CREATE TRIGGER stumble BEFORE INSERT ON attempt FOR EACH ROW EXECUTE FUNCTION stumble()")
    if phase == "lookup":
        await harness.fail(Fault.ACTS_THEN_RESETS)
    await shop.hand(shop.ready(*harness.document(1)))

    async def held_back() -> bool:
        return bool(
            await shop.rows(
                "SELECT 1 FROM stumbles, delivery WHERE is_called AND state <> 'sending' AND lease_token IS NULL"
            )
        )

    await shop.until(held_back, "the database went away in mid-work")
    (row,) = await shop.deliveries()
    assert (row.failures, row.lookups) == (0, 0)
    await shop.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_a_track_that_fails_leaves_the_others_to_their_end(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await shop.change("UPDATE connection SET max_inflight = 2, not_before = clock_timestamp() + interval '1 hour'")
    await shop.hand(*(shop.ready(*harness.document(number)) for number in range(2)))
    failing, other = await shop.deliveries()
    await shop.change("CREATE SEQUENCE stumbles")
    await shop.change(
        "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.state = 'exported' AND NEW.id = '{failing.id}' THEN PERFORM nextval('stumbles'); RAISE EXCEPTION 'disk full';"
        " END IF; RETURN NEW; END $$"
    )
    await shop.change("CREATE TRIGGER stumble BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION stumble()")
    vendor.books_in_s = 0.5
    await shop.change("UPDATE connection SET not_before = clock_timestamp()")

    async def one_failed() -> bool:
        return bool(await shop.rows("SELECT 1 FROM stumbles WHERE last_value >= 2"))

    await shop.until(one_failed, "the outcome of the first could not be written")
    await shop.kit.close()
    assert [row.state for row in await shop.deliveries() if row.id == other.id] == ["exported"]


async def test_an_outcome_is_written_again_when_the_database_stumbles(
    shop: Workshop, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await shop.change("CREATE SEQUENCE stumbles")
    await shop.change(
        "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.state = 'exported' AND nextval('stumbles') = 1 THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$"
    )
    await shop.change("CREATE TRIGGER stumble BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION stumble()")
    await shop.hand(shop.ready(*harness.document(1)))
    await shop.until_state("booked")
    assert len(vendor.ledger) == 1
    assert await shop.rows("SELECT 1 FROM attempt WHERE finished_at IS NULL") == []
    assert await shop.rows("SELECT 1 FROM attempt WHERE phase = 'lookup'") == []

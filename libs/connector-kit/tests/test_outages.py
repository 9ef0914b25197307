"""A vendor that goes away and comes back: one failure a moment, a short visible pause, a harmless probe, and on."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from koppel_connector import Vendor
from koppel_connector.service import connector_service
from koppel_connector.testing import Fault, Testbed, open_testbed

from .paper_connector import ME, SERVICE, PaperConnector, PaperServiceSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


class PingedConnector(PaperConnector):
    async def ping(self, vendor: Vendor) -> None:
        await vendor.call(ME)


PINGED_SERVICE = connector_service(PingedConnector(), settings=PaperServiceSettings)
POST = ("POST", "/entries")


@pytest.fixture
async def connected(testbed: Testbed, harness: PaperHarness) -> Testbed:
    await harness.connect(testbed)
    return testbed


async def begin(vendor: PaperVendor, outage: str) -> None:
    if outage == "refuses":
        await vendor.refuse_connections()
    elif outage == "503":
        vendor.outage = "503"
    else:
        vendor.outage = "drops"


async def end(vendor: PaperVendor, outage: str) -> None:
    if outage == "refuses":
        await vendor.accept_connections()
    vendor.outage = None


def references(vendor: PaperVendor) -> list[str]:
    return [entry["reference"] for entry in vendor.ledger]


async def is_away(testbed: Testbed) -> bool:
    return bool(await testbed.rows("SELECT 1 FROM connection WHERE away_since IS NOT NULL"))


@pytest.mark.parametrize("outage", ["drops", "refuses", "503"])
async def test_after_a_short_outage_everything_is_booked_once_within_seconds(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str], outage: str
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url, pause_first_s=0.3) as testbed:
        await harness.connect(testbed)
        vendor.books_in_s = 0.02
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(24)))

        async def some() -> bool:
            return len(vendor.ledger) >= 3

        await testbed.until(some, "the stream is flowing")
        await begin(vendor, outage)
        await testbed.until(lambda: is_away(testbed), "the vendor is away")
        seen = len(vendor.seen)
        booked = len(vendor.ledger)
        away_since = time.monotonic()
        while time.monotonic() - away_since < 1.0:
            await testbed.until(lambda: is_away(testbed), "the vendor is away")
        assert len(vendor.seen) - seen <= 5, "one probe a pause, and nothing beside it"
        await end(vendor, outage)
        well_at = time.monotonic()

        async def first() -> bool:
            return len(vendor.ledger) > booked

        await testbed.until(first, "the first is booked")
        rows = await testbed.until_state("booked")
        assert time.monotonic() - well_at < 15
        assert sorted(references(vendor)) == sorted(row.remote_ref for row in rows), "each once"
        assert all(row.failures <= 1 for row in rows), "no delivery pays for the outage of a vendor"


async def test_nothing_is_booked_while_it_is_unknown_whether_an_earlier_one_was(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url, settle_s=1.5) as testbed:
        await harness.connect(testbed)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(8)))

        async def looked_up() -> bool:
            return ("GET", "/entries") in vendor.seen

        await testbed.until(looked_up, "the unknown one is looked up")
        before = vendor.seen[: vendor.seen.index(("GET", "/entries"))]
        assert before.count(POST) == 1
        await testbed.until_state("booked")
        assert len(vendor.ledger) == 8


async def test_a_ping_opens_the_way_for_the_others_while_one_settles(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(
        PINGED_SERVICE, make_database(PINGED_SERVICE), paper_base_url=vendor.url, settle_s=60
    ) as testbed:
        await harness.connect(testbed)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(8)))
        rows = await testbed.until_state("booked", "unknown")
        assert sorted(row.state for row in rows) == ["booked"] * 7 + ["unknown"]
        assert vendor.seen.count(("GET", "/me")) >= 1


async def test_an_outage_between_sending_and_reading_back_is_probed_by_reading_back(
    connected: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.booked_at_once = False
    await connected.deliver(connected.ready(*harness.document(1)))
    await connected.until_state("exported")
    vendor.outage = "503"
    await connected.change("UPDATE delivery SET due_at = clock_timestamp()")
    await connected.until(lambda: is_away(connected), "the vendor is away")
    vendor.ledger[0]["booked"] = True
    vendor.outage = None
    (row,) = await connected.until_state("booked")
    assert row.failures == 0
    assert not await is_away(connected)


async def test_books_that_cannot_be_read_keep_no_document_back(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(
        PINGED_SERVICE, make_database(PINGED_SERVICE), paper_base_url=vendor.url, pause_first_s=0.3
    ) as testbed:
        await harness.connect(testbed)
        vendor.booked_at_once = False
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until_state("exported")
        vendor.books_are_ill = True
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
        await testbed.until(lambda: is_away(testbed), "the vendor is away")
        await testbed.deliver(testbed.ready(*harness.document(2)))
        await testbed.until_state("exported")
        assert len(vendor.ledger) == 2


async def test_a_clear_refusal_is_an_answer_of_a_vendor_that_is_back(
    connected: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    document, files = harness.document(1)
    vendor.outage = "503"
    await connected.change("UPDATE connection SET away_since = clock_timestamp(), probe_at = clock_timestamp()")
    vendor.outage = None
    await connected.deliver(connected.ready({**document, "reference": "Periode is afgesloten"}, files))
    await connected.until_state("failed")
    assert not await is_away(connected)


async def test_a_document_that_breaks_the_vendor_ends_and_its_neighbours_go_on(
    connected: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """Each time it comes the vendor drops the connection before it did anything."""
    document, files = harness.document(0)
    vendor.breaks_on = b"breaks"
    await connected.deliver(connected.ready({**document, "reference": "breaks"}, files))
    await connected.deliver(*(connected.ready(*harness.document(number)) for number in range(1, 6)))
    rows = await connected.until_state("booked", "failed")
    assert sorted(row.state for row in rows) == ["booked"] * 5 + ["failed"]
    assert len(vendor.ledger) == 5


async def test_a_vendor_that_says_when_to_come_back_is_left_alone_until_then(
    connected: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.outage, vendor.retry_after_s = "503", 1800
    await connected.deliver(connected.ready(*harness.document(1)))
    await connected.until(lambda: is_away(connected), "the vendor is away")
    (row,) = await connected.rows("SELECT probe_at > clock_timestamp() + interval '29 min' AS obeyed FROM connection")
    assert row.obeyed


# ------------------------------------------------------------------------------------------------------- the pause is seen


@pytest.fixture
async def paused(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    """Four documents of which one met a vendor that is away; the vendor is well again, and the pause is a long one."""
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url, pause_first_s=60) as testbed:
        await harness.connect(testbed)
        await vendor.refuse_connections()
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(4)))
        await testbed.until(lambda: is_away(testbed), "the vendor is away")
        await testbed.until_state("ready")
        await vendor.accept_connections()
        yield testbed


async def get(testbed: Testbed, path: str) -> Any:
    async with testbed.owner() as owner:
        return (await owner.get(path)).json()


async def test_a_pause_tells_until_when_and_why(paused: Testbed) -> None:
    (connection,) = (await get(paused, "/v1/connections"))["items"]
    health = connection["health"]
    assert (connection["state"], health["can_send"]) == ("connected", False)
    assert health["paused"]["problem"]["code"] == "vendor_unavailable"
    assert health["paused"]["since"] < health["paused"]["until"]
    deliveries = (await get(paused, "/v1/deliveries"))["items"]
    assert [each["waits_for"] for each in deliveries] == [health["paused"]] * 4, "those that were not tried as well"
    (one,) = [each for each in deliveries if each["problem"]]
    assert one["problem"]["code"] == "vendor_unavailable"


async def test_a_retry_by_a_person_ends_the_pause(paused: Testbed) -> None:
    (delivery, *_) = await paused.deliveries()
    async with paused.owner() as owner:
        assert (await owner.post(f"/v1/deliveries/{delivery.id}/retry")).status_code == 202
    rows = await paused.until_state("booked")
    assert len(rows) == 4
    (connection,) = (await get(paused, "/v1/connections"))["items"]
    assert (connection["health"]["can_send"], connection["health"]["paused"]) == (True, None)


async def test_a_good_check_ends_the_pause(paused: Testbed) -> None:
    (connection,) = (await get(paused, "/v1/connections"))["items"]
    async with paused.owner() as owner:
        assert (await owner.post(f"/v1/connections/{connection['id']}/check")).json()["ok"]
    await paused.until_state("booked")


async def test_a_used_up_budget_tells_until_when_too(connected: Testbed, harness: PaperHarness) -> None:
    await connected.change("UPDATE connection SET not_before = clock_timestamp() + interval '30 hours'")
    await connected.deliver(connected.ready(*harness.document(1)))
    (delivery,) = (await get(connected, "/v1/deliveries"))["items"]
    assert delivery["waits_for"]["problem"]["code"] == "rate_limited_long"
    sentence = delivery["waits_for"]["problem"]["message"]["en"]
    assert "/2" in sentence, f"the day is named, since it is not today: {sentence}"

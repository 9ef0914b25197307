"""Budgets in rows: never exceeded, never slept for, wrong local counts corrected, breakers that let one probe through."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import text

from koppel_connector import Call, Rejected, VendorAnswer
from koppel_connector.calls.rate_limits import Reading
from koppel_connector.calls.vendor import open_vendor
from koppel_connector.calls.windows import ScopedWindow, learn
from koppel_connector.contract import HeaderNames, NothingFound, RateLimited, Window
from koppel_connector.delivery.claims import claim
from koppel_connector.testing import Fault, Testbed, open_testbed

from .paper_connector import ME, SERVICE, PaperConnector
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

SMALL = Window("minute", 12, 60, HeaderNames("X-Limit", "X-Remaining", "X-Reset"))


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch, vendor: PaperVendor) -> None:
    vendor.per_minute = 12
    monkeypatch.setattr(PaperConnector, "profile", replace(PaperConnector.profile, windows=(SMALL,)))


async def open_one(testbed: Any) -> Any:
    connection_id = (await testbed.rows("SELECT id FROM connection"))[0].id
    async with testbed.context.database.reading() as reading:
        row = await testbed.kit.connections.read(reading, connection_id)
    assert row is not None
    return await open_vendor(testbed.kit, row)


async def test_a_storm_never_exceeds_the_window(
    small_window: None, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(40)))

        async def held_back() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM connection WHERE not_before > clock_timestamp()"))

        await testbed.until(held_back, "the connection is paused")
        assert vendor.over_limit == 0
        waiting = await testbed.rows("SELECT failures, state FROM delivery WHERE state <> 'booked'")
        assert {row.state for row in waiting} <= {"ready", "sending", "exported"}
        assert {row.failures for row in waiting} == {0}
        vendor.per_minute = 10_000
        await testbed.change("UPDATE rate_window SET ends_at = clock_timestamp(), capacity = 10000")
        await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state IN ('ready', 'exported')")
        await testbed.until_state("booked")
        assert vendor.over_limit == 0
        assert len(vendor.ledger) == 40


async def test_many_workers_share_one_window(
    small_window: None, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        used = vendor.minutes.total()
        waits: list[datetime | None] = []

        async def call() -> bool:
            opened = await open_one(testbed)
            try:
                await opened.call(ME)
            except RateLimited as failure:
                waits.append(failure.until)
                return False
            return True

        went = await asyncio.gather(*(call() for _ in range(30)))
        # A new minute may begin meanwhile, and brings a new window.
        assert 12 - used <= went.count(True) <= 12 * len(vendor.minutes) - used
        assert all(until is not None and until > testbed.context.now() - timedelta(seconds=2) for until in waits)
        assert vendor.over_limit == 0


async def test_the_vendors_count_wins_over_ours(
    small_window: None, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    """Another program shares the application: the vendor has counted more than we have."""
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        for minute in list(vendor.minutes):
            vendor.minutes[minute] = vendor.minutes[minute + 1] = 9
        opened = await open_one(testbed)
        await opened.call(ME)
        async with testbed.context.database.transaction() as tx:
            await opened.flush(tx)
        assert (await testbed.rows("SELECT used FROM rate_window"))[0].used == 10


async def test_the_breaker_opens_before_the_vendor_blocks_and_probes_once(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url, claim_batch=1) as testbed:
        await harness.connect(testbed)
        await harness.fail(Fault.FORBIDS, times=1000)
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(12)))

        async def all_wait() -> bool:
            rows = await testbed.deliveries()
            return all(row.state == "blocked" or (row.state == "ready" and row.problem is not None) for row in rows)

        await testbed.until(all_wait, "the endpoint is paused")
        posts = [call for call in vendor.seen if call == ("POST", "/entries")]
        assert len(posts) == 5
        held = await testbed.rows(
            "SELECT problem, failures FROM delivery WHERE state = 'ready' AND problem IS NOT NULL"
        )
        assert {row.problem["code"] for row in held} == {"too_many_errors"}
        assert {row.failures for row in held} == {0}
        # The pause is over; the right is there again: one probe closes the breaker and everything goes.
        await harness.repair()
        await testbed.change("UPDATE error_budget SET open_until = clock_timestamp()")
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state = 'ready'")
        await testbed.change("UPDATE connection SET unblocked_at = clock_timestamp() + interval '1 second'")
        await testbed.until_state("booked")
        assert not await testbed.rows("SELECT 1 FROM error_budget WHERE open_until IS NOT NULL")


async def test_what_exists_already_uses_up_no_errors(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    """Six of our own repeats are refused as such: they are looked up, and the company's other sales go on."""
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        vendor.exists_already = 6
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(6)))
        await testbed.until(lambda: _refused_as_existing(testbed), "all six are refused")
        await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
        await testbed.until(lambda: _looked_up(testbed, 6), "each of them is looked up")
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(6, 9)))
        await testbed.until_state("booked")
        assert len(vendor.ledger) == 9
        assert not await testbed.rows("SELECT 1 FROM error_budget")


async def test_a_search_that_settles_goes_though_the_endpoint_is_out_of_errors(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(
        SERVICE, make_database(SERVICE), paper_base_url=vendor.url, claim_batch=1, settle_s=1.5
    ) as testbed:
        await harness.connect(testbed)
        await harness.fail(Fault.ACTS_THEN_ERROR)
        await harness.fail(Fault.FORBIDS, times=1000)
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(9)))

        async def endpoint_is_closed() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM error_budget WHERE open_until > clock_timestamp()"))

        await testbed.until(endpoint_is_closed, "the endpoint is out of errors")
        assert {row.state for row in await testbed.deliveries()} & {"booked"} == set()
        await testbed.until(lambda: _any_booked(testbed), "the unknown one is found and seen in the books")
        assert vendor.seen.count(("POST", "/entries")) == 6, "nothing is sent: one that acted and five refused"
        held = await testbed.rows("SELECT problem FROM delivery WHERE state = 'ready'")
        assert {row.problem["code"] for row in held if row.problem} <= {"too_many_errors"}


async def test_the_reserve_of_searches_ends_too(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(testbed.ready(*harness.document(1)))
        opened = await open_one(testbed)
        (row,) = await claim(testbed.kit, 1)
        scope = opened.row.limit_scope
        for errors, may_search, may_send in ((4, True, True), (5, True, False), (6, True, False), (7, False, False)):
            await testbed.change("DELETE FROM error_budget")
            closed = "clock_timestamp() + interval '1 hour'" if errors >= 5 else "NULL"
            await testbed.change(
                "INSERT INTO error_budget (scope, endpoint, errors, window_ends_at, open_until)"
                f" VALUES ('{scope}', 'entries', {errors}, clock_timestamp() + interval '1 hour', {closed})"
            )
            search = Call("entries", "GET", "/entries", params={"reference": "none"}, acts=False)
            opened.begin("lookup", *row.rows)
            assert await _goes(opened, search) is may_search, errors
            opened.begin("send", *row.rows)
            assert await _goes(opened, search) is may_send, errors


async def test_nothing_found_is_an_empty_list_and_an_unknown_path_is_not(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    """Both are answered with 404 and a body; only the first is no error."""
    nothing = NothingFound(("errorCode",), frozenset({-1}))
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        opened = await open_one(testbed)
        for _ in range(6):
            answer = await opened.call(Call("relations", "GET", "/relations", acts=False, nothing_found=nothing))
            assert (answer.json(), answer.found_nothing, answer.status) == ([], True, 404)
        for asked in (
            Call("relations", "GET", "/dossiers/None/relations", acts=False, nothing_found=nothing),
            Call("relations", "GET", "/relations", acts=False),
            Call("relations", "PUT", "/relations", acts=True, nothing_found=nothing),
        ):
            with pytest.raises(Rejected):
                await opened.call(asked)
        async with testbed.context.database.transaction() as tx:
            await opened.flush(tx)
        logged = await testbed.rows("SELECT outcome FROM attempt WHERE operation = 'relations' ORDER BY id")
        assert [row.outcome for row in logged] == ["ok"] * 6 + ["refused"] * 3
        assert [row.errors for row in await testbed.rows("SELECT errors FROM error_budget")] == [3]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"errorCode": [-16]}',
        b'{"errorCode": "no"}',
        b'{"errorCode": -3}',
        b'{"errorCode": "-3"}',
    ],
)
def test_another_404_says_nothing_of_what_there_is(content: bytes) -> None:
    answer = VendorAnswer(404, {}, content, "relations", acts=False)
    assert not NothingFound(("code", "errorCode"), frozenset({-3})).is_said_by(answer)


@pytest.mark.parametrize("code", ["-16", '"-16"', "-16.0", 'null, "code": -16'])
def test_a_code_is_the_same_in_whatever_type_it_comes(code: str) -> None:
    answer = VendorAnswer(404, {}, f'{{"errorCode": {code}}}'.encode(), "relations", acts=False)
    assert NothingFound(("errorCode", "code"), frozenset({-3})).is_said_by(answer)


async def _goes(opened: Any, call: Call) -> bool:
    try:
        await opened.call(call)
    except RateLimited as failure:
        return failure.holds != "operation"
    return True


async def _refused_as_existing(testbed: Testbed) -> bool:
    return len(await testbed.rows("SELECT 1 FROM attempt WHERE http_status = 409")) == 6


async def _looked_up(testbed: Testbed, count: int) -> bool:
    rows = await testbed.rows("SELECT DISTINCT delivery_id FROM attempt WHERE phase = 'lookup' AND outcome = 'ok'")
    return len(rows) >= count


async def _any_booked(testbed: Testbed) -> bool:
    return any(row.state == "booked" for row in await testbed.deliveries())


@pytest.mark.parametrize("holds", ["operation", "connection"])
async def test_an_endpoint_out_of_errors_leaves_the_rest_of_its_connection_going(
    vendor: PaperVendor,
    harness: PaperHarness,
    make_database: Callable[..., str],
    holds: Literal["connection", "operation"],
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        connection_id = await harness.connect(testbed)
        until = testbed.context.now() + timedelta(hours=1)
        async with testbed.context.database.transaction() as tx:
            limited = RateLimited(until, holds=holds)
            assert await testbed.kit.connections.apply_failure(tx, connection_id, limited) is (holds == "connection")
        (row,) = await testbed.rows("SELECT not_before > clock_timestamp() AS waits FROM connection")
        assert row.waits is (holds == "connection")


async def test_no_database_no_call(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        opened = await open_one(testbed)
        calls = len(vendor.seen)
        await testbed.change("ALTER TABLE attempt RENAME TO attempt_away")
        with pytest.raises(Exception, match="attempt"):
            await opened.call(ME)
        assert len(vendor.seen) == calls
        await testbed.change("ALTER TABLE attempt_away RENAME TO attempt")


async def test_learning_and_calling_take_the_windows_in_one_order(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor that tells its limits otherwise than ours, and two who call it for one scope at once."""
    two = (SMALL, replace(SMALL, name="day", capacity=10_000, period_s=86_400, headers=HeaderNames("D", "D", "D")))
    monkeypatch.setattr(PaperConnector, "profile", replace(PaperConnector.profile, windows=two))
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        database = testbed.context.database
        readings = [Reading(name, None, 5, None) for name in ("minute", "day")]
        scope = (await testbed.rows("SELECT DISTINCT scope FROM rate_window"))[0].scope

        scoped = [ScopedWindow(window, scope) for window in reversed(two)]

        async def take_over() -> None:
            for _ in range(60):
                async with database.transaction() as tx:
                    for reading in readings:
                        await learn(tx, scoped, reading)

        async def call() -> None:
            for _ in range(60):
                async with database.transaction() as tx:
                    await tx.execute(
                        text("SELECT 1 FROM rate_window WHERE scope = :scope ORDER BY name FOR UPDATE"),
                        {"scope": scope},
                    )

        await asyncio.gather(*(each() for each in (take_over, call) for _ in range(3)))

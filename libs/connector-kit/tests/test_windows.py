"""Windows end when the vendor's clock says so, a day of 23 or 25 hours included, and hold back only what they count."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from koppel_connector.calls import attempts
from koppel_connector.calls.budget import time_of_day
from koppel_connector.calls.rate_limits import throttle
from koppel_connector.calls.vendor import OpenVendor, open_vendor
from koppel_connector.contract import Profile, RateLimited, Window
from koppel_connector.contract.limits import DAY_S
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.clock import BRUSSELS, utc_now
from koppel_mesh.telemetry.metrics import REGISTRY

from .paper_connector import ME, SERVICE, PaperConnector
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

DAY = Window("day", 10, DAY_S, zone="Europe/Brussels")
PERIODS_S = [60, 900, 3600, 4 * 3600, 12 * 3600, DAY_S]
ZONES = ["UTC", "Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants them naive


@given(MOMENTS, st.sampled_from(PERIODS_S), st.sampled_from(ZONES))
def test_a_window_ends_with_a_whole_period_of_its_zone(now: datetime, period_s: int, zone: str) -> None:
    window = Window("w", 1, period_s, zone=zone)
    ends_at = window.ends_at(now)
    assert now < ends_at <= now + timedelta(seconds=period_s) or (
        period_s == DAY_S and ends_at - now <= timedelta(hours=25)
    )
    assert window.ends_at(ends_at - timedelta(microseconds=1)) == ends_at, "whoever asks in one window gets one end"
    assert window.ends_at(ends_at) > ends_at
    local, next_day = ends_at.astimezone(ZoneInfo(zone)), (now.astimezone(ZoneInfo(zone)) + timedelta(days=1)).date()
    if period_s == DAY_S:
        assert (local.date(), local.hour, local.minute) == (next_day, 0, 0)
    assert local.date() <= next_day, "no window goes beyond the vendor's day"


@pytest.mark.parametrize(
    ("now", "ends_at", "hours"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 12, 0, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC), 25),
        (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), datetime(2026, 7, 2, 22, tzinfo=UTC), 24),
    ],
)
def test_a_brussels_day_is_as_long_as_it_is(now: datetime, ends_at: datetime, hours: int) -> None:
    assert DAY.ends_at(now) == ends_at
    assert DAY.ends_at(ends_at - timedelta(hours=hours) - timedelta(seconds=1)) == ends_at - timedelta(hours=hours)


@pytest.mark.parametrize("period_s", [0, 7, 50_000, 7 * DAY_S])
def test_a_window_that_divides_no_day_is_refused(period_s: int) -> None:
    with pytest.raises(ValueError, match="neither a day"):
        Window("w", 1, period_s)


async def test_the_database_counts_to_the_same_end(testbed: Testbed) -> None:
    statement = attempts._WINDOW_ENDS.replace("clock_timestamp()", "w.at")
    moments = [
        datetime(2026, month, day, hour, 59, 59, 500_000, tzinfo=UTC)
        for month, day in ((3, 28), (3, 29), (10, 24), (10, 25), (10, 26), (4, 4), (12, 31))
        for hour in range(0, 24, 3)
    ]
    asked = [(at, period_s, zone) for at in moments for period_s in PERIODS_S for zone in ZONES]
    query = text(
        f"SELECT w.*, {statement} AS ends_at FROM unnest(CAST(:ats AS timestamptz[]), CAST(:periods AS integer[]),"
        " CAST(:zones AS text[])) AS w (at, period_s, zone)"
    )
    ats, periods, zones = zip(*asked, strict=True)
    async with testbed.context.database.reading() as reading:
        rows = (await reading.execute(query, {"ats": ats, "periods": periods, "zones": zones})).all()
    assert len(rows) == len(asked)
    for row in rows:
        assert row.ends_at == Window("w", 1, row.period_s, zone=row.zone).ends_at(row.at), row


def test_a_429_without_headers_waits_to_the_end_of_the_day() -> None:
    now = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    assert throttle({}, (DAY,), now).wait_s == 11 * 3600 + 1
    minute = Window("minute", 60, 60)
    assert throttle({}, (minute, DAY), now).wait_s == 61
    assert throttle({}, (minute, DAY), now, {"day"}).wait_s == 11 * 3600 + 1, "we know which one is used up"
    assert throttle({}, (), now).wait_s == 61


def test_a_person_reads_the_day_where_it_is_not_today() -> None:
    now = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
    assert time_of_day(datetime(2026, 11, 28, 22, 30, tzinfo=UTC), now) == "23:30"
    assert time_of_day(datetime(2026, 11, 28, 23, 0, tzinfo=UTC), now) == "00:00 (29/11/2026)"


# ------------------------------------------------------------------------------------------------------- with a database


async def open_one(testbed: Testbed, connection_id: UUID) -> OpenVendor:
    async with testbed.context.database.reading() as reading:
        row = await testbed.kit.connections.read(reading, connection_id)
    assert row is not None
    return await open_vendor(testbed.kit, row)


def limited(monkeypatch: pytest.MonkeyPatch, *windows: Window) -> None:
    monkeypatch.setattr(PaperConnector, "profile", replace(PaperConnector.profile, windows=windows))


def of(operation: str, capacity: int, **more: object) -> Window:
    window = Window(f"{operation} a day", capacity, DAY_S, operations=frozenset({operation}), zone="Europe/Brussels")
    return replace(window, **more)  # type: ignore[arg-type] # a window's own fields


async def test_the_service_may_say_how_many_calls_were_agreed_on(
    monkeypatch: pytest.MonkeyPatch, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    def agreed(connector: PaperConnector, _: object) -> Profile:
        return replace(connector.profile, windows=(of("entries", 1),))

    monkeypatch.setattr(PaperConnector, "profile_for", agreed)
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(2)))

        async def one_went() -> bool:
            return sorted(row.state for row in await testbed.deliveries()) == ["booked", "ready"]

        await testbed.until(one_went, "the second waits for tomorrow")


async def test_a_used_up_window_holds_back_only_what_it_counts(
    monkeypatch: pytest.MonkeyPatch, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    """The vendor allows two looks into the books a day: all documents are sent, and what was not seen waits for tomorrow."""
    limited(monkeypatch, of("books", 2), of("entries", 100))
    vendor.booked_at_once = False
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        for number in range(4):
            await testbed.deliver(testbed.ready(*harness.document(number)))
            await testbed.until_state("exported")
            await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state = 'exported'")

        async def looks_are_used_up() -> bool:
            return bool(
                await testbed.rows(
                    "SELECT 1 FROM delivery WHERE state = 'exported' AND due_at > clock_timestamp() + interval '30 seconds'"
                )
            )

        await testbed.until(looks_are_used_up, "the looks of the day are used up")
        assert vendor.seen.count(("GET", "/books")) == 2
        assert len(vendor.ledger) == 4
        assert not await testbed.rows("SELECT 1 FROM connection WHERE not_before > clock_timestamp()")


async def test_a_refusal_of_one_operation_waits_to_the_vendors_midnight_and_holds_no_other(
    monkeypatch: pytest.MonkeyPatch, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    limited(monkeypatch, of("me", 48), of("entries", 100))
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        connection_id = await harness.connect(testbed)
        vendor.per_minute, vendor.speaks_of_limits = 0, False
        opened = await open_one(testbed, connection_id)
        before = utc_now()
        with pytest.raises(RateLimited) as caught:
            await opened.call(ME)
        midnight = of("me", 48).ends_at(before)
        assert caught.value.holds == "operation"
        assert caught.value.until is not None
        assert abs((caught.value.until - midnight).total_seconds()) < 5
        vendor.per_minute = 10_000
        with pytest.raises(RateLimited, match="rate_limited_long") as again:
            await opened.call(ME)
        assert again.value.holds == "operation"
        assert again.value.problem is not None
        assert midnight.astimezone(BRUSSELS).strftime("%d/%m/%Y") in str(again.value.problem.params["until"])
        await opened.call(replace(ME, operation="entries"))


async def test_connections_share_a_window_of_the_application(
    monkeypatch: pytest.MonkeyPatch, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    limited(monkeypatch, of("me", 3, per="application"), of("accounts", 1, per="connection"))
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.change("UPDATE rate_window SET used = 0")
        await harness.connect(testbed)
        used = {
            row.scope: row.used
            for row in await testbed.rows("SELECT scope, used FROM rate_window WHERE name LIKE 'me%'")
        }
        assert used == {"connector-paper": 1}
        owned = await testbed.rows("SELECT scope FROM rate_window WHERE name LIKE 'accounts%'")
        assert {row.scope for row in owned} == {str(row.id) for row in await testbed.rows("SELECT id FROM connection")}


async def test_four_fifths_of_a_day_are_told_once_and_shown(
    monkeypatch: pytest.MonkeyPatch, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    limited(monkeypatch, Window("minute", 5, 60), of("me", 10))
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        connection_id = await harness.connect(testbed)
        await testbed.change("UPDATE rate_window SET used = CASE name WHEN 'minute' THEN 0 ELSE 6 END")
        opened = await open_one(testbed, connection_id)
        async with testbed.owner() as owner:

            async def warnings() -> list[str]:
                shown = (await owner.get(f"/v1/connections/{connection_id}")).json()
                listed = (await owner.get("/v1/connections")).json()["items"][0]
                assert shown["health"]["warnings"] == listed["health"]["warnings"]
                return [warning["message"]["en"] for warning in shown["health"]["warnings"]]

            before = warned()
            await opened.call(ME)
            assert (await warnings(), warned() - before) == ([], 0)
            await opened.call(ME)
            (sentence,) = await warnings()
            await opened.call(ME)
        assert "8 of the 10 calls that Paper allows are used" in sentence
        assert warned() - before == 1


def warned() -> float:
    labels = {"service": "connector-paper", "window": "me a day"}
    return REGISTRY.get_sample_value("koppel_window_warnings_total", labels) or 0.0

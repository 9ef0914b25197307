"""Budget of calls (messaging sheet §3.7): what a vendor's headers say, and what we count when it says nothing.

Counting happens in rows, in the statement that also opens the attempt (``attempts.open_attempt``): no row, no budget, no call.
Here is what can be decided without a database: how to read headers, and how long to wait.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.connector import ErrorBudget, HeaderNames, VendorAnswer, Window, retry_after_s

MARGIN_S = 1.0
"""Added to a wait computed from headers: clocks are read in whole seconds."""


@dataclass(frozen=True)
class Reading:
    """What the vendor said of one window. None means that it said nothing, never zero."""

    name: str
    limit: int | None
    remaining: int | None
    wait_s: float | None


def read_windows(windows: Sequence[Window], headers: Mapping[str, str], now: datetime) -> list[Reading]:
    """Return what the vendor's headers say of each window it mentions."""
    readings = []
    vendor_now = _date_of(headers) or now
    for window in windows:
        names = window.headers
        if names is None:
            continue
        reading = Reading(
            window.name,
            _number(headers, names.limit),
            _number(headers, names.remaining),
            _wait_s(headers, names, vendor_now, window.period_s),
        )
        if (reading.limit, reading.remaining, reading.wait_s) != (None, None, None):
            readings.append(reading)
    return readings


def throttle_wait_s(answer: VendorAnswer, windows: Sequence[Window], now: datetime) -> float:
    """Return how long a 429 asks us to wait.

    The window that is used up says so; ``Retry-After`` otherwise; when the vendor says nothing, its shortest period.
    """
    used_up = [
        reading.wait_s
        for reading in read_windows(windows, answer.headers, now)
        if reading.wait_s is not None and (reading.remaining is None or reading.remaining <= 0)
    ]
    if used_up:
        return max(*used_up, MARGIN_S)
    asked_s = retry_after_s(answer.headers)
    if asked_s is not None:
        return asked_s + MARGIN_S
    return float(min((window.period_s for window in windows), default=60)) + MARGIN_S


def _wait_s(headers: Mapping[str, str], names: HeaderNames, vendor_now: datetime, period_s: int) -> float | None:
    # The vendor's clock may differ from ours by minutes: only its own Date header tells what its reset means.
    reset = _number(headers, names.reset)
    if reset is None:
        return None
    match names.reset_unit:
        case "s_delta":
            wait_s = float(reset)
        case "s_epoch":
            wait_s = reset - vendor_now.timestamp()
        case "ms_epoch":
            wait_s = reset / 1000 - vendor_now.timestamp()
    if wait_s + MARGIN_S < 0:
        # A reset in the past tells nothing (no Date header, and clocks that differ): taken for "now", it would have us
        # knock again at once, for as long as the vendor refuses.
        return None
    return min(wait_s, period_s) + MARGIN_S


def _number(headers: Mapping[str, str], name: str | None) -> int | None:
    value = headers.get(name.lower(), "").strip() if name else ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def _date_of(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None


# ------------------------------------------------------------------------------------------------------------ the rows

# Whoever takes more than one window takes them by name, as the opening of a call does: else two wait for each other for ever.
_HELD = "WITH held AS (SELECT FROM rate_window WHERE scope = :scope ORDER BY name FOR UPDATE)"
_ALL_HELD = "(SELECT count(*) FROM held) > 0"
_LEARN = text(f"""
    {_HELD}
    UPDATE rate_window SET
        capacity = coalesce(CAST(:limit AS integer), capacity),
        used = coalesce(coalesce(CAST(:limit AS integer), capacity) - CAST(:remaining AS integer), used),
        ends_at = coalesce(clock_timestamp() + CAST(:wait_s AS float8) * interval '1 second', ends_at)
    WHERE scope = :scope AND name = :name AND {_ALL_HELD}
""")
_EXHAUST = text(f"""
    {_HELD}
    UPDATE rate_window SET used = greatest(used, capacity),
        ends_at = clock_timestamp() + CAST(:wait_s AS float8) * interval '1 second'
    WHERE scope = :scope AND name = :name AND {_ALL_HELD}
""")
_MAKE = text("""
    INSERT INTO rate_window (scope, name, capacity, period_s, ends_at)
    VALUES (:scope, :name, :capacity, :period_s, clock_timestamp()) ON CONFLICT DO NOTHING
""")
_ERROR = text("""
    INSERT INTO error_budget AS b (scope, endpoint, errors, window_ends_at)
    VALUES (:scope, :endpoint, 1, clock_timestamp() + :period_s * interval '1 second')
    ON CONFLICT (scope, endpoint) DO UPDATE SET
        errors = CASE WHEN b.window_ends_at <= clock_timestamp() THEN 1 ELSE b.errors + 1 END,
        window_ends_at = CASE WHEN b.window_ends_at <= clock_timestamp()
            THEN clock_timestamp() + :period_s * interval '1 second' ELSE b.window_ends_at END,
        open_until = CASE
            WHEN b.open_until IS NOT NULL THEN clock_timestamp() + :period_s * interval '1 second'
            WHEN b.window_ends_at > clock_timestamp() AND b.errors + 1 >= :capacity THEN b.window_ends_at END,
        probe_until = NULL
""")
_CLOSE = text("DELETE FROM error_budget WHERE scope = :scope AND endpoint = :endpoint AND open_until IS NOT NULL")


async def make_windows(tx: AsyncConnection, scope: str, windows: Sequence[Window]) -> None:
    """Make the window rows of a scope where they are missing."""
    if windows:
        await tx.execute(
            _MAKE,
            [
                {"scope": scope, "name": each.name, "capacity": each.capacity, "period_s": each.period_s}
                for each in windows
            ],
        )


@dataclass(frozen=True)
class Answered:
    """One answer, as far as the budget is concerned, beside what we had counted when the call left."""

    status: int
    headers: Mapping[str, str]
    endpoint: str
    counts: Mapping[str, Any]
    """Window name → ``used`` and ``capacity``."""
    was_probe: bool
    at: datetime


def rate_limit_updates(
    scope: str, windows: Sequence[Window], budget: ErrorBudget | None, answered: Answered
) -> list[Callable[[AsyncConnection], Awaitable[None]]]:
    """Return what an answer teaches, as writes; mostly nothing, for agreement costs no write."""
    found: list[Callable[[AsyncConnection], Awaitable[None]]] = []
    if budget is not None and (answered.status in budget.statuses or answered.was_probe):
        found.append(
            partial(_count_outcome, scope=scope, budget=budget, answered=answered)
        )  # before the windows, as calls do
    for reading in read_windows(windows, answered.headers, answered.at):
        ours = answered.counts.get(reading.name)
        agrees = (
            ours is not None
            and reading.limit in (None, ours["capacity"])
            and reading.remaining == ours["capacity"] - ours["used"]
        )
        if not agrees or answered.status == 429:
            found.append(partial(_learn, scope=scope, reading=reading))
    return found


async def _learn(tx: AsyncConnection, scope: str, reading: Reading) -> None:
    """Let the vendor's count win over ours."""
    known = {"limit": reading.limit, "remaining": reading.remaining, "wait_s": reading.wait_s}
    await tx.execute(_LEARN, {"scope": scope, "name": reading.name, **known})


async def exhaust(tx: AsyncConnection, scope: str, windows: Sequence[Window], wait_s: float) -> None:
    """Note that the vendor refused for lack of budget: no call of this scope leaves before ``wait_s`` has passed."""
    if windows:
        window = min(
            (each for each in windows if each.period_s + 2 >= wait_s),
            key=lambda each: each.period_s,
            default=windows[-1],
        )
        await tx.execute(_EXHAUST, {"scope": scope, "name": window.name, "wait_s": wait_s})


async def _count_outcome(tx: AsyncConnection, scope: str, budget: ErrorBudget, answered: Answered) -> None:
    """Count a refused call against the endpoint's error budget; a good answer to a probe closes the breaker."""
    key = {"scope": scope, "endpoint": answered.endpoint}
    if answered.status in budget.statuses:
        await tx.execute(_ERROR, {**key, "capacity": budget.capacity, "period_s": budget.period_s})
    elif answered.was_probe and answered.status < 400:
        await tx.execute(_CLOSE, key)


def ends_in(now: datetime, wait_s: float) -> datetime:
    """Return the moment ``wait_s`` from ``now``."""
    return now + timedelta(seconds=wait_s)

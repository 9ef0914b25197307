"""The windows of one connection, as rows: what is counted when the vendor says nothing, and what its headers teach.

A call takes its place in the statement that also opens its attempt (``attempts.open_attempt``): no row, no place, no call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.limits import Window
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import counter

from .rate_limits import Reading, Throttle

NEARLY_USED = 0.8
WARNED_FROM_S = 3600
"""A window shorter than this is over before anybody could read a warning."""
log = structlog.get_logger(__name__)
_warnings = counter(
    "koppel_window_warnings",
    "Windows of which four fifths were used before their end",
    ["window"],
    alerts=[
        Alert(
            name="KoppelCallsRunOut",
            summary="{value} times within a day four fifths of the calls that the vendor allows were used early",
            above=5,
            within="1d",
            lasts="0m",
            severity="ticket",
        )
    ],
)


@dataclass(frozen=True)
class ScopedWindow:
    """A window of the profile, and whose row counts in it."""

    window: Window
    scope: str


def windows_of(windows: Iterable[Window], name: str, connection_id: UUID, limit_scope: str) -> list[ScopedWindow]:
    """Return the windows that a connection of the connector ``name`` shares with others, or has for itself."""
    scopes = {"scope": limit_scope, "connection": str(connection_id), "application": name}
    return [ScopedWindow(window, scopes[window.per]) for window in windows]


def as_arrays(windows: Sequence[ScopedWindow]) -> dict[str, list[Any]]:
    """Return the windows as a statement takes them."""
    return {
        "scopes": [each.scope for each in windows],
        "names": [each.window.name for each in windows],
        "periods_s": [each.window.period_s for each in windows],
        "zones": [each.window.zone for each in windows],
        "reserves": [each.window.reserve for each in windows],
    }


# Whoever takes more than one window takes them by scope and name, as the opening of a call does, and whoever writes what an
# answer taught takes all of its connection first: else two wait for each other for ever.
_HELD = """WITH held AS (
    SELECT FROM rate_window r
    JOIN unnest(CAST(:scopes AS text[]), CAST(:names AS text[])) AS w (scope, name) USING (scope, name)
    ORDER BY r.scope, r.name FOR UPDATE OF r)"""
_ALL_HELD = "(SELECT count(*) FROM held) > 0"
_LEARN = Statement(f"""
    {_HELD}
    UPDATE rate_window SET
        capacity = coalesce(CAST(:limit AS integer), capacity),
        used = coalesce(coalesce(CAST(:limit AS integer), capacity) - CAST(:remaining AS integer), used),
        ends_at = coalesce(clock_timestamp() + CAST(:wait_s AS float8) * interval '1 second', ends_at)
    WHERE scope = :scope AND name = :name AND {_ALL_HELD}
    RETURNING used, capacity
""")
_EXHAUST = Statement(f"""
    {_HELD}
    UPDATE rate_window SET used = greatest(used, capacity),
        ends_at = clock_timestamp() + CAST(:wait_s AS float8) * interval '1 second'
    WHERE scope = :scope AND name = :name AND {_ALL_HELD}
""")
_MAKE = Statement("""
    INSERT INTO rate_window (scope, name, capacity, period_s, ends_at)
    VALUES (:scope, :name, :capacity, :period_s, clock_timestamp()) ON CONFLICT DO NOTHING
""")
_NEARLY_USED = Statement("""
    SELECT r.scope, r.name, r.used, r.capacity, r.ends_at FROM rate_window r
    JOIN unnest(CAST(:scopes AS text[]), CAST(:names AS text[])) AS w (scope, name) USING (scope, name)
    WHERE r.ends_at > clock_timestamp() AND r.used >= r.capacity * CAST(:nearly AS float8)
""")


async def make(tx: AsyncConnection, windows: Sequence[ScopedWindow]) -> None:
    """Make the rows that are missing."""
    if windows:
        rows = [
            {
                "scope": each.scope,
                "name": each.window.name,
                "capacity": each.window.capacity,
                "period_s": each.window.period_s,
            }
            for each in sorted(windows, key=lambda each: (each.scope, each.window.name))
        ]
        await _MAKE.run_many(tx, rows)


def teaches(reading: Reading, count: Mapping[str, int] | None, refused: bool) -> bool:
    """Return whether the vendor's count must replace ours: agreement costs no write."""
    if count is None or refused:
        return True
    agrees = reading.limit in (None, count["capacity"]) and reading.remaining == count["capacity"] - count["used"]
    return not agrees


async def learn(tx: AsyncConnection, windows: Sequence[ScopedWindow], reading: Reading) -> None:
    """Let the vendor's count win over ours."""
    scope = next(each.scope for each in windows if each.window.name == reading.name)
    known = {"limit": reading.limit, "remaining": reading.remaining, "wait_s": reading.wait_s}
    await _LEARN.run(tx, {**_keys(windows), "scope": scope, "name": reading.name, **known})


async def exhaust(tx: AsyncConnection, windows: Sequence[ScopedWindow], throttle: Throttle) -> None:
    """Note that the vendor refused for lack of budget: nothing that the window counts leaves before its wait has passed."""
    for each in windows:
        if each.window is throttle.window:
            place = {"scope": each.scope, "name": each.window.name, "wait_s": throttle.wait_s}
            await _EXHAUST.run(tx, {**_keys(windows), **place})


def count_from_zero(service: str, windows: Iterable[Window]) -> None:
    """Show the counts before there is anything to count: Prometheus sees no increase up to a series' first value."""
    for window in windows:
        if is_warned_of(window):
            _warnings.labels(service=service, window=window.name)


def warn_when_nearly_used(
    service: str, connection: str, windows: Iterable[Window], counts: Mapping[str, Mapping[str, int]]
) -> None:
    """Warn once per window, at the call that takes it over four fifths of its capacity."""
    for window in windows:
        count = counts.get(window.name)
        if count is None or not is_warned_of(window):
            continue
        if count["used"] - 1 < NEARLY_USED * count["capacity"] <= count["used"]:
            _warnings.labels(service=service, window=window.name).inc()
            log.warning("a window of calls is nearly used up", window=window.name, connection=connection, **count)


def is_warned_of(window: Window) -> bool:
    """Return whether it lasts long enough for a warning to be of use."""
    return window.period_s >= WARNED_FROM_S


@dataclass(frozen=True)
class NearlyUsed:
    """A window that will hold calls back soon, or does so already."""

    name: str
    used: int
    capacity: int
    ends_at: datetime


async def nearly_used(
    db: AsyncConnection, windows: Mapping[UUID, Sequence[ScopedWindow]]
) -> Mapping[UUID, list[NearlyUsed]]:
    """Return, by connection, the windows that a person should know of."""
    warned = {key: [each for each in of if is_warned_of(each.window)] for key, of in windows.items()}
    every = {(each.scope, each.window.name) for of in warned.values() for each in of}
    if not every:
        return {}
    asked = {"scopes": [scope for scope, _ in every], "names": [name for _, name in every], "nearly": NEARLY_USED}
    rows = {(row.scope, row.name): row for row in await _NEARLY_USED.all(db, asked)}
    return {
        key: [
            NearlyUsed(row.name, row.used, row.capacity, row.ends_at)
            for each in of
            if (row := rows.get((each.scope, each.window.name)))
        ]
        for key, of in warned.items()
    }


def _keys(windows: Sequence[ScopedWindow]) -> dict[str, list[str]]:
    return {"scopes": [each.scope for each in windows], "names": [each.window.name for each in windows]}

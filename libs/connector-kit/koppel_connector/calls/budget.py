"""The budget of one connection: what a call needs before it leaves, and what its answer changes (messaging §3.7)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.errors import ConnectorError, RateLimited
from koppel_connector.contract.limits import Window
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.profile import Profile
from koppel_mesh.clock import BRUSSELS, utc_now

from . import error_budget, windows
from .attempts import LEFT_SHARE, Budget, NoBudget, Opened, Phase
from .rate_limits import ends_in, read_windows, throttle
from .windows import ScopedWindow

LONG_WAIT_S = 300.0
"""A person is told of a wait that lasts longer."""
Write = Callable[[AsyncConnection], Awaitable[None]]


@dataclass(frozen=True)
class Taken:
    """What one call took of the budget when it left."""

    endpoint: str
    windows: Sequence[Window]
    counts: Mapping[str, Any] = field(default_factory=dict)
    """Window name → ``used`` and ``capacity`` as we count them, the call included."""
    is_probe: bool = False

    @property
    def used_up(self) -> set[str]:
        """Return the windows in which the call took the last place, or one beyond."""
        return {name for name, count in self.counts.items() if count["used"] >= count["capacity"]}


class ConnectionBudget:
    """Decides what a call needs, and reads what an answer says of it. The rows are the database's."""

    def __init__(self, profile: Profile, connection_id: UUID, limit_scope: str) -> None:
        self._profile = profile
        self._connection_id = connection_id
        self._scope = limit_scope
        self._all = windows.windows_of(profile.windows, profile.name, connection_id, limit_scope)
        self.makes_way = False
        """Whether a part of each short window is left to others."""

    @property
    def windows(self) -> Sequence[ScopedWindow]:
        """Return every window of the connection."""
        return self._all

    def windows_of(self, operation: str, is_counted: bool) -> Sequence[Window]:
        """Return the windows that count a call."""
        return [each.window for each in self._counting(operation, is_counted)]

    def needed_by(self, operation: str, is_counted: bool, phase: Phase) -> Budget:
        """Return what must be free for a call. Searches that settle an unknown outcome may use what is kept for them."""
        settles, allowed = phase == "lookup", self._profile.error_budget
        return Budget(
            self._scope,
            self._counting(operation, is_counted),
            allowed.capacity + allowed.reserve if settles and allowed is not None else 0,
            may_use_reserve=settles,
            left_share=LEFT_SHARE if self.makes_way else 0.0,
        )

    def refusal(self, refused: NoBudget) -> RateLimited:
        """Return the error of a call that found nothing free: a used-up window holds only what it counts."""
        if not refused.windows:
            problem = Problem("too_many_errors", until=time_of_day(refused.until))
            return RateLimited(refused.until, problem, holds="operation")
        of_operations = [
            each.window.operations is not None for each in self._all if each.window.name in refused.windows
        ]
        wait_s = (refused.until - utc_now()).total_seconds()
        return RateLimited(
            refused.until,
            long_wait(refused.until) if wait_s > LONG_WAIT_S else None,
            holds="operation" if all(of_operations) else "connection",
        )

    def taken(self, opened: Opened, endpoint: str, counting: Sequence[Window]) -> Taken:
        """Return what a call took, and warn of what is nearly used up."""
        windows.warn_when_nearly_used(self._profile.name, str(self._connection_id), counting, opened.counts)
        return Taken(endpoint, counting, opened.counts, opened.is_probe)

    def writes_after(self, headers: Mapping[str, str], failure: ConnectorError | None, taken: Taken) -> list[Write]:
        """Return what an answer changes; completes a ``RateLimited`` without a time. Mostly nothing: agreement costs no write."""
        found: list[Write] = []
        allowed = self._profile.error_budget
        if allowed is not None and error_budget.concerns(failure, taken.is_probe):
            # Before the windows, as the opening of a call has them.
            found.append(
                partial(
                    error_budget.record, scope=self._scope, endpoint=taken.endpoint, budget=allowed, failure=failure
                )
            )
        refused = isinstance(failure, RateLimited)
        found.extend(
            partial(windows.learn, windows=self._all, reading=reading)
            for reading in read_windows(taken.windows, headers, utc_now())
            if windows.teaches(reading, taken.counts.get(reading.name), refused)
        )
        if isinstance(failure, RateLimited) and failure.until is None:
            found.append(self._throttled(failure, headers, taken))
        return found

    def _throttled(self, failure: RateLimited, headers: Mapping[str, str], taken: Taken) -> Write:
        asked = throttle(headers, taken.windows, utc_now(), taken.used_up)
        failure.until = ends_in(utc_now(), asked.wait_s)
        if asked.holds_operation_only:
            failure.holds = "operation"
        if asked.wait_s > LONG_WAIT_S and failure.problem is None:
            failure.problem = long_wait(failure.until)
        return partial(windows.exhaust, windows=self._all, throttle=asked)

    def _counting(self, operation: str, is_counted: bool) -> Sequence[ScopedWindow]:
        return [each for each in self._all if is_counted and each.window.counts(operation)]


def long_wait(until: datetime) -> Problem:
    """Return what a person is told of a window that is used up."""
    return Problem("rate_limited_long", until=time_of_day(until))


def time_of_day(moment: datetime, now: datetime | None = None) -> str:
    """Return when something goes on, as a person in Belgium reads it in any of the three languages: with its day if not today."""
    local = moment.astimezone(BRUSSELS)
    today = (now or utc_now()).astimezone(BRUSSELS).date()
    return local.strftime("%H:%M") if local.date() == today else local.strftime("%H:%M (%d/%m/%Y)")

"""One connector through a quarter end, event by event: claims, batches, windows, retries, lookups."""

import heapq
import random
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from koppel_connector.delivery.events import Ambiguous, LookupFoundNothing, RetryScheduled
from koppel_connector.delivery.situation import SENDING, Patience, Situation
from koppel_connector.delivery.state_machine import transition
from koppel_connector.settings import ConnectorSettings

from .claiming import Connection, Due, FairClaims
from .firms import STARTS_AT, Firm
from .vendors import TRANSIENT, UNKNOWN, Budget, VirtualVendor

WORKERS: Final = int(ConnectorSettings.model_fields["workers"].default)
BATCH: Final = int(ConnectorSettings.model_fields["claim_batch"].default)
SCHEDULE: Final = tuple(ConnectorSettings.model_fields["retry_schedule_s"].default)
CONNECTOR_S: Final = 0.0215
"""Processor seconds of a connector's pod for a document (decision 8, as ``report.py`` deals its table out)."""


@dataclass
class Outcome:
    """What became of it."""

    waits: "dict[str, array[float]]" = field(default_factory=dict)
    """By firm: from ready to sent, of each document, in seconds."""
    ended: dict[str, float] = field(default_factory=dict)
    """By firm: when its last document was sent."""
    a_minute: Counter[int] = field(default_factory=Counter)
    """Documents sent in each minute."""


def simulate(firms: Sequence[Firm], vendor: VirtualVendor, pods: int | None, seed: int) -> Outcome:
    """Return how firms fare at one vendor with so many pods of its connector; with None nobody ever waits for a worker."""
    return _Run(firms, vendor, pods, seed).outcome()


class _Run:
    def __init__(self, firms: Sequence[Firm], vendor: VirtualVendor, pods: int | None, seed: int) -> None:
        self._vendor = vendor
        self._chance = random.Random(seed)
        # Connections were served at different moments before: in the order of their names here.
        connections = [Connection(firm.name, firm.ready, last_served=-1.0) for firm in firms]
        self._claims = FairClaims(connections, BATCH)
        self._budgets = {firm.name: Budget(vendor.windows, STARTS_AT) for firm in firms}
        self._situations: dict[tuple[str, int], Situation] = {}
        self._ready = {firm.name: firm.ready for firm in firms}
        self._free = len(firms) if pods is None else pods * WORKERS
        # A pod whose workers are all busy is as fast as its processor.
        self._document_s = max(
            vendor.calls * vendor.call_s + CONNECTOR_S, 0.0 if pods is None else WORKERS * CONNECTOR_S
        )
        self._out = Outcome({firm.name: array("d") for firm in firms})

    def outcome(self) -> Outcome:
        """Run until every document is sent."""
        ends: list[tuple[float, str, Connection, float]] = []
        now = 0.0
        while True:
            for connection, batch in self._claims.claim(now, self._free):
                self._free -= 1
                until, not_before = self._serve(connection, batch, now)
                heapq.heappush(ends, (until, connection.name, connection, not_before))
            waiting = self._claims.next_at() if self._free else None
            moments = [moment for moment in (ends[0][0] if ends else None, waiting) if moment is not None]
            if not moments:
                return self._out
            now = max(now, min(moments))
            while ends and ends[0][0] <= now:
                _, _, connection, not_before = heapq.heappop(ends)
                self._free += 1
                self._claims.release(connection, not_before)

    def _serve(self, connection: Connection, batch: Sequence[Due], now: float) -> tuple[float, float]:
        """Serve a batch from ``now`` on; return when its worker is free, and before when the connection has no turn."""
        budget = self._budgets[connection.name]
        for place, due in enumerate(batch):
            is_lookup = self._is_unknown(connection.name, due.number)
            calls = 1 if is_lookup else self._vendor.calls
            if (until := budget.take(now, calls)) is not None:
                # This one is deferred; what was claimed and not begun is given back, due now (``export.run_worker``).
                heapq.heappush(connection.again, Due(until, due.number))
                for left in batch[place + 1 :]:
                    heapq.heappush(connection.again, Due(now, left.number))
                return now, until
            now += calls * self._vendor.call_s if is_lookup else self._document_s
            self._conclude(connection, due, now, is_lookup=is_lookup)
        return now, 0.0

    def _is_unknown(self, name: str, number: int) -> bool:
        known = self._situations.get((name, number))
        return known is not None and known.unknown_since is not None

    def _conclude(self, connection: Connection, due: Due, now: float, *, is_lookup: bool) -> None:
        key = (connection.name, due.number)
        drawn = self._chance.random()
        if (not is_lookup and drawn >= TRANSIENT + UNKNOWN) or (is_lookup and drawn >= 0.5):
            self._situations.pop(key, None)
            self._out.waits[connection.name].append(now - self._ready[connection.name][due.number])
            self._out.ended[connection.name] = max(now, self._out.ended.get(connection.name, 0.0))
            self._out.a_minute[int(now // 60)] += 1
            return
        at = STARTS_AT + timedelta(seconds=now)
        before = self._situations.get(key, Situation(SENDING))
        event = (
            LookupFoundNothing()
            if is_lookup
            else RetryScheduled(None, None)
            if drawn < TRANSIENT
            else Ambiguous(at + timedelta(seconds=self._vendor.deadline_s))
        )
        patience = Patience(SCHEDULE, self._vendor.settle_s, jitter=self._chance.uniform(0.8, 1.2))
        made = transition(Situation(SENDING, before.unknown_since, before.failures), event, patience, at)
        assert made.due_at is not None
        self._situations[key] = made.to
        heapq.heappush(connection.again, Due((made.due_at - STARTS_AT).total_seconds(), due.number))

"""The fair claim without a database: which connections come next, and which of their documents.

It does what the statement of ``koppel_connector.delivery.claims`` does, for connections that lead to books of their own.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Due:
    """A document that may be worked on from a moment on."""

    at: float
    number: int
    """In the order in which documents came."""


@dataclass
class Connection:
    """One connection and what waits for it. Moments are seconds."""

    name: str
    arrivals: Sequence[float] = ()
    """When documents become ready, the earliest first; the number of a document is its place."""
    last_served: float = 0.0
    not_before: float = 0.0
    arrived: int = 0
    again: list[Due] = field(default_factory=list)
    """Documents that go again, as a heap."""

    def next_at(self) -> float | None:
        """Return when a document of it is due; None when none waits."""
        if self.arrived < len(self.arrivals):
            fresh = self.arrivals[self.arrived]
            return min(fresh, self.again[0].at) if self.again else fresh
        return self.again[0].at if self.again else None

    def take(self, now: float, batch: int) -> list[Due]:
        """Take up to so many due documents, those that have been due longest."""
        taken: list[Due] = []
        while len(taken) < batch and (at := self.next_at()) is not None and at <= now:
            if self.again and self.again[0] <= Due(at, self.arrived):
                taken.append(heapq.heappop(self.again))
            else:
                taken.append(Due(at, self.arrived))
                self.arrived += 1
        return taken


class FairClaims:
    """All connections of a connector: whoever waited longest for its turn is served next."""

    def __init__(self, connections: Sequence[Connection], batch: int) -> None:
        self._batch = batch
        self._eligible: list[tuple[float, str, Connection]] = []
        self._later: list[tuple[float, str, Connection]] = []
        for connection in connections:
            self._put(connection)

    def claim(self, now: float, free: int) -> list[tuple[Connection, list[Due]]]:
        """Take due documents of up to ``free`` connections; each is one worker's until it is ``released``."""
        while self._later and self._later[0][0] <= now:
            connection = heapq.heappop(self._later)[2]
            heapq.heappush(self._eligible, (connection.last_served, connection.name, connection))
        claimed: list[tuple[Connection, list[Due]]] = []
        while self._eligible and len(claimed) < free:
            connection = heapq.heappop(self._eligible)[2]
            connection.last_served = now
            # A worker takes them in the order in which they came.
            claimed.append((connection, sorted(connection.take(now, self._batch), key=lambda due: due.number)))
        return claimed

    def release(self, connection: Connection, not_before: float = 0.0) -> None:
        """Let a connection take its turn again, not before a moment."""
        connection.not_before = max(connection.not_before, not_before)
        self._put(connection)

    def next_at(self) -> float | None:
        """Return when a connection that must wait now may be claimed; None when none does."""
        return self._later[0][0] if self._later else None

    def _put(self, connection: Connection) -> None:
        if (at := connection.next_at()) is not None:
            heapq.heappush(self._later, (max(at, connection.not_before), connection.name, connection))

"""What a vendor allows, as data: calls per window, refused calls per endpoint, searches of the books and looks at them."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

DAY_S = 86_400


@dataclass(frozen=True)
class HeaderNames:
    """Where a vendor tells its own count. A header that is absent says nothing; it never means zero."""

    limit: str | None = None
    remaining: str | None = None
    reset: str | None = None
    reset_unit: Literal["ms_epoch", "s_epoch", "s_delta"] = "ms_epoch"


@dataclass(frozen=True)
class Window:
    """So many calls per period of the vendor's clock: a whole minute, a whole day of its zone.

    Raises:
        ValueError: the period is neither a day nor a part that divides one, or the reserve leaves nothing.
    """

    name: str
    """Unique within the profile."""
    capacity: int
    period_s: int
    """A day (86 400 s, however long that day is in ``zone``), or a part that divides it."""
    headers: HeaderNames | None = None
    operations: frozenset[str] | None = None
    """The operations (``Call.operation``) that count in it, together; when they have used it up, they wait and no others do.
    None: all."""
    zone: str = "UTC"
    """In whose days and hours the vendor counts, as the time zone database names it."""
    per: Literal["scope", "connection", "application"] = "scope"
    """Who shares it: the connections of one ``Connector.limit_scope``, nobody, or all connections of this connector."""
    reserve: int = 0
    """So many calls are kept for the searches that settle an unknown outcome."""

    def __post_init__(self) -> None:
        """Check what no window can be."""
        ZoneInfo(self.zone)
        if not 0 < self.period_s <= DAY_S or DAY_S % self.period_s:
            raise ValueError(f"window {self.name}: {self.period_s} s is neither a day nor a part that divides one")
        if not 0 <= self.reserve < self.capacity:
            raise ValueError(f"window {self.name}: a reserve of {self.reserve} leaves nothing of {self.capacity}")

    def counts(self, operation: str) -> bool:
        """Return whether the vendor counts this operation in it."""
        return self.operations is None or operation in self.operations

    def ends_at(self, now: datetime) -> datetime:
        """Return when the period that holds ``now`` ends, in UTC: a day has 23 or 25 hours when the clocks change."""
        zone = ZoneInfo(self.zone)
        day = now.astimezone(zone).date()
        next_day = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
        if self.period_s == DAY_S:
            return next_day
        starts_at = datetime.combine(day, time.min, zone).astimezone(UTC)
        periods = int((now - starts_at).total_seconds() // self.period_s) + 1
        return min(starts_at + timedelta(seconds=periods * self.period_s), next_day)


@dataclass(frozen=True)
class ErrorBudget:
    """How many errors per endpoint we allow ourselves; fewer than the vendor does, so that it never blocks us.

    What an error is, ``Connector.classify`` says (``ConnectorError.counts_as_error``), never the HTTP status: vendors answer
    "nothing found" with 404 and "it exists already" with 500.
    """

    capacity: int
    period_s: int
    reserve: int = 0
    """So many errors more are allowed to the searches that settle an unknown outcome: they go when nothing else may."""


@dataclass(frozen=True)
class BookSearch:
    """How the books of one connection are searched for entries of others, before a document is first sent.

    Raises:
        ValueError: nothing could be searched so.
    """

    batch: int = 50
    """So many documents at most in one call of ``Connector.search_books``: what is due goes along with what is in hand."""
    believed_s: float = 600.0
    """How long "nothing found" holds for a document that waits its turn. What people typed in within ``Target.settle_s`` before
    the search may be missing from it, and what they type in afterwards is."""

    def __post_init__(self) -> None:
        """Check what no search can be."""
        if self.batch < 1 or self.believed_s < 0:
            raise ValueError(f"{self}: searches for nothing")


@dataclass(frozen=True)
class ReadBackPace:
    """How often the books of one connection are read for its exported documents, and for how many at once.

    Raises:
        ValueError: nothing could be read at this pace.
    """

    at_most_every_s: float = 0.0
    """At least so long passes between two calls of ``read_back`` for one connection, over all processes; a probe of a vendor
    that is away counts too. What falls due before the next one goes along. For vendors that count their feeds by the day."""
    batch: int = 50
    """So many documents at most in one call of ``read_back``."""
    patience_s: float = 10.0
    """How long an exported document waits for company while its connection is still sending."""

    def __post_init__(self) -> None:
        """Check what no pace can be."""
        if self.batch < 1 or self.at_most_every_s < 0 or self.patience_s < 0:
            raise ValueError(f"{self}: reads nothing back, or before it was sent")

"""The virtual vendors: the windows are those of the profiles; how long a call takes and how often one fails are assumptions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from connector_exact.profile import PROFILE as EXACT
from connector_octopus.profile import with_budgets
from koppel_connector.contract.limits import Window

OCTOPUS_BOOKS: Final = "POST buysellbookings"
TRANSIENT, UNKNOWN = 0.01, 0.005
"""How often a document meets an ill server and goes again by schedule, and how often its outcome is unknown, and is looked up."""


@dataclass(frozen=True)
class VirtualVendor:
    """What one vendor does to a document."""

    name: str
    service: str
    windows: Sequence[Window]
    calls: int
    """A document needs so many (``make bench``, ``calls``)."""
    call_s: float
    """An assumption: how long one takes."""
    settle_s: float
    deadline_s: float


_OCTOPUS = with_budgets()
VENDORS: Final = (
    VirtualVendor("exact", "connector-exact", EXACT.windows, 4, 0.25, 30.0, EXACT.deadline_s),
    VirtualVendor(
        "octopus",
        "connector-octopus",
        [window for window in _OCTOPUS.windows if window.counts(OCTOPUS_BOOKS)],
        1,
        0.4,
        30.0,
        _OCTOPUS.deadline_s,
    ),
    VirtualVendor("mail", "billmail", (), 1, 1.0, 30.0, 60.0),
)


@dataclass
class Budget:
    """The windows of one company, by the virtual clock."""

    windows: Sequence[Window]
    began_at: datetime
    _used: dict[str, int] = field(default_factory=dict)
    _ends: dict[str, float] = field(default_factory=dict)

    def take(self, now: float, calls: int) -> float | None:
        """Take so many calls; None when they are taken, else when the window ends that has no place for them."""
        for window in self.windows:
            if self._ends.get(window.name, 0.0) <= now:
                ends_at = window.ends_at(self.began_at + timedelta(seconds=now))
                self._ends[window.name] = (ends_at - self.began_at).total_seconds()
                self._used[window.name] = 0
        full = [w.name for w in self.windows if self._used[w.name] + calls > w.capacity - w.reserve]
        if full:
            return max(self._ends[name] for name in full)
        for window in self.windows:
            self._used[window.name] += calls
        return None

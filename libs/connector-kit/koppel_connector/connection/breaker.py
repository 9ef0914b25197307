"""The breaker of a connection: a pure function from (breaker, observation, pace, now) to the breaker afterwards.

While the vendor is away nothing new is sent. One probe at a time asks whether it is back, first after a second or two, then ever
more rarely as the outage lasts: the pause follows the time away, never the number of deliveries that failed in one moment.
Any complete answer of a well vendor closes the breaker, a clear refusal included (messaging §3.6, tier 2).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LONGEST_RETRY_AFTER_S = 86_400.0


@dataclass(frozen=True)
class Breaker:
    """Closed while ``away_since`` is None; open until ``probe_at``; then one probe may go."""

    away_since: datetime | None = None
    probe_at: datetime | None = None
    failures: int = 0
    """Probes in vain, the failure that opened it included."""


@dataclass(frozen=True)
class Pace:
    """How long to leave a vendor alone: ``first_s``, and of the time it has been away ``share`` more, at most ``longest_s``."""

    first_s: float = 1.0
    share: float = 0.01
    longest_s: float = 60.0
    jitter: float = 1.0
    """Between 0.8 and 1.2, drawn by the caller, so that a thousand connections do not probe at once."""

    def pause_s(self, away_s: float) -> float:
        """Return the pause after a failure of a vendor that has been away for ``away_s``."""
        return min((self.first_s + self.share * max(away_s, 0.0)) * self.jitter, self.longest_s)


@dataclass(frozen=True)
class Outage:
    """The vendor could not be reached, or answered as an ill server does. ``retry_after_s`` is what it asked for itself."""

    retry_after_s: float | None = None
    is_probe: bool = False


@dataclass(frozen=True)
class Answered:
    """The vendor gave a complete answer; a clear refusal is one."""


@dataclass(frozen=True)
class ProbeStarted:
    """A probe leaves; nobody else probes within ``within_s``."""

    within_s: float


@dataclass(frozen=True)
class ProbeInconclusive:
    """The probe ended without a word of the vendor, for a reason of our own."""


@dataclass(frozen=True)
class ResetRequested:
    """A person asked to try now."""


Observation = Outage | Answered | ProbeStarted | ProbeInconclusive | ResetRequested


def observe(breaker: Breaker, observation: Observation, pace: Pace, now: datetime) -> Breaker:
    """Return the breaker after an observation."""
    match observation:
        case Answered() | ResetRequested():
            return Breaker()
        case Outage(retry_after_s, is_probe):
            return _after_outage(breaker, retry_after_s, is_probe, pace, now)
    if breaker.away_since is None:
        return breaker
    if isinstance(observation, ProbeStarted):
        return replace(breaker, probe_at=now + timedelta(seconds=observation.within_s))
    return replace(breaker, probe_at=_next_probe(breaker.away_since, None, pace, now))


def _after_outage(breaker: Breaker, retry_after_s: float | None, is_probe: bool, pace: Pace, now: datetime) -> Breaker:
    if breaker.away_since is None:
        return Breaker(now, _next_probe(now, retry_after_s, pace, now), 1)
    if is_probe or breaker.probe_at is None or now >= breaker.probe_at:
        return Breaker(
            breaker.away_since, _next_probe(breaker.away_since, retry_after_s, pace, now), breaker.failures + 1
        )
    # A call that was under way when another one failed: the same moment, unless the vendor asks for a longer pause.
    asked = now + timedelta(seconds=min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))
    return replace(breaker, probe_at=max(breaker.probe_at, asked))


def _next_probe(away_since: datetime, retry_after_s: float | None, pace: Pace, now: datetime) -> datetime:
    pause_s = pace.pause_s((now - away_since).total_seconds())
    return now + timedelta(seconds=max(pause_s, min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)))

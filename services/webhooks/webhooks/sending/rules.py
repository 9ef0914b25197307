"""What follows from one attempt: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

JITTER = 0.2
FAILING_DAYS = 5
"""An endpoint at which every attempt has failed for so long is disabled (contract §7c)."""
BUSY = frozenset({429, 503})
"""Statuses whose Retry-After is meant for everything that we send, not for this event alone (RFC 6585 §4, RFC 9110 §15.6.4)."""
GONE = 410

Kind = Literal["delivered", "retry", "failed", "gone", "withheld", "postponed"]


@dataclass(frozen=True)
class Attempt:
    """What an attempt came to, as it is shown."""

    status: int | None
    """None where there was no answer."""
    duration_ms: int
    answer: str
    """The beginning of the answer, or why there was none."""
    headers: Mapping[str, str]
    withheld: bool = False
    """Nothing was sent: the partner may not see this firm any more."""
    postponed: bool = False
    """Nothing was sent, for a reason of ours: whether the partner may see this firm is not known, or no name is looked up now."""


@dataclass(frozen=True)
class Outcome:
    """What is done next."""

    kind: Kind
    delay_s: float | None = None
    """Until the next attempt; None where there is none."""
    rest_s: float = 0.0
    """For how long the receiver asks to be left alone."""


def outcome_of(
    attempt: Attempt, number: int, schedule_s: Sequence[float], retry_after_s: float | None, jitter: float
) -> Outcome:
    """Return what follows.

    Args:
        attempt: what happened; any status but 2xx is a failure, redirects included.
        number: which attempt it was, from 1.
        schedule_s: waiting times after the first, second … failed attempt.
        retry_after_s: what the receiver asked for, at most a day.
        jitter: between -1 and 1.
    """
    if attempt.withheld:
        return Outcome("withheld")
    if attempt.postponed:
        return Outcome("postponed", schedule_s[0] if schedule_s else 5.0)
    if attempt.status is not None and 200 <= attempt.status < 300:
        return Outcome("delivered")
    if attempt.status == GONE:
        # It is kept as due: whoever repairs the endpoint and enables it gets what was on its way.
        return Outcome("gone", 0.0)
    asked_s = retry_after_s or 0.0
    rest_s = asked_s if attempt.status in BUSY else 0.0
    if number > len(schedule_s):
        return Outcome("failed", rest_s=rest_s)
    return Outcome("retry", max(schedule_s[number - 1] * (1 + JITTER * jitter), asked_s), rest_s)

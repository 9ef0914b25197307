"""Limits (exact §4): calls per clock minute and per day of one app on one company, and the block after too many errors."""

from datetime import timedelta

from .odata.replies import Refusal
from .state import State

COUNTED_ERRORS = frozenset({400, 401, 403, 404})
HOUR_S = 3600.0


def take(state: State, app: str, division: int) -> dict[str, str]:
    """Count one call and return the rate headers.

    Raises:
        Refusal: 429 with only the headers of the window that is full (point 43).
    """
    now = state.clock.now()
    minute, day = int(now.timestamp() // 60), int(now.timestamp() // 86_400)
    per_minute, per_day = (app, division, "minute", minute), (app, division, "day", day)
    switches = state.switches
    minute_reset = str((minute + 1) * 60_000)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    day_reset = str(int(midnight.timestamp() * 1000))
    if state.calls[per_day] >= switches.day_limit:
        raise Refusal(429, "API rate limit exceeded", headers=_daily(switches.day_limit, 0, day_reset))
    if state.calls[per_minute] >= switches.minute_limit:
        raise Refusal(429, "API rate limit exceeded", headers=_minutely(switches.minute_limit, 0, minute_reset))
    state.calls[per_minute] += 1
    state.calls[per_day] += 1
    return _daily(switches.day_limit, switches.day_limit - state.calls[per_day], day_reset) | _minutely(
        switches.minute_limit, switches.minute_limit - state.calls[per_minute], minute_reset
    )


def refuse_blocked(state: State, app: str, user: str, division: int, endpoint: str) -> None:
    """Refuse a call to an endpoint that has had too many errors within an hour (point 45)."""
    key = (app, user, division, endpoint)
    since = state.clock.epoch() - HOUR_S
    recent = [at for at in state.errors[key] if at > since]
    state.errors[key] = recent
    if len(recent) > state.switches.error_limit:
        raise Refusal(state.switches.block_status, "API rate limit exceeded: too many errors")


def note_error(state: State, app: str, user: str, division: int, endpoint: str, status: int) -> None:
    """Note an answer that counts towards the block."""
    if status in COUNTED_ERRORS or (status == 500 and state.switches.count_functional_errors):
        state.errors[app, user, division, endpoint].append(state.clock.epoch())


def _minutely(limit: int, remaining: int, reset: str) -> dict[str, str]:
    return {
        "X-RateLimit-Minutely-Limit": str(limit),
        "X-RateLimit-Minutely-Remaining": str(remaining),
        "X-RateLimit-Minutely-Reset": reset,
    }


def _daily(limit: int, remaining: int, reset: str) -> dict[str, str]:
    return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": reset}

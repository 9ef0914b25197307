"""What a vendor's answer says of its limits (messaging §3.7): how much is left, and how long to wait. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from koppel_connector.contract.answers import retry_after_s
from koppel_connector.contract.limits import HeaderNames, Window

MARGIN_S = 1.0
"""Added to a wait computed from headers: clocks are read in whole seconds."""
UNKNOWN_WAIT_S = 60.0
"""How long to wait after a refusal that names no time, of a call that no window counts."""


@dataclass(frozen=True)
class Reading:
    """What the vendor said of one window. None means that it said nothing, never zero."""

    name: str
    limit: int | None
    remaining: int | None
    wait_s: float | None


@dataclass(frozen=True)
class Throttle:
    """How long the vendor asks us to wait, and for which window."""

    wait_s: float
    window: Window | None

    @property
    def holds_operation_only(self) -> bool:
        """Return whether only the operations of its window wait."""
        return self.window is not None and self.window.operations is not None


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


def throttle(
    headers: Mapping[str, str], windows: Sequence[Window], now: datetime, used_up: Collection[str] = ()
) -> Throttle:
    """Return how long a 429 asks us to wait, and which window it means.

    The window whose headers say that it is used up; else ``Retry-After``; else, for a vendor that says nothing, the end of
    the window that we have counted as used up (``used_up``, by name), or of the one that ends first.

    Args:
        headers: those of the refusal; empty where it has none, as by mail.
        windows: those that count the call.
        now: our clock.
        used_up: names of the windows in which the call took the last place by our own count.
    """
    by_name = {window.name: window for window in windows}
    readings = read_windows(windows, headers, now)
    told = [
        Throttle(max(reading.wait_s, MARGIN_S), by_name[reading.name])
        for reading in readings
        if reading.wait_s is not None and (reading.remaining is None or reading.remaining <= 0)
    ]
    if told:
        return max(told, key=lambda each: each.wait_s)
    # A window that is not used up, by the same answer, is not why the call was refused, unless it is the only one.
    not_used_up = {reading.name for reading in readings if reading.remaining}
    windows = [window for window in windows if window.name not in not_used_up] or windows
    ours = sorted((window for window in windows if window.name in used_up), key=lambda window: window.ends_at(now))
    asked_s = retry_after_s(headers)
    if asked_s is not None:
        wait_s = asked_s + MARGIN_S
        long_enough = [window for window in windows if window.period_s + MARGIN_S >= asked_s]
        window = ours[-1] if ours else min(long_enough, key=lambda each: each.period_s, default=None)
        return Throttle(wait_s, window or (windows[-1] if windows else None))
    if not windows:
        return Throttle(UNKNOWN_WAIT_S + MARGIN_S, None)
    window = ours[-1] if ours else min(windows, key=lambda each: each.period_s)
    return Throttle((window.ends_at(now) - now).total_seconds() + MARGIN_S, window)


def ends_in(now: datetime, wait_s: float) -> datetime:
    """Return the moment ``wait_s`` from ``now``."""
    return now + timedelta(seconds=wait_s)


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

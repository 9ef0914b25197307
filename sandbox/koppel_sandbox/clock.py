"""A sandbox's own time."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tests move it forward instead of waiting."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        """Return the present moment here, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def epoch(self) -> float:
        """Return the present moment in seconds since 1970."""
        return time.time() + self.ahead_s

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self.ahead_s += seconds

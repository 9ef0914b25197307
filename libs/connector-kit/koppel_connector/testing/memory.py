"""A vendor's memory without a database, for a connector's own tests."""

from datetime import datetime, timedelta
from typing import Any

from koppel_connector.contract.json_values import decode, encode
from koppel_connector.contract.memory import Memory, Remembered
from koppel_mesh.clock import utc_now


class MemoryInProcess(Memory):
    """Keeps what a connection remembers as long as the test runs."""

    def __init__(self) -> None:
        self.kept: dict[str, Remembered] = {}

    async def remember(self, key: str, value: Any, *, observed_at: datetime | None = None) -> None:
        """Keep a value under ``key``."""
        self.kept[key] = Remembered(decode(encode(value, key)), observed_at or utc_now())

    async def recall(
        self,
        key: str,
        max_age_s: float | None = None,
        *,
        outlives_restore: bool = False,  # noqa: ARG002 - nothing is restored here
    ) -> Remembered | None:
        """Return what is kept under ``key`` and not too old."""
        kept = self.kept.get(key)
        if kept is None or (max_age_s is not None and utc_now() - kept.observed_at >= timedelta(seconds=max_age_s)):
            return None
        return kept

    async def forget(self, key: str) -> None:
        """Keep nothing under ``key``."""
        self.kept.pop(key, None)

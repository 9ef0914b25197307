"""What a vendor answered, kept with its moment and believed for a while."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from koppel_mesh.clock import utc_now


@dataclass(frozen=True)
class Remembered:
    """An answer, and when it was observed."""

    value: Any
    observed_at: datetime


class Memory(ABC):
    """A connection's memory of its vendor: refused questions, open periods. Losing it costs calls and nothing else.

    Master data is what a person chooses from, and an import replaces it; progress is of one delivery. The rest stands here.
    """

    @abstractmethod
    async def remember(self, key: str, value: Any, *, observed_at: datetime | None = None) -> None:
        """Keep ``value`` (JSON, Decimals, dates, moments) under ``key``, durably, in place of what was there.

        ``observed_at`` is when the vendor said so; now when not given. Take the moment before the question leaves.

        Raises:
            TypeError: the value holds something else, a float for one.
        """

    @abstractmethod
    async def recall(
        self, key: str, max_age_s: float | None = None, *, outlives_restore: bool = False
    ) -> Remembered | None:
        """Return what is kept under ``key``, if it was observed within ``max_age_s``.

        What was kept before the database was set back, or its server started, is left out; where ``outlives_restore``, it
        counts as well: for what makes us more careful, and is no less true for what happened since.
        """

    async def believed(self, key: str, max_age_s: float, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Return what is kept under ``key``, if it is young enough; else what ``ask`` answers, which is kept then."""
        if (kept := await self.recall(key, max_age_s)) is not None:
            return kept.value
        asked_at = utc_now()
        answer = await ask()
        await self.remember(key, answer, observed_at=asked_at)
        return answer

    @abstractmethod
    async def forget(self, key: str) -> None:
        """Keep nothing under ``key`` any more: the vendor has just contradicted it."""

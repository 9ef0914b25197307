"""The next document number of a journal, where a vendor leaves numbers to the caller.

A stream of documents asks for it once. People who book by hand take numbers too, so what is remembered is believed for a while
only, and forgotten when the vendor refuses it or when no answer says whether it is used.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from koppel_connector.contract.memory import Memory

BELIEVED_S: Final = 900.0


class DocumentNumbers:
    """The numbers of one journal in one bookyear."""

    def __init__(self, memory: Memory, bookyear: int, journal: str) -> None:
        self._memory = memory
        self._key = f"next_number {bookyear} {journal}"

    async def next(self, last: Callable[[], Awaitable[int]]) -> int:
        """Return the next number; ``last`` asks the vendor for the last one, where that is not remembered."""
        kept = await self._memory.recall(self._key, BELIEVED_S)
        return await last() + 1 if kept is None else int(kept.value)

    async def used(self, number: int, observed_at: datetime | None = None) -> None:
        """Remember that a document has this number."""
        await self._memory.remember(self._key, number + 1, observed_at=observed_at)

    async def forget(self) -> None:
        """Forget which is next."""
        await self._memory.forget(self._key)

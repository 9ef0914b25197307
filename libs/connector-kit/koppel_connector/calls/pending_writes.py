"""What a call taught us and no commit holds yet: it is committed with the next call's opening, or with the delivery's outcome."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from . import attempts
from .attempts import Ending, Progress

Write = Callable[[AsyncConnection], Awaitable[None]]


@dataclass
class PendingWrites:
    """The uncommitted writes of one worker, which makes one call for one delivery at a time."""

    ending: Ending | None = None
    progress: Progress | None = None
    rate_limit_updates: list[Write] = field(default_factory=list)
    """What the answer taught of the budget."""

    def take(self) -> "PendingWrites":
        """Return all of it and keep nothing; whoever takes it writes it, or puts it back."""
        taken = PendingWrites(self.ending, self.progress, self.rate_limit_updates)
        self.put_back(PendingWrites())
        return taken

    def put_back(self, taken: "PendingWrites") -> None:
        """Keep again what could not be written."""
        self.ending, self.progress, self.rate_limit_updates = taken.ending, taken.progress, taken.rate_limit_updates

    async def write(self, tx: AsyncConnection) -> None:
        """Write it in the caller's transaction."""
        if self.ending or self.progress:
            await attempts.note(tx, self.ending, self.progress)
        await self.write_rate_limit_updates(tx)

    async def write_rate_limit_updates(self, tx: AsyncConnection) -> None:
        """Write what was taught of the budget."""
        for write in self.rate_limit_updates:
            await write(tx)

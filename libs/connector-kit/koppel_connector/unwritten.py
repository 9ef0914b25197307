"""What a call told and no commit has taken along yet: the next call's opening does, or the delivery's outcome."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from . import attempts
from .attempts import Ending, Progress

Write = Callable[[AsyncConnection], Awaitable[None]]


@dataclass
class Unwritten:
    """Of one worker; at most one call and one delivery at a time."""

    ending: Ending | None = None
    progress: Progress | None = None
    lessons: list[Write] = field(default_factory=list)
    """What the answer taught of the budget."""

    def take(self) -> "Unwritten":
        """Return all of it and keep nothing; whoever takes it writes it, or puts it back."""
        taken = Unwritten(self.ending, self.progress, self.lessons)
        self.put_back(Unwritten())
        return taken

    def put_back(self, taken: "Unwritten") -> None:
        """Keep again what could not be written."""
        self.ending, self.progress, self.lessons = taken.ending, taken.progress, taken.lessons

    async def write(self, tx: AsyncConnection) -> None:
        """Write it in the caller's transaction."""
        if self.ending or self.progress:
            await attempts.note(tx, self.ending, self.progress)
        await self.write_lessons(tx)

    async def write_lessons(self, tx: AsyncConnection) -> None:
        """Write what was taught of the budget."""
        for write in self.lessons:
            await write(tx)

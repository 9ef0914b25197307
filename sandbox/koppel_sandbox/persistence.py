"""What a sandbox knows, kept in a folder: rows of an SQLite file, so that a restart goes on where a kill left it.

A change is answered only after it is kept; changes that arrive together share one commit. Only the rows that changed are
written, however much is kept. What only a test looks at (the log of requests, faults, notifications) and the budgets of the
limits begin anew.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Generic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .installed import SandboxError
from .rows import ChangeLog, Layout, Row, StateT

FILE = "state.db"
_CREATE = "CREATE TABLE kept (number INTEGER PRIMARY KEY, place TEXT NOT NULL UNIQUE, value TEXT NOT NULL)"
_PUT = "INSERT INTO kept (place, value) VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET value = excluded.value"
_REMOVE = "DELETE FROM kept WHERE place = ?"
_READ = "SELECT place, value FROM kept ORDER BY number"


class UnreadableStateError(SandboxError):
    """The folder holds something that is not a whole file of ours; the message says which and what to do."""

    def __init__(self, title: str, file: Path, error: Exception) -> None:
        super().__init__(
            f"What the sandbox {title} kept in {file} cannot be read ({type(error).__name__}: {error}). "
            "Put an older copy in its place, or delete the folder to begin anew."
        )


class StateStore(Generic[StateT]):
    """One sandbox and its folder."""

    def __init__(self, folder: Path, layout: Layout[StateT], *, title: str, format_number: int) -> None:
        """Read what the folder keeps, or begin with the seed.

        Args:
            folder: made when it is not there.
            layout: how the sandbox lies in rows.
            title: of the vendor, as messages name it.
            format_number: of the rows; a file of another one is refused.

        Raises:
            UnreadableStateError: there is a file, and it is not a whole one of this format.
            OSError: the folder cannot be written.
        """
        self._layout, self._title, self._format = layout, title, format_number
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / FILE
        if not file.exists():
            self._create(file, self.first_state(folder))
        self._file, self.state = self._open(file)
        self._log = ChangeLog(layout, self.state)
        self._unwritten: dict[str, Row] = {}
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    def first_state(self, folder: Path) -> StateT:
        """Return what a folder without our file begins with."""
        del folder
        return self._layout.seeded()

    async def save(self) -> None:
        """Return when everything known at the moment of the call survives a kill.

        Raises:
            sqlite3.Error: it could not be written.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._save(self._running))
        # The write is shared: a caller who goes away must not take it along.
        await asyncio.shield(self._next)

    async def _save(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        # What a write that failed left behind goes with the next one.
        self._unwritten |= {row.place: row for row in self._log.changes()}
        if self._unwritten:
            await asyncio.to_thread(self._write, list(self._unwritten.values()))
            self._unwritten.clear()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, rows: Iterable[Row]) -> None:
        with self._file:
            _put(self._file, rows)

    def _create(self, file: Path, state: StateT) -> None:
        """Make the file whole, then give it its name: a file of that name is never half made.

        Raises:
            OSError: the folder cannot be written.
        """
        unfinished = file.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(unfinished)) as made, made:
                made.execute(_CREATE)
                _put(made, self._layout.rows_of(state))
                made.execute(f"PRAGMA user_version = {self._format}")
        except sqlite3.Error as error:
            raise OSError(f"The sandbox {self._title} cannot write {unfinished}: {error}") from error
        unfinished.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open(self, file: Path) -> tuple[sqlite3.Connection, StateT]:
        # One write at a time is under way, each in a thread of its own.
        opened = sqlite3.connect(file, check_same_thread=False)
        try:
            (found,) = opened.execute("PRAGMA user_version").fetchone()
            if found != self._format:
                raise ValueError(f"it has format {found}, this sandbox reads format {self._format}")
            # With the log beside it, a commit costs one write to the disk; FULL has that on the disk before the answer.
            opened.execute("PRAGMA journal_mode = WAL")
            opened.execute("PRAGMA synchronous = FULL")
            return opened, self._layout.state_of(Row(*row) for row in opened.execute(_READ))
        except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError) as error:
            opened.close()
            raise UnreadableStateError(self._title, file, error) from error


class SavedBeforeAnswered:
    """Middleware: whatever may have changed something is kept before the first byte of its answer leaves."""

    def __init__(self, app: ASGIApp, store: StateStore[Any], changes: Callable[[str, str], bool]) -> None:
        """``changes`` takes method and path of a request, and returns whether it may change something."""
        self._app = app
        self._keeper = store
        self._changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self._changes(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        store = self._keeper

        async def send_saved(message: Message) -> None:
            if message["type"] == "http.response.start":
                await store.save()
            await send(message)

        try:
            await self._app(scope, receive, send_saved)
        finally:
            await store.save()  # an answer that a fault took away has done its work too


def _put(file: sqlite3.Connection, rows: Iterable[Row]) -> None:
    for row in rows:
        if row.value is None:
            file.execute(_REMOVE, (row.place,))
        else:
            file.execute(_PUT, (row.place, row.value))

"""What the sandbox knows, kept in a folder: one JSON file, replaced whole, so that a restart goes on where a kill left it.

A change is answered only after it is kept; changes that arrive together share one write. What only a test looks at (the log
of requests, faults, notifications) and the budgets of the limits begin anew.
"""

import asyncio
import json
import os
import time
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from koppel_sandbox.installed import SandboxError

from .seed import seeded
from .state import Division, State, Switches, Token, User

FORMAT = 1
FILE = "state.json"
REST = 4.0
"""After a write the file rests so many times as long as the encoding took: writing costs a fifth of the process at most."""


class UnreadableStateError(SandboxError):
    """The folder holds something that is not a whole file of ours; the message says which and what to do."""


class StateStore:
    """One sandbox and its folder."""

    def __init__(self, folder: Path) -> None:
        """Read what the folder keeps, or begin with the seed.

        Raises:
            UnreadableStateError: there is a file, and it is not a whole one of this format.
            OSError: the folder cannot be written.
        """
        self._file = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        self.state = _read(self._file) if self._file.exists() else seeded()
        self._write(encode(self.state))
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    async def save(self) -> None:
        """Return when everything known at the moment of the call survives a kill.

        Raises:
            OSError: it could not be written.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._save(self._running))
        # The write is shared: a caller who goes away must not take it along.
        await asyncio.shield(self._next)

    async def _save(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        await asyncio.sleep(max(0.0, self._rests_until - time.monotonic()))
        self._running, self._next = self._next, None
        began = time.monotonic()
        data = encode(self.state)
        self._rests_until = time.monotonic() + REST * (time.monotonic() - began)
        await asyncio.to_thread(self._write, data)

    def _write(self, data: bytes) -> None:
        unfinished = self._file.with_suffix(".new")
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class SavedBeforeAnswered:
    """Middleware: whatever may have changed something is kept before the first byte of its answer leaves."""

    def __init__(self, app: ASGIApp, store: StateStore) -> None:
        self._app = app
        self._keeper = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # A consent is a GET, and it makes a code.
        changes = scope["type"] == "http" and (scope["method"] != "GET" or scope["path"].endswith("/oauth2/auth"))
        if not changes:
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


def encode(state: State) -> bytes:
    """Return what is kept of a sandbox, as JSON."""
    # Access and refresh token are two ways to one pair; it is kept once.
    kept = {
        "format": FORMAT,
        "ahead_s": state.clock.ahead_s,
        "switches": vars(state.switches),
        "users": [vars(user) for user in state.users.values()],
        "divisions": [_encoded(division) for division in state.divisions.values()],
        "codes": {code: vars(token) for code, token in state.codes.items()},
        "pairs": [vars(pair) for pair in state.refresh.values()],
        "webhooks": state.webhooks,
    }
    return json.dumps(kept, default=_tagged, separators=(",", ":")).encode()


def decode(data: bytes) -> State:
    """Return the sandbox that ``encode`` wrote.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: these are not its bytes.
    """
    kept = json.loads(data, object_hook=_untagged)
    if kept["format"] != FORMAT:
        raise ValueError(f"it has format {kept['format']}, this sandbox reads format {FORMAT}")
    state = seeded()
    state.clock.advance(kept["ahead_s"])
    state.switches = Switches(**kept["switches"])
    state.users = {user["id"]: User(**user) for user in kept["users"]}
    state.divisions = {each["code"]: _division(each) for each in kept["divisions"]}
    state.codes = {code: Token(**token) for code, token in kept["codes"].items()}
    pairs = [Token(**pair) for pair in kept["pairs"]]
    state.access = {pair.access: pair for pair in pairs}
    state.refresh = {pair.refresh: pair for pair in pairs}
    state.webhooks = kept["webhooks"]
    return state


def _read(file: Path) -> State:
    try:
        return decode(file.read_bytes())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableStateError(
            f"What the sandbox Exact kept in {file} cannot be read ({type(error).__name__}: {error}). "
            "Put an older copy in its place, or delete the file to begin anew."
        ) from error


def _encoded(division: Division) -> dict[str, Any]:
    # Keys of JSON objects are texts; these are pairs.
    numbers = [[journal, year, number] for (journal, year), number in division.last_number.items()]
    return {**vars(division), "last_number": numbers}


def _division(kept: Mapping[str, Any]) -> Division:
    numbers = {(journal, year): number for journal, year, number in kept["last_number"]}
    return Division(**{**kept, "tables": defaultdict(dict, kept["tables"]), "last_number": numbers})


def _tagged(value: Any) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, bytes):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, set | frozenset):
        return {"$set": sorted(value)}
    raise TypeError(f"a {type(value).__name__} cannot be kept")


_TAGS: Mapping[str, Callable[[Any], Any]] = {
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$bytes": b64decode,
    "$set": lambda items: {tuple(item) if isinstance(item, list) else item for item in items},
}


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        with suppress(KeyError):
            ((tag, text),) = value.items()
            return _TAGS[tag](text)
    return value

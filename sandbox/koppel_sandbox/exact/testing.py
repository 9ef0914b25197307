"""A running sandbox Exact for tests: the state at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from koppel_sandbox.testing import SandboxThread

from .app import create_app
from .sandbox import environment
from .seed import seeded
from .state import Record, State


class SandboxServer(SandboxThread):
    """Use as a context manager."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or seeded()
        super().__init__(self._app)

    @asynccontextmanager
    async def _app(self, address: str) -> AsyncIterator[ASGIApp]:
        yield create_app(address, self.state)

    def environment(self) -> dict[str, str]:
        """Return the ``KOPPEL_EXACT_*`` variables that lead a connector here."""
        return environment(self.url)

    def entries(self, division: int) -> list[Record]:
        """Return the entries in a company's books."""
        return list(self.state.divisions[division].tables["Entries"].values())

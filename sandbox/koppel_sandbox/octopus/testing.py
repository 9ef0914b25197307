"""A running sandbox Octopus for tests: the state at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from koppel_sandbox.tables import Record
from koppel_sandbox.testing import SandboxThread

from .app import create_app
from .sandbox import environment
from .seed import seeded
from .state import State


class SandboxServer(SandboxThread):
    """Use as a context manager."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or seeded()
        super().__init__(self._app)

    @asynccontextmanager
    async def _app(self, address: str) -> AsyncIterator[ASGIApp]:
        del address
        yield create_app(self.state)

    def environment(self) -> dict[str, str]:
        """Return the ``KOPPEL_OCTOPUS_*`` variables that lead a connector here."""
        return environment(self.url)

    def bookings(self, dossier: int) -> list[Record]:
        """Return the buy and sell bookings in a dossier's books."""
        return list(self.state.books(dossier).bookings.values())

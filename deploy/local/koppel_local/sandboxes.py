"""The vendors that sandboxes play on this machine: those installed, unless the environment names the real vendor."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from starlette.types import ASGIApp

from .user_errors import UserError

if TYPE_CHECKING:
    from koppel_sandbox import Demo, Sandbox


class SandboxStartError(UserError):
    """A sandbox cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class Playing:
    """The sandboxes that play, by address, and the variables that lead their connectors to them."""

    sandboxes: Mapping[str, "Sandbox"]
    environment: Mapping[str, str]

    @classmethod
    def under(cls, url: str) -> Self:
        """Return those whose vendor's address the environment leaves unset, each to be mounted below ``url``."""
        sandboxes: dict[str, Sandbox] = {}
        variables: dict[str, str] = {}
        for sandbox in _installed():
            given = sandbox.environment(f"{url}/sandbox/{sandbox.name}")
            address = given[sandbox.address_variable]
            if os.environ.get(sandbox.address_variable, address) == address:
                sandboxes[address] = sandbox
                variables |= given
        return cls(sandboxes, variables)

    @property
    def demos(self) -> "list[Demo]":
        """How the demo firm is connected to each."""
        return [sandbox.demo for sandbox in self.sandboxes.values() if sandbox.demo is not None]

    @asynccontextmanager
    async def started(self, folder: Path) -> AsyncIterator[dict[str, ASGIApp]]:
        """Run them, with their data under ``folder``; yield what is to be mounted, by path.

        Raises:
            SandboxStartError: one cannot start.
        """
        apps = {}
        async with AsyncExitStack() as stack:
            for address, sandbox in self.sandboxes.items():
                app = await stack.enter_async_context(_starting(sandbox, address, folder / sandbox.name))
                if app is not None:
                    apps[f"/sandbox/{sandbox.name}"] = app
            yield apps


@asynccontextmanager
async def _starting(sandbox: "Sandbox", address: str, folder: Path) -> AsyncIterator[ASGIApp | None]:
    from koppel_sandbox import SandboxError

    try:
        async with sandbox.start(address, folder) as app:
            yield app
    except SandboxError as error:
        raise SandboxStartError(str(error)) from error


def _installed() -> "Sequence[Sandbox]":
    if find_spec("koppel_sandbox") is None:  # as in a production image
        return ()
    from koppel_sandbox import installed_sandboxes

    return tuple(installed_sandboxes().values())

"""What a sandbox says of itself, and which sandboxes are installed: those of the entry point group ``koppel.sandboxes``."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from .driver import SandboxDriver


class SandboxError(Exception):
    """A sandbox cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class Demo:
    """How the demo connects its firm to a sandbox."""

    connector: str
    """Name of the service: ``connector-exact``."""
    settings: Mapping[str, Mapping[str, Any]]
    """Settings of the connection, by enterprise number of the demo's dossiers."""


@dataclass(frozen=True)
class Sandbox:
    """One fake vendor."""

    name: str
    """It hangs under ``/sandbox/{name}``."""
    address_variable: str
    """The variable by which its connector finds it: ``KOPPEL_EXACT_BASE_URL``. Set by somebody else, the sandbox stays out."""
    environment: Callable[[str], Mapping[str, str]]
    """Takes the URL it hangs under; returns every variable its connector needs, the address among them."""
    start: Callable[[str, Path | None], AbstractAsyncContextManager[ASGIApp | None]]
    """Takes its address and the folder that keeps its data (None: in memory). Listens while it is entered, or gives the app to
    mount. Raises ``SandboxError``."""
    demo: Demo | None = None
    driver: Callable[[str], SandboxDriver] | None = None
    """Takes the URL it hangs under; with it the tests of the whole mesh run on this vendor."""


def installed_sandboxes() -> dict[str, Sandbox]:
    """Return every sandbox installed beside us, by name.

    Raises:
        TypeError: an entry point is not a ``Sandbox``.
    """
    found = {}
    for entry in sorted(entry_points(group="koppel.sandboxes"), key=lambda entry: entry.name):
        sandbox = entry.load()
        if not isinstance(sandbox, Sandbox):
            raise TypeError(f"entry point {entry.name} of koppel.sandboxes is not a Sandbox")
        found[sandbox.name] = sandbox
    return found

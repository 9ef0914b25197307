"""The sandbox as an ASGI app."""

from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from koppel_sandbox.persistence import SavedBeforeAnswered, StateStore
from koppel_sandbox.tables import TablesLayout

from . import api, control
from .seed import seeded
from .state import State

LAYOUT: Final = TablesLayout(seeded)
FORMAT = 1


def create_app(state: State | None = None, data_dir: Path | None = None) -> Starlette:
    """Return a sandbox Octopus.

    Args:
        state: what it knows; freshly seeded when not given.
        data_dir: where what it knows is kept over restarts; in memory alone when not given.

    Raises:
        UnreadableStateError: what ``data_dir`` keeps is damaged or of another format.
    """
    store = StateStore(data_dir, LAYOUT, title="Octopus", format_number=FORMAT) if data_dir is not None else None
    middleware = [Middleware(SavedBeforeAnswered, store, may_change)] if store is not None else []
    handlers = {HTTPException: api.refuse}
    app = Starlette(routes=[*control.ROUTES, *api.routes()], middleware=middleware, exception_handlers=handlers)
    app.state.sandbox = store.state if store is not None else state or seeded()
    return app


def may_change(method: str, path: str) -> bool:
    """Return whether a request may change something: a consent is a GET, and it makes a code."""
    return method != "GET" or path.endswith(f"{api.OAUTH}/authorize")

"""The sandbox as an ASGI app."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from koppel_sandbox.persistence import SavedBeforeAnswered

from . import api, control, oauth
from .persistence import StateStore, may_change
from .seed import seeded
from .state import State

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "MERGE"]


def create_app(base_url: str, state: State | None = None, data_dir: Path | None = None) -> Starlette:
    """Return a sandbox Exact Online.

    Args:
        base_url: where it is reached, prefix included; every link in its answers begins with it.
        state: what it knows; freshly seeded when not given.
        data_dir: where what it knows is kept over restarts; in memory alone when not given.

    Raises:
        UnreadableStateError: what ``data_dir`` keeps is damaged or of another format.
    """
    store = StateStore(data_dir) if data_dir is not None else None
    routes: Sequence[BaseRoute] = [
        Route("/api/oauth2/auth", oauth.authorize),
        Route("/api/oauth2/token", oauth.token, methods=["POST"]),
        Route("/api/v1/current/Me", api.me),
        Route("/api/v1/{division:int}/{path:path}", api.handle, methods=_METHODS),
        Route("/docs/SysAttachment.aspx", _attachment),
        *control.ROUTES,
    ]
    middleware = [Middleware(SavedBeforeAnswered, store, may_change)] if store is not None else []
    app = Starlette(routes=routes, middleware=middleware)
    app.state.sandbox = store.state if store is not None else state or seeded()
    app.state.base_url = base_url.rstrip("/")
    return app


async def _attachment(request: Request) -> Response:
    state: State = request.app.state.sandbox
    key = request.query_params.get("ID", "").lower()
    for division in state.divisions.values():
        if (found := division.tables["DocumentAttachments"].get(key)) is not None:
            return Response(found["@content"], media_type="application/octet-stream")
    return Response(status_code=404)

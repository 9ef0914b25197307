"""Who is calling is asked before what they send is read."""

from collections.abc import Iterator, Sequence

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from koppel_mesh.auth import Required

from .problems import HttpProblem


class AuthenticateBeforeBody:
    """Checks the token of a request before its body is parsed.

    FastAPI parses a JSON body before it asks a route's dependencies: a stranger would hear that the JSON is broken where 401
    is due, and could make us parse as much of it as a body may have, as often as they like.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._parsed = [
            (route, tuple(_required(route.dependant)))
            for route in routes
            if isinstance(route, APIRoute) and route.body_field is not None
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request of a caller whom its route would let in."""
        if scope["type"] == "http":
            request = Request(scope)
            try:
                for required in self._asked_by(scope):
                    await required(request, request.headers.get("authorization"))
            except HttpProblem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _asked_by(self, scope: Scope) -> Sequence[Required]:
        return next((asked for route, asked in self._parsed if route.matches(scope)[0] is Match.FULL), ())


def _required(dependant: Dependant) -> Iterator[Required]:
    if isinstance(dependant.call, Required):
        yield dependant.call
    for each in dependant.dependencies:
        yield from _required(each)

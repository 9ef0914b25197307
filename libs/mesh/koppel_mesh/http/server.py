"""The FastAPI app of a service: its routes, health, metrics, and the conventions all services share."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match

from koppel_mesh.telemetry.metrics import exposition

from . import problems
from .authenticate_before_body import AuthenticateBeforeBody
from .middleware import BodyLimit, HeadAsGet, Observed
from .problems import HttpProblem, ProblemBody

if TYPE_CHECKING:
    from koppel_mesh.service import Context, Service

_PROBLEM = {"content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}}
_DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "No token, or one that is not valid.",
    403: "The token lacks a scope.",
    404: "There is no such object, or it is another firm's.",
    409: "The object's state does not allow this.",
    413: "The body is too large.",
    415: "The body is not of a type this route takes.",
    422: "The request is not what this route takes.",
}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemBody, "description": description, **_PROBLEM}
    for status, description in _DESCRIPTIONS.items()
}


def current_context(request: Request) -> "Context":
    """Return the running service's context."""
    context: Context = request.app.state.context
    return context


CurrentContext = Annotated[Any, Depends(current_context)]
"""The running service's ``Context``, as a route's parameter."""


def build_app(service: "Service", context: "Context") -> FastAPI:
    """Return the ASGI app of ``service``; it is mounted under the service's name."""
    app = FastAPI(
        title=service.title or f"Koppel {service.name}",
        version="1",
        docs_url=None,
        redoc_url=None,
        # A redirect is made of the caller's Host and of plain HTTP, behind any ingress: a client that follows shows its token.
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses=PROBLEM_RESPONSES,
    )
    app.state.context = context
    problems.install(app)
    for router in service.routers:
        app.include_router(router)
    routes = [route for router in service.routers for route in router.routes]
    app.add_exception_handler(405, partial(_not_allowed, routes))
    _add_health(app, context)
    app.add_middleware(HeadAsGet)
    app.add_middleware(AuthenticateBeforeBody, routes=routes)
    app.add_middleware(BodyLimit, limit_bytes=context.settings.body_limit_bytes)
    app.add_middleware(Observed, service=service.name)
    return app


async def _not_allowed(routes: Sequence[BaseRoute], request: Request, error: Exception) -> Response:
    # Every method of this address (RFC 9110 §15.5.6): the framework names those of the first route it finds there alone.
    here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = {method for route in here for method in getattr(route, "methods", None) or ()}
    if "GET" in allowed:
        allowed.add("HEAD")
    named = getattr(error, "headers", None) or {}
    headers = {"Allow": ", ".join(sorted(allowed))} if allowed else named
    return HttpProblem(405, "method_not_allowed", "Method Not Allowed", headers=headers).response()


def _operation_id(route: APIRoute) -> str:
    return route.name


def _add_health(app: FastAPI, context: "Context") -> None:
    @app.get("/health/live", include_in_schema=False)
    async def live() -> Response:
        return _answer(context.health.live())

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> Response:
        reasons = await context.health.ready()
        return _answer(reasons, warnings=list(context.health.warnings.values()), needs=context.neighbours.state)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        body, media_type = exposition()
        return Response(body, media_type=media_type)


def _answer(reasons: list[str], **details: object) -> Response:
    return JSONResponse({"status": "no" if reasons else "ok", "reasons": reasons, **details}, 503 if reasons else 200)

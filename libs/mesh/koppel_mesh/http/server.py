"""The FastAPI app of a service: its routes, health, metrics, and the conventions all services share."""

from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from koppel_mesh.firm_data.routes import router as firm_data_router
from koppel_mesh.telemetry.metrics import exposition

from . import problems
from .authenticate_before_body import AuthenticateBeforeBody
from .current_context import CurrentContext
from .described import describe
from .middleware import BodyLimit, HeadAsGet, InContext, Observed
from .problems import HttpProblem, ProblemBody
from .rate_limits import RateLimitHeaders

if TYPE_CHECKING:
    from koppel_mesh.service import Context, Service

__all__ = ["CurrentContext", "build_app", "openapi_document", "routers_of"]
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {422: {"model": ProblemBody}}
"""Of every call, which brings the schema into the document; ``described`` says which problems each may answer."""


def routers_of(service: "Service") -> list[APIRouter]:
    """Return the routes of ``service``: its own, and those about firms that every service with tables has."""
    return [*service.routers, *([firm_data_router] if service.lineages else [])]


def build_app(service: "Service", context: "Context") -> ASGIApp:
    """Return the ASGI app of ``service``; it is mounted under the service's name."""
    app = InContext(_routes_of(service), context)
    proxies = context.settings.trusted_proxies
    return ProxyHeadersMiddleware(app, list(proxies)) if proxies else app  # type: ignore[arg-type,return-value] # of one protocol


def openapi_document(service: "Service") -> dict[str, Any]:
    """Return the OpenAPI document of ``service``."""
    return _routes_of(service).openapi()


class _App(FastAPI):
    """FastAPI whose document has examples and problems."""

    def __init__(self, service: "Service") -> None:
        super().__init__(
            title=service.title or f"Koppel {service.name}",
            version="1",
            docs_url=None,
            redoc_url=None,
            # A redirect is made of the caller's Host and of plain HTTP, behind any ingress: who follows shows its token.
            redirect_slashes=False,
            generate_unique_id_function=_operation_id,
            responses=PROBLEM_RESPONSES,
        )
        self._service = service
        self._described: dict[str, Any] | None = None

    def openapi(self) -> dict[str, Any]:
        """Return the document, made once."""
        if self._described is None:
            document = super().openapi()
            shown = [route for route in _api_routes(self._service) if route.include_in_schema]
            codes = (*self._service.problems, *self._service.shared_problems)
            describe(document, shown, codes, self._service.settings.__module__.partition(".")[0])
            self._described = document
        return self._described


def _api_routes(service: "Service") -> list[APIRoute]:
    return [route for router in routers_of(service) for route in router.routes if isinstance(route, APIRoute)]


@cache
def _routes_of(service: "Service") -> FastAPI:
    # What FastAPI reads from hundreds of signatures is the same in every context, and costs as much as fifty requests.
    app = _App(service)
    problems.install(app)
    for router in routers_of(service):
        app.include_router(router)
    routes = [route for router in routers_of(service) for route in router.routes]
    app.add_exception_handler(405, partial(_not_allowed, routes))
    _add_health(app)
    app.add_middleware(HeadAsGet)
    app.add_middleware(AuthenticateBeforeBody, routes=routes)
    app.add_middleware(BodyLimit)
    app.add_middleware(RateLimitHeaders)
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


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live", include_in_schema=False)
    async def live(context: CurrentContext) -> Response:
        return _answer(context.health.live())

    @app.get("/health/ready", include_in_schema=False)
    async def ready(context: CurrentContext) -> Response:
        reasons = await context.health.ready()
        return _answer(reasons, warnings=list(context.health.warnings.values()), needs=context.neighbours.state)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        body, media_type = exposition()
        return Response(body, media_type=media_type)


def _answer(reasons: list[str], **details: object) -> Response:
    return JSONResponse({"status": "no" if reasons else "ok", "reasons": reasons, **details}, 503 if reasons else 200)

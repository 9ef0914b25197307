"""The joined OpenAPI document at ``/openapi.json``, and the page at ``/docs`` that shows it.

Every process answers both, for all services that are installed: in a cluster the ingress may ask any of them. The page is
Swagger UI; its files come with the distribution fastapi-offline, and nothing is loaded from elsewhere.
"""

import asyncio
import hashlib
import json
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .joined_openapi import Document, join_documents
from .problems import not_found
from .server import openapi_document

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""No script and no style but our files, and no call but to us: what a document says cannot lead a reader's token elsewhere."""
_OURS = files(__package__) / "docs"
_RENDERER = files("fastapi_offline") / "static"
_ASSETS = {
    "start.js": (_OURS, "text/javascript"),
    "swagger-ui-bundle.js": (_RENDERER, "text/javascript"),
    "swagger-ui.css": (_RENDERER, "text/css"),
}


@cache
def installed_document() -> Document:
    """Return the document of every service that is installed beside us; it is made once, in a second or two."""
    from koppel_mesh.service import installed_services

    return join_documents({name: openapi_document(service) for name, service in installed_services().items()})


async def show_document(request: Request) -> Response:
    """Answer the joined document."""
    return _answer(request, await asyncio.to_thread(_document), "application/json")


async def show_page(request: Request) -> Response:
    """Answer the page."""
    return _answer(request, (_OURS / "index.html").read_bytes(), "text/html")


async def show_asset(request: Request) -> Response:
    """Answer a file of the page."""
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise not_found("file of this page")
    folder, media_type = _ASSETS[name]
    return _answer(request, await asyncio.to_thread((folder / name).read_bytes), media_type)


ROUTES = (
    Route("/openapi.json", show_document),
    Route("/docs", show_page),
    Route("/docs/{name}", show_asset),
)


@cache
def _document() -> bytes:
    return json.dumps(installed_document(), ensure_ascii=False, separators=(",", ":")).encode()


def _answer(request: Request, content: bytes, media_type: str) -> Response:
    headers = {**HEADERS, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)

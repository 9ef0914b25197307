"""Tokens, the key set, and the metadata by which both are found."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from identity import clients, keys
from identity.keys import ALGORITHM
from identity.token_endpoint import Answer, Issue, answer, client_id_of, refusal
from koppel_mesh.auth import SCOPES
from koppel_mesh.http.server import CurrentContext

router = APIRouter(tags=["oauth"])
FORM = "application/x-www-form-urlencoded"
KEY_SET_MAX_AGE_S = 3600
_HASHING = ThreadPoolExecutor(max_workers=2, thread_name_prefix="identity-hash")
"""A secret hash takes tens of milliseconds of a core and 16 MB: what a flood of guesses may have of us at once."""

_TOKEN_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string"},
                        "scope": {"type": "string"},
                    },
                }
            }
        },
    }
}


@router.post("/oauth/token", openapi_extra=_TOKEN_REQUEST)
async def issue_token(request: Request, context: CurrentContext) -> Response:
    """Give a client a token for its credentials; errors in the shape of RFC 6749 §5.2."""
    form = await _form(request)
    if form is None:
        return _response(Answer(400, {"error": "invalid_request", "error_description": f"The body is not {FORM}."}, {}))
    authorization = request.headers.get("authorization")
    if (refused := refusal(form, authorization)) is not None:
        return _response(refused)
    client_id = client_id_of(form, authorization)
    async with context.database.reading() as connection:
        # A NUL character is in no client's id, and PostgreSQL takes none.
        known = await clients.find(connection, client_id) if client_id and "\0" not in client_id else None
        key = await keys.signing(connection, context.resources)
    settings = context.settings
    issue = Issue(settings.issuer, settings.audience, settings.token_lifetime_s)
    if unknown := set(form.get("scope", "").split()) - set(SCOPES):
        described = f"Not a scope: {', '.join(sorted(unknown))[:200]}"
        return _response(Answer(400, {"error": "invalid_scope", "error_description": _ascii(described)}, {}))
    work = partial(answer, form, request.headers, known, key, issue)
    return _response(await asyncio.get_running_loop().run_in_executor(_HASHING, work))


@router.get("/.well-known/jwks.json")
async def key_set(context: CurrentContext) -> Response:
    """Return the public keys tokens are checked with."""
    async with context.database.reading() as connection:
        public = await keys.published(connection, context.settings.token_lifetime_s)
    return JSONResponse({"keys": public}, headers={"Cache-Control": f"max-age={KEY_SET_MAX_AGE_S}"})


@router.get("/.well-known/openid-configuration")
@router.get("/.well-known/oauth-authorization-server", operation_id="authorization_server_metadata")
async def metadata(context: CurrentContext) -> dict[str, Any]:
    """Return where everything is (RFC 8414)."""
    issuer = context.settings.issuer
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": sorted(SCOPES),
    }


async def _form(request: Request) -> dict[str, str] | None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    try:
        form = await request.form(max_fields=20)
    except (HTTPException, ValueError):
        return None
    # A parameter may stand once (RFC 6749 §3.2).
    if len(form.multi_items()) != len(form):
        return None
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _response(found: Answer) -> Response:
    body = {name: _ascii(value) if isinstance(value, str) else value for name, value in found.body.items()}
    return JSONResponse(body, found.status, headers={**found.headers, "Cache-Control": "no-store"})


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()

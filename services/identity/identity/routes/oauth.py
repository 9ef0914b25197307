"""Tokens, the key set, and the metadata by which both are found."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from identity import audit_log, clients, given_tokens, keys, revocations, secrets
from identity.audit_log import Act
from identity.given_tokens import Issue
from identity.keys import ALGORITHM
from identity.oauth import server
from identity.oauth.requesting_client import METHODS
from identity.oauth.requests import Answer, Form, client_id_of, firm_id_of, invalid_request, refusal
from identity.oauth.server import Known, Outcome
from identity.settings import IdentitySettings
from koppel_mesh.auth import SCOPES
from koppel_mesh.http.audit import source_of
from koppel_mesh.http.media_types import media_type_of
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.service import Context

router = APIRouter(tags=["oauth"])
FORM = "application/x-www-form-urlencoded"
KEY_SET_MAX_AGE_S = 3600
CLIENT_ID_MAX = 64
_ENDPOINTS = ("token", "introspection", "revocation")
_HASHING = ThreadPoolExecutor(max_workers=2, thread_name_prefix="identity-hash")
"""A secret hash takes tens of milliseconds of a core and 16 MB: what a flood of guesses may have of us at once."""


_WRONG_REQUESTS = (
    "access_denied",
    "invalid_grant",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
)


def _described(needed: str, **more: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    properties = {needed: text, "client_id": text, "client_secret": text, **more}
    schema = {"type": "object", "required": [needed], "properties": properties}
    responses = {"400": _refused("invalid_request", *_WRONG_REQUESTS), "401": _refused("invalid_client")}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}, "responses": responses}


def _refused(*errors: str) -> dict[str, Any]:
    """Describe an error in the shape of RFC 6749 §5.2."""
    properties = {"error": {"type": "string", "enum": list(errors)}, "error_description": {"type": "string"}}
    schema = {"type": "object", "required": ["error"], "properties": properties}
    described = "\n".join(
        ["The request or its client is refused (RFC 6749 §5.2).", "", *(f"* `{each}`" for each in errors)]
    )
    return {
        "description": described,
        "content": {"application/json": {"schema": schema, "example": {"error": errors[0]}}},
    }


_GRANT_TYPE = {"type": "string", "enum": ["client_credentials"]}
_FIRM_ID = {"type": "string", "format": "uuid"}
_TOKEN_REQUEST = _described("grant_type", grant_type=_GRANT_TYPE, scope={"type": "string"}, firm_id=_FIRM_ID)
_ABOUT_A_TOKEN = _described("token", token_type_hint={"type": "string"})


@router.post("/oauth/token", openapi_extra=_TOKEN_REQUEST)
async def issue_token(request: Request, context: CurrentContext) -> Response:
    """Give a client a token for its credentials; errors in the shape of RFC 6749 §5.2.

    A partner that several firms consent to names one of them as ``firm_id``. The token has the scopes that were
    asked for, as far as the client has them and the firm consents.
    """
    return await _answer(request, context, "grant_type", server.give_token)


@router.post("/oauth/introspect", openapi_extra=_ABOUT_A_TOKEN)
async def introspect_token(request: Request, context: CurrentContext) -> Response:
    """Say whether a token is active now, and for whom (RFC 7662): one's own, and to clients of kind service any.

    Any other token is answered ``{"active": false}``, as is one that has ended or was revoked.
    """
    return await _answer(request, context, "token", server.introspect)


@router.post("/oauth/revoke", openapi_extra=_ABOUT_A_TOKEN)
async def revoke_token(request: Request, context: CurrentContext) -> Response:
    """Revoke a token (RFC 7009): one's own; clients of kind service any. Services refuse it within seconds."""
    return await _answer(request, context, "token", server.revoke)


Endpoint = Callable[[Form, Mapping[str, str], Known], Outcome]


async def _answer(request: Request, context: Context, needed: str, endpoint: Endpoint) -> Response:
    form = await _form(request)
    if form is None:
        return _response(invalid_request(f"The body is not {FORM}."))
    authorization = request.headers.get("authorization")
    if (refused := refusal(form, authorization, needed)) is not None:
        return _response(refused)
    if unknown := set(form.get("scope", "").split()) - set(SCOPES):
        described = f"Not a scope: {', '.join(sorted(unknown))[:200]}"
        return _response(Answer(400, {"error": "invalid_scope", "error_description": described}, {}))
    client_id = client_id_of(form, authorization)
    _count(request, context, client_id)
    known = await _known(context, form, client_id)
    work = partial(endpoint, form, request.headers, known)
    outcome = await asyncio.get_running_loop().run_in_executor(_HASHING, work)
    await _keep(context, known, outcome, source_of(request.scope))
    return _response(outcome.answer)


def _count(request: Request, context: Context, client_id: str | None) -> None:
    # By address too: else whoever knows a client's id could lock it out by guessing.
    limit = context.settings.limit("token_requests_per_minute")
    standing = context.rate_limiter.take(f"{source_of(request.scope)} {(client_id or '')[:CLIENT_ID_MAX]}", limit)
    request.state.standing = standing
    if standing is not None:
        standing.insist()


async def _known(context: Context, form: Form, client_id: str | None) -> Known:
    settings: IdentitySettings = context.settings
    issue = Issue(settings.issuer, settings.audience, settings.token_lifetime_s, settings.partner_token_lifetime_s)
    client = token = None
    async with context.database.transaction() as tx:
        # A NUL character is in no client's id, and PostgreSQL takes none.
        if client_id is not None and "\0" not in client_id:
            client = await clients.find(tx, client_id, firm_id_of(form))
        key = await keys.signing(tx, context.resources)
        if "token" in form:
            token = await given_tokens.find(tx, form["token"], issue)
    return Known(issue, key, client, token)


async def _keep(context: Context, known: Known, outcome: Outcome, source: str) -> None:
    client, token = known.client, outcome.revoked
    if client is None:
        return
    unnoted = {each.id for each in client.secrets if not each.is_noted}
    refused = outcome.answer.status != 200
    if not refused and token is None and outcome.secret_id not in unnoted:
        return
    async with context.database.transaction() as tx:
        if outcome.secret_id is not None and outcome.secret_id in unnoted:
            await secrets.note_use(tx, outcome.secret_id)
        if token is not None:
            await revocations.revoke_token(tx, token.claims, client.client_id)
            about = {"client_id": token.client_id, "jti": token.claims["jti"]}
            act, firm_id = Act.TOKEN_REVOKED, token.firm_id
        elif refused:
            about = {name: outcome.answer.body.get(name) for name in ("error", "error_description")}
            act, firm_id = Act.TOKEN_REFUSED, client.firm_id
        else:
            return
        await audit_log.add(tx, act, actor=client.client_id, firm_id=firm_id, about=about, source=source)


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
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        **{f"{endpoint}_endpoint_auth_methods_supported": list(METHODS) for endpoint in _ENDPOINTS},
        "scopes_supported": sorted(SCOPES),
    }


async def _form(request: Request) -> dict[str, str] | None:
    if media_type_of(request) != FORM:
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

"""OAuth 2 as Exact does it: codes of three minutes, access tokens of ten, refresh tokens that are spent once (exact §1)."""

import secrets
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from .state import App, State, Token, User

CODE_S = 180
ACCESS_S = 600
REFRESH_NOT_BEFORE_S = 570
REFRESH_S = 30 * 86_400
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def authorize(request: Request) -> Response:
    """``GET /api/oauth2/auth``: the person consents at once; ``decision=deny`` lets them refuse, ``user`` names another."""
    state: State = request.app.state.sandbox
    query = request.query_params
    app = state.apps.get(query.get("client_id", ""))
    redirect_uri = query.get("redirect_uri", "")
    if app is None or not _is_registered(state, app, redirect_uri):
        return Response("<html><body>The redirect URI is not registered.</body></html>", 400, media_type="text/html")
    if query.get("response_type") != "code":
        return Response("<html><body>Unsupported response type.</body></html>", 400, media_type="text/html")
    join = "&" if urlsplit(redirect_uri).query else "?"
    echoed = f"&state={quote(query['state'], safe='')}" if "state" in query else ""
    if query.get("decision") == "deny":
        return RedirectResponse(f"{redirect_uri}{join}error=access_denied{echoed}", 302)
    user = _user(state, query.get("user"))
    code = f"XTzM!IAAAA{secrets.token_urlsafe(500)}"
    state.codes[code] = Token(user.id, app.client_id, state.clock.epoch(), redirect_uri=redirect_uri)
    # The exclamation mark arrives percent-encoded; whoever decodes twice or not at all gets a 400 (exact §1.2).
    return RedirectResponse(f"{redirect_uri}{join}code={quote(code, safe='')}{echoed}", 302)


async def token(request: Request) -> Response:
    """``POST /api/oauth2/token``."""
    state: State = request.app.state.sandbox
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return _invalid()
    form = {name: str(value) for name, value in (await request.form()).items()}
    state.token_calls.append({"at": state.clock.epoch(), "grant_type": form.get("grant_type", "")})
    app = state.apps.get(form.get("client_id", ""))
    if app is None or app.client_secret != form.get("client_secret"):
        return _invalid()
    if form.get("grant_type") == "authorization_code":
        return _exchange(state, app, form)
    if form.get("grant_type") == "refresh_token":
        return _refresh(state, app, form.get("refresh_token", ""))
    return _invalid()


def bearer(state: State, authorization: str | None) -> Token | None:
    """Return the pair whose access token a request shows, while it lives."""
    kind, _, access = (authorization or "").partition(" ")
    found = state.access.get(access) if kind.lower() == "bearer" else None
    if found is None or state.clock.epoch() - found.issued_at >= ACCESS_S:
        return None
    found.shown = True
    return found


def _exchange(state: State, app: App, form: dict[str, str]) -> Response:
    code = state.codes.get(form.get("code", ""))
    fits = (
        code is not None
        and not code.consumed
        and code.client_id == app.client_id
        and state.clock.epoch() - code.issued_at < CODE_S
        and code.redirect_uri == form.get("redirect_uri")
    )
    if code is None or not fits:
        return _invalid()
    code.consumed = True
    return _issue(state, app, code.user_id)


def _refresh(state: State, app: App, refresh: str) -> Response:
    pair = state.refresh.get(refresh)
    if pair is None or pair.client_id != app.client_id:
        return _invalid()
    if pair.consumed:
        # Who lost our answer may ask again with the spent token; who already works with the new pair may not.
        successor = state.access.get(pair.successor)
        state.token_calls[-1]["though_replaced"] = successor is not None and successor.shown
        return _error(401, "unauthorized_client", "Old refresh token used.")
    age_s = state.clock.epoch() - pair.issued_at
    if age_s < REFRESH_NOT_BEFORE_S:
        return _too_early(state, pair)
    if age_s > REFRESH_S:
        return _error(400, "invalid_grant", "The refresh token has expired.")
    if not state.users[pair.user_id].active:
        return _error(400, "invalid_grant", "The user is not active")
    pair.consumed = True
    return _issue(state, app, pair.user_id, pair)


def _issue(state: State, app: App, user_id: str, replaced: Token | None = None) -> Response:
    pair = Token(
        user_id,
        app.client_id,
        state.clock.epoch(),
        access=f"AAEAAG{secrets.token_urlsafe(300)}",
        refresh=f"Gcp7!IAAAA{secrets.token_urlsafe(200)}",
    )
    state.access[pair.access] = pair
    state.refresh[pair.refresh] = pair
    if replaced is not None:
        replaced.successor = pair.access
    body = {
        "access_token": pair.access,
        "token_type": "bearer",
        "expires_in": str(ACCESS_S),  # a JSON string on the wire
        "refresh_token": pair.refresh,
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _too_early(state: State, pair: Token) -> Response:
    if state.switches.early_refresh_breaks_chain:
        pair.consumed = True
    if state.switches.early_refresh_status == 401:
        return _error(401, "access_denied", "Access token not expired")
    text = "Rate limit exceeded: access_token not expired"
    response = _error(400, "access_denied", text)
    response.headers["Reason"] = f"TooEarlyToRefreshTokens: {text}"
    return response


def _error(status: int, error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, status)


def _invalid() -> JSONResponse:
    return JSONResponse({"error": "invalid_request"}, 400)


def _is_registered(state: State, app: App, redirect_uri: str) -> bool:
    parts: Any = urlsplit(redirect_uri)
    if state.switches.redirect_to_loopback and parts.scheme == "http" and parts.hostname in LOOPBACK:
        return True
    return redirect_uri in app.redirect_uris


def _user(state: State, name: str | None) -> User:
    return next((user for user in state.users.values() if user.name == name), next(iter(state.users.values())))

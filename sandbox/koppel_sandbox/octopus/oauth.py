"""OAuth 2 of Octopus (octopus §1.4): a person consents; a code, access tokens of ten minutes, refresh tokens of 60 days."""

import secrets
from html import escape
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from koppel_sandbox.tables import Record

from .authentication import TOKEN_S, new_login
from .state import State

CODE_S = 300
REFRESH_S = 60 * 86_400
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PAGE = """<!doctype html><html lang="en"><head><title>Octopus</title></head><body>
<h1>Octopus</h1><p>{company} asks to work in your dossiers (webservice).</p>{complaint}
<form method="post"><label>User <input name="user"></label> <label>Password <input name="password" type="password"></label>
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form></body></html>"""


async def authorize(request: Request) -> Response:
    """``/octopus-oauth/authorize``: the page where a person logs in and consents, and what becomes of it.

    For tests without a person, ``user`` in the address consents at once, and ``decision=deny`` refuses.
    """
    state: State = request.app.state.sandbox
    query = request.query_params
    client = state.tables["software_houses"].get(query.get("client_id", "").lower())
    redirect_uri = query.get("redirect_uri", "")
    if client is None or not client["enabled"] or not _is_registered(client, redirect_uri):
        return HTMLResponse("<p>The application or its redirect address is not registered.</p>", 400)
    if query.get("response_type") != "code" or query.get("scope") != "webservice":
        return HTMLResponse("<p>Unsupported response type or scope.</p>", 400)
    form = await request.form() if request.method == "POST" else FormData()
    decision = form.get("decision") or query.get("decision")
    if decision == "deny":
        return _back(request, f"error=access_denied&{_echo(request)}")
    user = _logged_in(state, form) if form else state.tables["users"].get(query.get("user", ""))
    if user is None:
        complaint = "<p>Wrong user or password.</p>" if form else ""
        return HTMLResponse(_PAGE.format(company=escape(client["name"]), complaint=complaint))
    code = secrets.token_urlsafe(32)
    state.tables["codes"][code] = {
        "user": user["user"],
        "client_id": query["client_id"].lower(),
        "redirect_uri": redirect_uri,
        "issued_at": state.clock.epoch(),
        "spent": False,
    }
    return _back(request, f"code={quote(code, safe='')}&{_echo(request)}")


async def token(request: Request) -> Response:
    """``POST /octopus-oauth/token``."""
    state: State = request.app.state.sandbox
    form = {name: str(value) for name, value in (await request.form()).items()}
    client = state.tables["software_houses"].get(form.get("client_id", "").lower())
    if client is None or not client["enabled"]:
        return _error("invalid_client", 401)
    if form.get("grant_type") == "authorization_code":
        return _exchange(state, form)
    if form.get("grant_type") == "refresh_token":
        return _refresh(state, form)
    return _error("unsupported_grant_type")


def _exchange(state: State, form: dict[str, str]) -> Response:
    codes = state.tables["codes"]
    code = codes.get(form.get("code", ""))
    fits = (
        code is not None
        and not code["spent"]
        and code["client_id"] == form["client_id"].lower()
        and state.clock.epoch() - code["issued_at"] < CODE_S
        and form.get("redirect_uri", code["redirect_uri"]) == code["redirect_uri"]
    )
    if code is None or not fits:
        return _error("invalid_grant")
    code["spent"] = True
    codes.touch(form["code"])
    return _issue(state, code["user"], code["client_id"], None)


def _refresh(state: State, form: dict[str, str]) -> Response:
    name = form.get("refresh_token", "")
    kept = state.tables["refresh"].get(name)
    if kept is None or kept["spent"] or kept["client_id"] != form["client_id"].lower():
        return _error("invalid_grant")
    user = state.tables["users"].get(kept["user"])
    if state.clock.epoch() - kept["issued_at"] >= REFRESH_S or user is None or user["locked"]:
        return _error("invalid_grant")
    rotates = state.switches.refresh_tokens_rotate
    # Used, it lives for another 60 days; rotated, its successor does.
    kept["issued_at"], kept["spent"] = state.clock.epoch(), rotates
    state.tables["refresh"].touch(name)
    return _issue(state, kept["user"], kept["client_id"], None if rotates else name)


def _issue(state: State, user: str, client_id: str, refresh: str | None) -> Response:
    if refresh is None:
        refresh = secrets.token_urlsafe(32)
        given = {"user": user, "client_id": client_id, "issued_at": state.clock.epoch(), "spent": False}
        state.tables["refresh"][refresh] = given
    body = {
        "access_token": new_login(state, user, client_id),
        "token_type": "Bearer",
        "expires_in": TOKEN_S,
        "refresh_token": refresh,
        "scope": "webservice",
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _logged_in(state: State, form: FormData) -> Record | None:
    user = state.tables["users"].get(str(form.get("user")))
    right = user is not None and user["password"] == form.get("password") and not user["locked"]
    return user if right else None


def _back(request: Request, answer: str) -> Response:
    address = request.query_params["redirect_uri"]
    join = "&" if urlsplit(address).query else "?"
    return RedirectResponse(f"{address}{join}{answer.rstrip('&')}", 302)


def _echo(request: Request) -> str:
    given = request.query_params.get("state")
    return "" if given is None else f"state={quote(given, safe='')}"


def _error(error: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"error": error}, status)


def _is_registered(client: Record, redirect_uri: str) -> bool:
    parts = urlsplit(redirect_uri)
    loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
    return loopback or redirect_uri in client["redirect_uris"]

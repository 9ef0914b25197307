"""The API under ``/api/v1/{division}``: who asks, may they, how often — then reading or writing, then what the fault leaves."""

import asyncio
import re
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from koppel_sandbox import faults

from . import functions, limits, oauth, reading, writing
from .call import Call
from .odata.replies import Refusal, reply
from .resources import RESOURCES, Resource
from .state import Division, State, User
from .state import Request as LogLine

_KEY = re.compile(r"^(?P<path>.+?)\((?P<key>guid'[^']*'|'[^']*'|\d+)\)(?:/(?P<collection>\w+))?$")
_LOGIN_PAGE = (
    '<html><head><title>Object moved</title></head><body><h2>Object moved to <a href="/docs/Login.aspx?ReturnUrl=%2f">'
    "here</a>.</h2></body></html>"
)


async def me(request: Request) -> Response:
    """``current/Me``: needs a token, counts for nothing, works with no company granted (points 12, 49)."""
    state: State = request.app.state.sandbox
    pair = oauth.bearer(state, request.headers.get("authorization"))
    if pair is None:
        return _log(state, request, None, "current/Me", _unauthorised(state))
    user = state.users[pair.user_id]
    record = {
        "UserID": user.id,
        "UserName": user.name,
        "FullName": user.full_name,
        "CurrentDivision": user.current_division,
        "AccountingDivision": user.current_division,
        "LanguageCode": user.language,
        "Legislation": 3,
        "ServerTime": state.clock.now(),
        "ServerUtcOffset": 0,
    }
    wanted = [name for name in request.query_params.get("$select", "").split(",") if name] or list(record)
    uri = f"{request.app.state.base_url}/api/v1/current/Me(guid'{user.id}')"
    shown = {"__metadata": {"uri": uri, "type": "Exact.Web.Api.System.Me"}} | {
        name: record.get(name) for name in wanted
    }
    return _log(state, request, None, "current/Me", reply({"results": [shown]}))


async def handle(request: Request) -> Response:
    """Answer one call on a company."""
    state: State = request.app.state.sandbox
    path, key, collection = _split(request.path_params["path"])
    code = int(request.path_params["division"])
    pair = oauth.bearer(state, request.headers.get("authorization"))
    if pair is None:
        return _log(state, request, code, path, _unauthorised(state))
    user, app = state.users[pair.user_id], state.apps[pair.client_id]
    headers: dict[str, str] = {}
    call: Call | None = None
    try:
        division = _division(state, user, code, path)
        call = Call(state, request.app.state.base_url, request, app, user, division, path, key, collection)
        headers = limits.take(state, app.client_id, code)
        limits.refuse_blocked(state, app.client_id, user.id, code, path)
        answer = await _work(call)
    except Refusal as refusal:
        answer = refusal.response()
        if refusal.status != 429:
            limits.note_error(state, app.client_id, user.id, code, path, refusal.status)
    for name, value in headers.items():
        answer.headers[name] = value
    skewed = state.clock.now() + timedelta(seconds=state.switches.date_skew_s)
    answer.headers["Date"] = format_datetime(skewed, usegmt=True)
    return _log(state, request, code, path, answer, call.touched if call else None)


async def _work(call: Call) -> Response:
    request, state = call.request, call.state
    fault = faults.first_met(state.faults, request.method, f"/{call.division.code}/{call.path}")
    if fault is not None and (spoiled := faults.before(fault)) is not None:
        return spoiled
    if state.switches.latency_s:
        await asyncio.sleep(state.switches.latency_s)
    answer = await _dispatch(call)
    if fault is None:
        return answer
    if fault.kind == "index_late" and call.touched:
        call.division.hidden_until[call.touched] = state.clock.epoch() + fault.seconds
    return faults.after(fault, answer)


async def _dispatch(call: Call) -> Response:
    function = functions.FUNCTIONS.get(call.path)
    if function is not None and call.request.method == "GET":
        return function(call)
    resource = RESOURCES.get(call.path)
    if resource is None:
        raise Refusal(404, "Resource not found for the segment")
    method = call.request.method
    if method not in resource.methods:
        raise Refusal(405, f"Method {method} is not allowed")
    _check_scope(call, resource)
    if method == "GET":
        allowed = functions.has_right(call, resource.path, "GET")
        return reading.answer(call, resource, allowed=allowed)
    if not functions.has_right(call, resource.path, method):
        raise Refusal(403, "Forbidden")
    return await writing.answer(call, resource)


def _check_scope(call: Call, resource: Resource) -> None:
    if call.app.scopes is not None and resource.path not in call.app.scopes:
        kind = "read" if call.request.method == "GET" else "write"
        raise Refusal(403, f"Forbidden - Application Scope Violated. Cannot {kind}")


def _division(state: State, user: User, code: int, path: str) -> Division:
    """Return the company, if user and app may use it and it may be used (points 13, 14, 18)."""
    found = state.divisions.get(code)
    bootstrap = path == "system/Divisions" and state.switches.ignore_division_of_bootstrap
    if not bootstrap and (found is None or code not in user.granted or code not in user.divisions):
        raise Refusal(403, "Forbidden - User division is not within division scope", reason="NoDivisionAccess")
    if user.blocked:
        raise Refusal(403, "Forbidden", reason="BlockedUser")
    if not user.active:
        raise Refusal(403, "Forbidden", reason="InactiveUser")
    division = found or next(iter(state.divisions.values()))
    if division.blocked:
        raise Refusal(403, "Forbidden", reason="DivisionBlocked")
    if division.licence_expired:
        raise Refusal(403, "Forbidden - Customer's license expired", reason="LicenseExpired")
    return division


def _unauthorised(state: State) -> Response:
    if state.switches.unauthorised_as_html:
        return Response(_LOGIN_PAGE, 401, media_type="text/html")
    return Refusal(401, "Unauthorized").response()


def _split(path: str) -> tuple[str, str | None, str | None]:
    found = _KEY.match(unquote(path))
    if found is None:
        plain, _, count = path.partition("/$count")
        return (plain, None, "$count") if count == "" and path.endswith("/$count") else (path, None, None)
    key = found["key"]
    if key.startswith("guid'"):
        key = key[5:-1].lower()
    return found["path"], key.strip("'"), found["collection"]


def _log(
    state: State, request: Request, division: int | None, resource: str, answer: Response, key: str | None = None
) -> Response:
    line: Any = LogLine(
        state.clock.epoch(),
        request.method,
        request.url.path,
        request.url.query,
        division,
        resource,
        answer.status_code,
        key,
    )
    state.log.append(line)
    return answer

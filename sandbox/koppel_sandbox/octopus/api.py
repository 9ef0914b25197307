"""The three APIs: every call is logged, meets its fault, is authenticated and counted, and is refused with an error body."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from koppel_sandbox import faults

from . import authentication, bookings, coda, financial, import_api, limits, masters, oauth, relations
from . import files as file_calls
from .call import Call, DossierCall
from .errors import Refusal, language_of
from .state import Request as LogLine
from .state import State

REST, FILE_IMPORT, FILE_SYNC = "/octopus-rest-api/v1", "/octopus-file-import-api/v1", "/octopus-filesync-api/v1"
OAUTH = "/octopus-oauth"
Handler = Callable[[Call], Response]
DossierHandler = Callable[[DossierCall], Response]


@dataclass(frozen=True)
class Operation:
    """One call that an API knows."""

    method: str
    path: str
    handler: Handler | None = None
    """Of a call outside dossiers."""
    in_dossier: DossierHandler | None = None
    """Of a call with a dossier token; its path is below ``/dossiers/{dossier}``."""
    counted: limits.Kind | None = None
    api: str = REST

    @property
    def name(self) -> str:
        """The operation as the log and the limits name it: ``POST buysellbookings``."""
        return f"{self.method} {self.path.lstrip('/')}"

    def route(self) -> Route:
        """Return its route."""
        below = f"/dossiers/{{dossier:int}}{self.path}" if self.in_dossier is not None else self.path
        return Route(f"{self.api}{below}", _endpoint(self), methods=[self.method])


_YEAR = "/bookyears/{bookyear:int}"
_OPERATIONS = (
    Operation("POST", "/authentication", authentication.authenticate),
    Operation("GET", "/authentication", authentication.whose),
    Operation("GET", "/dossiers", authentication.dossiers),
    Operation("POST", "/dossiers", authentication.connect),
    Operation("GET", "/bookyears", in_dossier=masters.bookyears),
    Operation("GET", _YEAR, in_dossier=masters.bookyear),
    Operation("GET", f"{_YEAR}/journals", in_dossier=masters.journals),
    Operation("GET", f"{_YEAR}/journals/{{journal}}", in_dossier=masters.journal),
    Operation("GET", f"{_YEAR}/journals/{{letter}}/{{seq:int}}", in_dossier=masters.journal_details),
    Operation("GET", "/journals/modified", in_dossier=masters.journals_modified, counted="feed"),
    Operation("GET", "/accounts", in_dossier=masters.accounts),
    Operation("GET", "/accounts/modified", in_dossier=masters.accounts_modified, counted="feed"),
    Operation("GET", "/vatcodes", in_dossier=masters.vat_codes),
    Operation("GET", "/relations", in_dossier=relations.relations),
    Operation("PUT", "/relations", in_dossier=relations.put),
    Operation("GET", "/relations/modified", in_dossier=relations.modified, counted="feed"),
    Operation("POST", "/buysellbookings", in_dossier=bookings.post, counted="write"),
    Operation("PUT", "/buysellbookings", in_dossier=bookings.put, counted="write"),
    Operation("DELETE", "/buysellbookings", in_dossier=bookings.delete, counted="write"),
    Operation("GET", "/buysellbookings", in_dossier=bookings.read),
    Operation("GET", "/buysellbookings/modified", in_dossier=bookings.modified, counted="feed"),
    Operation("GET", f"{_YEAR}/bookings/modified", in_dossier=bookings.modified_and_deleted, counted="feed"),
    Operation("POST", f"{_YEAR}/bookings/attachements", in_dossier=file_calls.attach_later),
    Operation("POST", "/financialdiversbookings", in_dossier=financial.post, counted="write"),
    Operation("GET", "/financialdiversbookings/modified", in_dossier=financial.modified, counted="feed"),
    Operation("POST", "/coda", in_dossier=coda.post),
    Operation("POST", "/authentication", import_api.authenticate, api=FILE_IMPORT),
    Operation("POST", "/authentication/connect", import_api.connect, api=FILE_IMPORT),
    Operation("POST", "/files/imports/withtoken", in_dossier=file_calls.import_document, api=FILE_IMPORT),
    Operation("GET", "/bookingfiles", in_dossier=file_calls.list_files, api=FILE_SYNC),
    Operation("POST", "/bookingfiles", in_dossier=file_calls.file_bytes, api=FILE_SYNC),
)


def routes() -> list[BaseRoute]:
    """Return the routes of the APIs and of the OAuth server."""
    return [
        *(operation.route() for operation in _OPERATIONS),
        Route(f"{OAUTH}/authorize", oauth.authorize, methods=["GET", "POST"]),
        Route(f"{OAUTH}/token", _oauth_token, methods=["POST"]),
    ]


async def refuse(request: Request, error: Exception) -> Response:
    """Answer a path or a method that no API knows, with an error body (13, 15, 38)."""
    assert isinstance(error, HTTPException)
    state: State = request.app.state.sandbox
    refusal = Refusal(error.status_code, -79, request.method, technical=_path(request))
    answer = refusal.response(language_of(request.headers.get("accept-language")) or "nl")
    _log(state, request, "", answer, refusal.code)
    return answer


def _endpoint(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        state: State = request.app.state.sandbox
        fault = faults.first_met(state.faults, request.method, _path(request))
        if fault is not None and (spoiled := faults.before(fault)) is not None:
            return _log(state, request, operation.name, spoiled)
        if state.switches.latency_s:
            await asyncio.sleep(state.switches.latency_s)
        language = language_of(request.headers.get("accept-language")) or "nl"
        call = Call(state, request, await request.body(), language)
        code = None
        try:
            answer = _done(operation, call, fault)
        except Refusal as refusal:
            code = refusal.code
            respelled = operation.api == FILE_IMPORT and state.switches.import_errors_respelled
            answer = refusal.response(_language(call), respelled=respelled)
        return _log(state, request, operation.name, faults.after(fault, answer) if fault is not None else answer, code)

    return serve


def _done(operation: Operation, call: Call, fault: faults.Fault | None) -> Response:
    if operation.handler is not None:
        return operation.handler(call)
    assert operation.in_dossier is not None
    inside = authentication.in_dossier(call, int(call.request.path_params["dossier"]))
    if operation.api == FILE_IMPORT:
        authentication.check_import_token(inside)
    if operation.counted is not None:
        limits.take(inside, operation.name, operation.counted)
    answer = operation.in_dossier(inside)
    if fault is not None and fault.kind == "index_late":
        for record in inside.books.touched:
            record["@hidden_until"] = call.state.clock.epoch() + fault.seconds
    return answer


def _language(call: Call) -> str:
    """Return the language of an error: the one the dossier was connected with, else the one the call asks for (42)."""
    token = call.state.tables["dossier_tokens"].get(call.request.headers.get("dossierToken", ""))
    return (token and token["language"]) or call.language


async def _oauth_token(request: Request) -> Response:
    state: State = request.app.state.sandbox
    fault = faults.first_met(state.faults, request.method, _path(request))
    if fault is not None and (spoiled := faults.before(fault)) is not None:
        return _log(state, request, "POST token", spoiled)
    answer = await oauth.token(request)
    return _log(state, request, "POST token", faults.after(fault, answer) if fault is not None else answer)


def _path(request: Request) -> str:
    """Return the path below where the sandbox hangs."""
    return request.url.path.removeprefix(request.scope.get("root_path", ""))


def _log(state: State, request: Request, operation: str, answer: Response, code: int | None = None) -> Response:
    dossier = request.path_params.get("dossier")
    line = LogLine(
        state.clock.epoch(),
        request.method,
        _path(request),
        request.url.query,
        None if dossier is None else int(dossier),
        operation,
        answer.status_code,
        code,
    )
    state.log.append(line)
    return answer

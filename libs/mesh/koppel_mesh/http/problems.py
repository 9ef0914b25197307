"""Every error is a problem (RFC 9457) with a stable ``code``; a caller's mistake is never a 5xx."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from koppel_mesh.database import is_unavailable

MEDIA_TYPE = "application/problem+json"
log = structlog.get_logger(__name__)


class FieldError(BaseModel):
    """One thing that is wrong in a request: where, by which rule, and a sentence."""

    field: str | None = None
    xpath: str | None = None
    rule: str
    message: str


class ProblemBody(BaseModel):
    """What a problem looks like on the wire (contract §4)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    code: str
    errors: list[FieldError] = []


class HttpProblem(Exception):
    """Raise to answer with a problem."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{code}: {detail or title}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = extra

    def response(self) -> Response:
        """Return the answer."""
        body: dict[str, Any] = {
            "type": f"urn:koppel:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.extra,
        }
        if errors := self._errors():
            body["errors"] = [error.model_dump(exclude_none=True) for error in errors]
        return JSONResponse(body, self.status, headers=self.headers, media_type=MEDIA_TYPE)

    def _errors(self) -> Sequence[FieldError]:
        """Return what is wrong; whoever reads the list of a 422 finds something in it, if only its code."""
        if self.errors or self.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            return self.errors
        return (FieldError(rule=self.code, message=self.detail or self.title),)


CATALOGUE = "*"
"""In ``raises_problem``: any code of the service's own catalogue, ``Service.problems``."""
DECLARED = "__koppel_problems__"
_Function = TypeVar("_Function", bound=Callable[..., Any])


def raises_problem(status: int, *codes: str) -> Callable[[_Function], _Function]:
    """Say which problems a function makes, where its text does not: the OpenAPI document lists them.

    It stands for all that the function makes itself; may stand several times.
    """

    def declare(function: _Function) -> _Function:
        setattr(function, DECLARED, [*getattr(function, DECLARED, ()), (status, codes)])
        return function

    return declare


def not_found(what: str) -> HttpProblem:
    """Return the problem for an object that is not there, or is another firm's: the two cannot be told apart."""
    return HttpProblem(404, "not_found", f"There is no such {what}.")


def install(app: Starlette) -> None:
    """Let ``app`` answer every error as a problem."""
    app.add_exception_handler(HttpProblem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    # Named one by one: what only ``Exception`` stands for is answered outside of everything, and noted as our fault, a 500.
    for kind in (DBAPIError, PoolTimeoutError, ConnectionError, TimeoutError):
        app.add_exception_handler(kind, _database)
    app.add_exception_handler(UnicodeEncodeError, _no_text)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return error.response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return _malformed_json()
    errors = [
        FieldError(field=_path(item["loc"]), rule=str(item["type"]), message=printable(str(item["msg"])))
        for item in found[:100]
    ]
    return HttpProblem(422, "invalid_request", "The request is not what this route takes.", errors=errors).response()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST and error.detail == _FASTAPI_CANNOT_READ:
        return _malformed_json()
    code = status.name.lower()
    return HttpProblem(
        status, code, status.phrase, printable(str(error.detail or "")), headers=error.headers
    ).response()


_FASTAPI_CANNOT_READ = "There was an error parsing the body"
"""The message of FastAPI for JSON that fails in its reader without breaking the grammar: encoding, depth, digits."""


def _malformed_json() -> Response:
    # Not what its Content-Type says (contract §4): 422, as for any other form.
    return HttpProblem(422, "malformed_json", "The body is not JSON.").response()


async def _database(request: Request, error: Exception) -> Response:
    if is_unavailable(error):
        log.warning("database away", path=request.url.path, error=repr(error))
        return _away()
    assert isinstance(error, DBAPIError)
    state = str(getattr(error.orig, "sqlstate", "") or "")
    names = type(error.orig).__name__, type(error).__name__
    if state.startswith(("22", "54")) or any("DataError" in name for name in names):
        # Class 22, data exception: a value no column can hold (a NUL character, a number out of range). Class 54, program limit
        # exceeded: one that no index can, or a body deeper than the parser's stack.
        return _invalid_value()
    return await _unexpected(request, error)


async def _no_text(request: Request, error: Exception) -> Response:
    # JSON may hold half a surrogate pair (RFC 8259 §8.2), which is no text: neither UTF-8 nor the database has it. Whoever quotes
    # it, as validators do, fails.
    assert isinstance(error, UnicodeEncodeError)
    if "surrogates" in error.reason:
        return _invalid_value()
    return await _unexpected(request, error)


def _invalid_value() -> Response:
    return HttpProblem(422, "invalid_value", "A value in the request cannot be stored.").response()


async def _gone(_: Request, __: Exception) -> Response:
    # Nobody is left to read it; nothing went wrong on our side.
    return HttpProblem(400, "caller_gone", "The caller went away in the middle of the request.").response()


async def _unexpected(request: Request, error: Exception) -> Response:
    if is_unavailable(error):
        return _away()
    log.error("unexpected error", path=request.url.path, exc_info=error)
    return HttpProblem(500, "internal_error", "Something went wrong on our side.").response()


def _away() -> Response:
    return HttpProblem(503, "try_again", "Not available right now.", headers={"Retry-After": "2"}).response()


def _path(location: Sequence[str | int]) -> str:
    return printable(".".join(str(part) for part in location))


def printable(text: str) -> str:
    """Return ``text`` in a form every JSON writer takes: lone surrogates replaced."""
    return text.encode("utf-8", "replace").decode()

"""Scrada's API under ``/pos-ingest/scrada/v1``: every call, also one that is not known, is answered in Scrada's own form.

One route takes them all: an address of Scrada's is not one of ours, and its errors are not ours either.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from koppel_connector.contract import to_json
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Record
from koppel_mesh.service import Context

from . import cash_books, company, journals, keys, limits, receipts, sales_invoices
from .call import Call
from .errors import ErrorCode, ErrorType, ScradaError, of_problem

router = APIRouter(prefix="/scrada/v1")
METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
LANGUAGES: Final = ("EN", "NL", "FR")
Handler = Callable[[Call], Awaitable[Any]]

CALLS: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", ""): company.read,
    ("PUT", ""): company.write,
    ("GET", "journal"): journals.list_all,
    ("GET", "journal/*"): journals.read,
    ("GET", "journal/*/paymentMethod"): journals.payment_methods,
    ("PUT", "journal/*/lines"): journals.add_lines,
    ("GET", "cashBook"): cash_books.list_all,
    ("GET", "cashBook/*"): cash_books.read,
    ("PUT", "cashBook/*"): cash_books.write,
    ("GET", "cashBook/*/transactionType"): cash_books.transaction_types,
    ("PUT", "cashBook/*/lines"): cash_books.add_lines,
    ("POST", "pos/receipts"): receipts.add,
    ("POST", "salesInvoice"): sales_invoices.add,
    ("GET", "salesInvoice/*/sendStatus"): sales_invoices.send_status,
    ("GET", "salesInvoice/*/ubl"): sales_invoices.ubl,
}
"""By method, and address below ``company/{companyID}``; a star is an id."""


@router.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
async def answer(path: str, request: Request, context: CurrentContext) -> Response:
    """Answer a call of Scrada's API."""
    language = request.headers.get("language", "EN").strip().upper()
    language = language if language in LANGUAGES else "EN"
    headers: dict[str, str] = {}
    try:
        return await _answer(context, request, path, language, headers)
    except ScradaError as error:
        return error.response(language, headers)
    except HttpProblem as problem:
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return problem.response()  # no errorCode: the till tries again
        return of_problem(problem).response(language, headers)


async def _answer(context: Context, request: Request, path: str, language: str, headers: dict[str, str]) -> Response:
    named, _, below = path.removeprefix("company/").partition("/")
    if not path.startswith("company/"):
        raise _unknown(request, path)
    found = await _company(context, request, named)
    async with context.database.transaction() as tx:
        budget = await limits.count(tx, found.dossier_id)
    headers |= budget.headers()
    if budget.remaining < 0:
        raise ScradaError(429, ErrorType.LIMIT, ErrorCode.TOO_MANY_CALLS, (headers["X-Ratelimit-Reset"],))
    parts = below.split("/") if below else []
    ids = [_uuid(part) for part in parts]
    pattern = "/".join("*" if is_id else part for part, is_id in zip(parts, ids, strict=True))
    handler = CALLS.get((request.method, pattern))
    if handler is None:
        raise _unknown(request, path)
    call = Call(context, request, found, language, tuple(each for each in ids if each))
    content = await handler(call)
    if isinstance(content, Response):
        content.headers.update(headers)
        return content
    if content is None:
        return Response(headers=headers)
    return Response(to_json(content), headers=headers, media_type="application/json")


async def _company(context: Context, request: Request, named: str) -> Record:
    """A key of one company opens no other, and which there are is not told."""
    async with context.database.reading() as reading:
        found = await keys.company_of(reading, request.headers.get("x-api-key"), request.headers.get("x-password"))
    if found is None or _uuid(named) != found.dossier_id:
        raise ScradaError(401, ErrorType.AUTHENTICATION, ErrorCode.WRONG_KEY)
    return found


def _unknown(request: Request, path: str) -> ScradaError:
    return ScradaError(404, ErrorType.NOT_FOUND, ErrorCode.UNKNOWN_CALL, (request.method, f"/v1/{path}"[:300]))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

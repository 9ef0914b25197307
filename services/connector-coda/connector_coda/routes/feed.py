"""Where a bank feed posts statements, with a partner's token (contract §7c)."""

import asyncio
import json
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

import koppel_coda
from connector_coda import statements
from connector_coda.owners import owners_of
from connector_coda.ownership import DossierFacts, Holder, decide
from connector_coda.problems import render
from connector_coda.statements import ReadStatement
from koppel_connector.contract import Problem
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.media_types import insist_on_type
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found, raises_problem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .visibility import Writer, away

router = APIRouter(prefix="/v1", tags=["statements"])
FILING_DEADLINE_S = 6.0
"""Shorter than a transaction may idle: the key of the request is held while dossier-api files."""
ERRORS_MAX = 100
CODA_TYPES = {"text/plain", "application/octet-stream"}
_TAKES: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string", "format": "binary"}}}}
}
_OWNED = Statement("""
    SELECT id FROM account WHERE dossier_id = :dossier AND number = :number AND currency = :currency AND owned_by IS NOT NULL
""")


@router.post(
    "/dossiers/{dossier_id}/statements",
    status_code=201,
    openapi_extra=_TAKES,
    responses={200: {"description": "These bytes are in the dossier already."}},
)
async def post_statements(
    dossier_id: UUID, request: Request, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Take a CODA file in. It is checked first: accounts that are not the dossier's and sums that are wrong are refused.

    What is right is filed as a document of the dossier, which is what comes back.
    """
    dossier = await _dossier(context, dossier_id)
    if not caller.may_see(dossier.firm_id):
        raise not_found("dossier")
    data = await request.body()
    # What was taken once is not judged again: an upgrade may have made the rules stricter since.
    async with context.database.reading() as reading:
        if (earlier := await key.answered(reading)) is not None:
            return earlier
    insist_on_type(request, CODA_TYPES, "A CODA file is handed in as text/plain.")
    found = await asyncio.to_thread(_read, data)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        problems = []
        for one in {(one.account, one.currency): one for one in found}.values():
            asked = {"dossier": dossier_id, "number": one.account, "currency": one.currency}
            if await _OWNED.one_or_none(tx, asked) is None:
                others = await owners_of(tx, one.account, one.currency, dossier_id)
                decided = decide(_holder(one), dossier, others)
                problems += [decided] if isinstance(decided, Problem) else []
        if problems:
            raise _refused(problems)
        status, document = await _file(context, dossier_id, data)
        answer: Response = await key.remember(tx, status=status, body=document)
        return answer


def _read(data: bytes) -> list[ReadStatement]:
    try:
        found = statements.read(data)
    except koppel_coda.ReadError as error:
        errors = [FieldError(rule=error.code, message=str(error))]
        raise HttpProblem(422, "unreadable_document", "This is not CODA.", str(error), errors=errors) from error
    faults = [
        FieldError(field=f"statement {one.place}", rule="statement_incorrect", message=fault["en"])
        for one in found
        for fault in one.faults
    ]
    if faults:
        title = "The file is not whole: its counts, totals or balances are wrong."
        raise HttpProblem(422, "statement_incorrect", title, faults[0].message, errors=faults[:ERRORS_MAX])
    return found


def _holder(one: ReadStatement) -> Holder:
    return Holder(one.account, one.holder_number, one.holder_name, one.is_cash)


def _refused(problems: list[Problem]) -> HttpProblem:
    rendered = [render(problem) for problem in problems]
    errors = [FieldError(field="account", rule=each.code, message=each.message.en) for each in rendered]
    title = "The file has statements of an account that is not this dossier's."
    return HttpProblem(422, rendered[0].code, title, rendered[0].message.en, errors=errors[:ERRORS_MAX])


async def _dossier(context: Context, dossier_id: UUID) -> DossierFacts:
    """Return what dossier-api knows of the dossier now."""
    try:
        known = await context.mesh.get_json(f"/dossier-api/v1/dossiers/{dossier_id}")
    except InternalCallError as error:
        raise (not_found("dossier") if error.status == 404 else away()) from error
    return DossierFacts(dossier_id, UUID(known["firm_id"]), known["name"], known["enterprise_number"])


@raises_problem(404, "not_found")
@raises_problem(413, "body_too_large")
@raises_problem(422, "empty_body", "kind_contradicted", "not_this_dossier", "unreadable_document")
async def _file(context: Context, dossier_id: UUID, data: bytes) -> tuple[int, dict[str, Any]]:
    try:
        answer = await context.mesh.request(
            "POST",
            f"/dossier-api/v1/dossiers/{dossier_id}/documents",
            content=data,
            headers={"Content-Type": "text/plain"},
            deadline_s=FILING_DEADLINE_S,
        )
    except InternalCallError as error:
        if error.is_transient or error.status is None or error.status in (401, 403):
            raise away() from error
        raise HttpProblem(error.status, error.code, "dossier-api does not take the file.", error.detail) from error
    return answer.status, json.loads(answer.content)

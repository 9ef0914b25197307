"""What a person decides about statements: kept with who, when and why."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from connector_coda.arranging import arrange_chains
from connector_coda.handlers import RELEASE
from connector_coda.owners import holder_of, own, owners_of, withdraw
from connector_coda.ownership import DossierFacts, taken
from connector_coda.problems import render
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE

from .visibility import Currency, Writer, account_of, insist_on_dossier, lock_dossier, who

router = APIRouter(prefix="/v1", tags=["decisions"])
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]

_GAPS = Statement("""
    SELECT s.id, s.missing, s.opening, b.id AS before_id, b.closing FROM statement s JOIN statement b ON b.id = s.before_id
    WHERE s.account_id = :account AND s.released_at IS NULL AND s.standing = 'gap'
        AND b.number = :after AND s.number = :before AND (CAST(:statement AS uuid) IS NULL OR s.id = :statement)
    ORDER BY s.turn LIMIT 2
""")
_ACCEPT = Statement("""
    INSERT INTO accepted_gap (account_id, before_id, after_id, missing, reason, accepted_by)
    VALUES (:account, :before, :after, CAST(:missing AS integer[]), :reason, :by) RETURNING *
""")
_ALREADY = Statement("""
    SELECT g.* FROM accepted_gap g JOIN statement b ON b.id = g.before_id JOIN statement s ON s.id = g.after_id
    WHERE g.account_id = :account AND b.number = :after AND s.number = :before
        AND (CAST(:statement AS uuid) IS NULL OR s.id = :statement)
    ORDER BY g.accepted_at DESC LIMIT 1
""")
_SKIPS = Statement("UPDATE account SET skips_numbers = true WHERE id = :account")
_DOCUMENT = Statement(f"SELECT * FROM document WHERE id = :id AND {VISIBLE}")
_LET_GO = Statement("""
    UPDATE document SET let_go_at = clock_timestamp(), let_go_by = :by, let_go_reason = :reason, let_go_problem = :problem
    WHERE id = :id RETURNING *
""")
_OWN_WORDS = frozenset(
    {
        "statement_overlap",
        "statement_duplicate",
        "statement_late",
        "statement_incorrect",
        "statement_partial",
        "statements_crossed",
    }
)
"""Problems in spite of which a person may let a document go."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GapToAccept(_Body):
    """A gap, as the account shows it, and why it may stay."""

    after: int | None
    before: int | None
    reason: Reason
    before_statement_id: UUID | None = None
    """Where several gaps have the same numbers."""


class AcceptedGap(BaseModel):
    """A gap that a person accepted."""

    after: int | None
    before: int | None
    missing: list[int]
    reason: str
    accepted_by: str
    accepted_at: datetime


class Decision(_Body):
    """Why somebody decides so."""

    reason: Reason


class Belonging(BaseModel):
    """That an account belongs to a dossier."""

    iban: str
    currency: str
    belongs_by: str
    since: datetime
    reason: str | None


class Withdrawal(BaseModel):
    """That an account belongs to a dossier no more."""

    iban: str
    currency: str
    withdrawn_by: str
    withdrawn_at: datetime
    reason: str


class LetGo(BaseModel):
    """That a document goes in spite of its problem."""

    document_id: UUID
    problem: str
    reason: str
    let_go_by: str
    let_go_at: datetime


class Retried(BaseModel):
    """What is in the way of a document, after another look."""

    document_id: UUID
    problem: ProblemData | None


@router.post("/dossiers/{dossier_id}/accounts/{iban}/accept-gap", response_model=AcceptedGap)
async def accept_gap(
    dossier_id: UUID,
    iban: str,
    body: GapToAccept,
    context: CurrentContext,
    caller: Writer,
    key: IdempotencyKey,
    currency: Currency = None,
) -> Response:
    """Let the statements after a gap go without what is missing."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        dossier = await lock_dossier(tx, dossier_id)
        account = await account_of(tx, dossier_id, iban, currency)
        asked = {
            "account": account.id,
            "after": body.after or 0,
            "before": body.before or 0,
            "statement": body.before_statement_id,
        }
        accepted = await _ALREADY.one_or_none(tx, asked)
        gaps = await _GAPS.all(tx, asked)
        if len(gaps) > 1:
            raise HttpProblem(409, "several_gaps", "Several gaps have these numbers.", "Name before_statement_id.")
        if gaps:
            (gap,) = gaps
            accepted = await _ACCEPT.one(tx, _acceptance(account.id, gap, body.reason, who(caller)))
            if gap.closing == gap.opening:
                await _SKIPS.run(tx, {"account": account.id})
            await arrange_chains(tx, dossier)
        elif accepted is None:
            raise HttpProblem(409, "no_such_gap", "The account has no gap between these statements.")
        shown = AcceptedGap(
            after=body.after,
            before=body.before,
            **{name: accepted[name] for name in ("missing", "reason", "accepted_by", "accepted_at")},
        )
        answer: Response = await key.remember(tx, status=200, body=shown)
    context.wake(RELEASE)
    return answer


def _acceptance(account_id: UUID, gap: Record, reason: str, by: str) -> dict[str, Any]:
    return {
        "account": account_id,
        "before": gap.before_id,
        "after": gap.id,
        "missing": list(gap.missing),
        "reason": reason,
        "by": by,
    }


@router.post("/dossiers/{dossier_id}/accounts/{iban}/confirm", response_model=Belonging)
async def confirm_account(
    dossier_id: UUID,
    iban: str,
    body: Decision,
    context: CurrentContext,
    caller: Writer,
    key: IdempotencyKey,
    currency: Currency = None,
) -> Response:
    """Say that an account belongs to the dossier, where its statements do not."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        dossier = await lock_dossier(tx, dossier_id)
        account = await account_of(tx, dossier_id, iban, currency)
        if account.owned_by is None:
            facts = DossierFacts(dossier.id, dossier.firm_id, dossier.name, dossier.enterprise_number)
            others = await owners_of(tx, account.number, account.currency, dossier_id)
            if problem := taken(holder_of(account), facts, others):
                raise HttpProblem(409, problem.code, render(problem).message.en)
            account = await own(tx, account.id, who(caller), body.reason)
            await arrange_chains(tx, dossier)
        shown = Belonging(
            iban=account.number,
            currency=account.currency,
            belongs_by=account.owned_by,
            since=account.owned_at,
            reason=account.owned_reason,
        )
        answer: Response = await key.remember(tx, status=200, body=shown)
    context.wake(RELEASE)
    return answer


@router.post("/dossiers/{dossier_id}/accounts/{iban}/withdraw", response_model=Withdrawal)
async def withdraw_account(
    dossier_id: UUID,
    iban: str,
    body: Decision,
    context: CurrentContext,
    caller: Writer,
    key: IdempotencyKey,
    currency: Currency = None,
) -> Response:
    """Say that an account does not belong to the dossier: what has not gone does not go, and another dossier may have it."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        dossier = await lock_dossier(tx, dossier_id)
        account = await account_of(tx, dossier_id, iban, currency)
        if account.withdrawn_by is None:
            account = await withdraw(tx, account.id, who(caller), body.reason)
            await arrange_chains(tx, dossier)
        shown = Withdrawal(
            iban=account.number,
            currency=account.currency,
            withdrawn_by=account.withdrawn_by,
            withdrawn_at=account.withdrawn_at,
            reason=account.withdrawn_reason,
        )
        return await key.remember(tx, status=200, body=shown)


@router.post("/documents/{document_id}/release", response_model=LetGo)
async def let_go(
    document_id: UUID, body: Decision, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Let a document go in spite of its problem. A gap is accepted at its account, an account confirmed."""
    asked = {"id": document_id, "firm_id": caller.firm_id}
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        found = await _DOCUMENT.one_or_none(tx, asked)
        if found is None:
            raise not_found("document")
        dossier = await lock_dossier(tx, found.dossier_id)
        found = await _DOCUMENT.one(tx, asked)
        problem = ProblemData.model_validate(found.problem).code if found.problem else None
        if problem in _OWN_WORDS:
            decided = {"id": document_id, "by": who(caller), "reason": body.reason, "problem": problem}
            found = await _LET_GO.one(tx, decided)
            await arrange_chains(tx, dossier)
        elif found.let_go_at is None:
            detail = "Nothing is in its way." if problem is None else f"Its problem is {problem}."
            raise HttpProblem(409, "cannot_let_go", "Nobody can let this document go like this.", detail)
        shown = LetGo(
            document_id=document_id,
            problem=found.let_go_problem,
            reason=found.let_go_reason,
            let_go_by=found.let_go_by,
            let_go_at=found.let_go_at,
        )
        answer: Response = await key.remember(tx, status=200, body=shown)
    context.wake(RELEASE)
    return answer


@router.post("/deliveries/{delivery_id}/retry", status_code=202)
async def retry(delivery_id: UUID, context: CurrentContext, caller: Writer) -> Retried:
    """Look again whether a statement that was stopped can go; ``problems/{id}/retry`` of dossier-api asks this."""
    asked = {"id": delivery_id, "firm_id": caller.firm_id}
    async with context.database.transaction() as tx:
        found = await _DOCUMENT.one_or_none(tx, asked)
        if found is None:
            raise not_found("delivery")
        await arrange_chains(tx, await lock_dossier(tx, found.dossier_id))
        found = await _DOCUMENT.one(tx, asked)
    context.wake(RELEASE)
    return Retried(document_id=found.id, problem=ProblemData.model_validate(found.problem) if found.problem else None)

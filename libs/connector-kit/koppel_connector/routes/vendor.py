"""Questions to the vendor on behalf of a person: what can be reached, what is wrong, bring the master data; the sync log."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select

from koppel_connector.calls.vendor import OpenVendor, open_vendor
from koppel_connector.connection.events import LoginRefused, VendorAnswered
from koppel_connector.connection.importing import want_import, want_missing_import
from koppel_connector.connection.missing_settings import missing_settings, problem_of_missing
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract import CheckStep, Purpose
from koppel_connector.contract.errors import ConnectorError, RateLimited, ReauthorisationRequired, RetryLater
from koppel_connector.contract.problems import Problem
from koppel_connector.kit import Kit
from koppel_connector.tables import attempt
from koppel_mesh.auth import Caller
from koppel_mesh.clock import utc_now
from koppel_mesh.http.paging import Page, PageParams, invalid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.http.server import CurrentContext

from .connections import Reader, Writer
from .views import KEY_AWAY, AttemptView, CheckStepView, RemoteDossierView, owned_connection, refusal_of

router = APIRouter(prefix="/v1", tags=["vendor"])


class RemoteDossiers(BaseModel):
    """What the login can reach."""

    items: list[RemoteDossierView]
    next: None = None


class Check(BaseModel):
    """A health check, step by step."""

    ok: bool
    steps: list[CheckStepView]


class Accepted(BaseModel):
    """It will be done."""

    status: str = "accepted"


@router.get("/connections/{connection_id}/remote-dossiers")
async def list_remote_dossiers(context: CurrentContext, caller: Reader, connection_id: UUID) -> RemoteDossiers:
    """List divisions or dossiers the login sees, each with the right that is missing."""
    kit: Kit = context.resources
    async with _asking(context, caller, connection_id) as (_, vendor):
        found = await kit.connector.remote_dossiers(vendor)
    return RemoteDossiers(
        items=[
            RemoteDossierView(id=each.id, name=each.name, reachable=each.reachable, missing_right=each.missing_right)
            for each in found
        ]
    )


@router.post("/connections/{connection_id}/import", status_code=202)
async def import_master_data(context: CurrentContext, caller: Writer, connection_id: UUID) -> Accepted:
    """Bring relations, ledger accounts, journals and VAT codes, soon."""
    kit: Kit = context.resources
    async with context.database.transaction() as tx:
        row = await owned_connection(tx, kit, caller, connection_id, lock=True)
        _must_be_usable(kit, row)
        _must_have_settings(kit, row, "import")
        await want_import(tx, kit, row)
    kit.wake("imports")
    return Accepted()


@router.post("/connections/{connection_id}/check")
async def check_connection(context: CurrentContext, caller: Writer, connection_id: UUID) -> Check:
    """Check settings, login, rights, year, journals and VAT codes, each by itself; the first only while some are missing."""
    kit: Kit = context.resources
    async with context.database.reading() as reading:
        row = await owned_connection(reading, kit, caller, connection_id)
    if (stopped := row.why_stopped()) is not None:
        return _shown(kit, [CheckStep("login", ok=False, problem=stopped)])
    if (missing := problem_of_missing(kit, row.settings, "check")) is not None:
        return _shown(kit, [CheckStep("settings", ok=False, problem=missing)])
    steps: list[CheckStep] = []
    dead: ReauthorisationRequired | None = None
    vendor = await open_vendor(kit, row)
    try:
        async for step in kit.connector.check(vendor):
            steps.append(step)  # noqa: PERF401 - what came before an error is shown too
    except ConnectorError as failure:
        if not steps or steps[-1].ok:
            steps.append(CheckStep("check", ok=False, problem=failure.problem or Problem("vendor_unavailable")))
        dead = failure if isinstance(failure, ReauthorisationRequired) else None
    async with context.database.transaction() as tx:
        await vendor.flush(tx)
        if steps and all(step.ok for step in steps):
            await kit.connections.apply(tx, row.id, VendorAnswered())
            await want_missing_import(tx, kit, row)
        if dead is not None:
            await kit.connections.apply(tx, row.id, LoginRefused(dead.problem))
    for loop in ("reconciler", "imports"):
        kit.wake(loop)
    return _shown(kit, steps)


@router.get("/connections/{connection_id}/sync-log")
async def read_sync_log(
    context: CurrentContext, caller: Reader, connection_id: UUID, page: PageParams, document_id: UUID | None = None
) -> Page[AttemptView]:
    """List exchanges with the vendor, newest first; secrets and files are masked."""
    kit: Kit = context.resources
    statement = select(attempt).where(attempt.c.connection_id == connection_id)
    if document_id is not None:
        statement = statement.where(attempt.c.document_id == document_id)
    if page.after:
        statement = statement.where(attempt.c.id < _number(page.after[0]))
    async with context.database.reading() as reading:
        await owned_connection(reading, kit, caller, connection_id)
        rows = (await reading.execute(statement.order_by(attempt.c.id.desc()).limit(page.rows))).all()
    return page.of(rows, lambda row: AttemptView.model_validate({**row._mapping, "at": row.started_at}))


@asynccontextmanager
async def _asking(context: Any, caller: Caller, connection_id: UUID) -> AsyncIterator[tuple[ConnectionRow, OpenVendor]]:
    """Open a connection for a person's question; a connector error becomes a readable problem."""
    kit: Kit = context.resources
    async with context.database.reading() as reading:
        row = await owned_connection(reading, kit, caller, connection_id)
    _must_be_usable(kit, row)
    _must_have_settings(kit, row, "login")
    vendor = await open_vendor(kit, row)
    dead: ReauthorisationRequired | None = None
    try:
        yield row, vendor
    except ConnectorError as failure:
        dead = failure if isinstance(failure, ReauthorisationRequired) else None
        raise _as_problem(kit, failure) from failure
    finally:
        async with context.database.transaction() as tx:
            await vendor.flush(tx)
            if dead is not None:
                await kit.connections.apply(tx, row.id, LoginRefused(dead.problem))
                kit.wake("reconciler")


def _as_problem(kit: Kit, failure: ConnectorError) -> HttpProblem:
    """Return what a caller is told: the vendor's trouble is no mistake of the caller's, a missing right or grant is."""
    rendered = kit.reporter.render(failure.problem or Problem("vendor_unavailable"))
    known: dict[str, Any] = {"message": rendered.message.model_dump(), "who_can_fix": rendered.who_can_fix}
    match failure:
        case RateLimited(until=until):
            wait_s = math.ceil((until - utc_now()).total_seconds()) if until else 60
            headers = {"Retry-After": str(max(wait_s, 1))}
            return HttpProblem(429, "vendor_throttled", "The vendor allows no more calls now.", headers=headers)
        case RetryLater(retry_after_s=retry_after_s):
            headers = {"Retry-After": str(math.ceil(retry_after_s or 10))}
            return HttpProblem(503, rendered.code, rendered.message.en, rendered.detail or "", headers=headers, **known)
    status = 409 if isinstance(failure, ReauthorisationRequired) else 422
    return HttpProblem(status, rendered.code, rendered.message.en, rendered.detail or "", **known)


def _must_be_usable(kit: Kit, row: ConnectionRow) -> None:
    stopped = row.why_stopped()
    if stopped is None:
        return
    if row.is_damaged:
        raise refusal_of(kit, stopped, 409)
    if stopped in (row.unreadable, row.keyless_grant):
        raise refusal_of(kit, stopped, 503, headers=KEY_AWAY)
    raise HttpProblem(409, stopped.code, "The connection is not connected.")


def _must_have_settings(kit: Kit, row: ConnectionRow, purpose: Purpose) -> None:
    missing = missing_settings(kit, row.settings, purpose)
    if not missing:
        return
    rendered = kit.reporter.render(Problem("settings_missing", missing=", ".join(missing)))
    known: dict[str, Any] = {"message": rendered.message.model_dump(), "who_can_fix": rendered.who_can_fix}
    errors = [FieldError(field=f"settings.{name}", rule="missing", message="It is not filled in.") for name in missing]
    raise HttpProblem(409, rendered.code, rendered.message.en, errors=errors, **known)


def _shown(kit: Kit, steps: list[CheckStep]) -> Check:
    views = [
        CheckStepView(
            name=step.name,
            ok=step.ok,
            problem=kit.reporter.render(step.problem) if step.problem else None,
            message=step.message,
            detail=step.detail,
        )
        for step in steps
    ]
    return Check(ok=bool(steps) and all(step.ok for step in steps), steps=views)


def _number(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise invalid_cursor()
    return int(value)

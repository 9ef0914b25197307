"""What connections, deliveries and attempts look like from outside. Secrets have no field here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.auth.consent import authorize_url
from koppel_connector.calls import windows
from koppel_connector.calls.budget import time_of_day
from koppel_connector.connection.missing_settings import missing_settings
from koppel_connector.connection.rights import missing_rights
from koppel_connector.connection.store import COLUMNS, USABLE, ConnectionRow, Pause, split_secrets
from koppel_connector.contract.problems import Problem
from koppel_connector.kit import Kit
from koppel_mesh.auth import Caller
from koppel_mesh.clock import utc_now
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.messages import ConnectionState, DeliveryState, DocumentKind, LocalisedText, ProblemData
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.visibility import VISIBLE

_WAITS_FOR_VENDOR = (DeliveryState.READY, DeliveryState.UNKNOWN, DeliveryState.EXPORTED)
KEY_AWAY = {"Retry-After": "60"}
"""Header of an answer that a missing secret key prevents: once the key is back, the same request works."""
_READ = Statement(f"SELECT {COLUMNS} FROM connection WHERE id = :id AND {VISIBLE}")
_LOCK = Statement(f"SELECT {COLUMNS} FROM connection WHERE id = :id AND {VISIBLE} FOR UPDATE")
_SHARED_BOOKS = Statement("""
    SELECT c.id, string_agg(DISTINCT d.name, ', ' ORDER BY d.name) AS others FROM connection c
        JOIN connection o ON o.firm_id = c.firm_id AND o.dossier_id <> c.dossier_id AND o.state <> 'disconnected'
            AND coalesce(o.books_scope, o.limit_scope) = coalesce(c.books_scope, c.limit_scope)
        JOIN dossier d ON d.id = o.dossier_id
    WHERE c.id = ANY(CAST(:ids AS uuid[])) AND c.state <> 'disconnected' GROUP BY c.id
""")


class Paused(BaseModel):
    """Nothing is sent before ``until``; a retry by a person or a good check ends the pause for a vendor that is away."""

    until: datetime
    since: datetime | None = None
    """Since when the vendor is away; absent where its budget of calls is used up."""
    problem: ProblemData


class Health(BaseModel):
    """Whether documents can go, and if not what is needed."""

    can_send: bool
    missing_settings: list[str]
    problem: ProblemData | None = None
    warnings: list[ProblemData] = []
    """What is worth a look: the vendor's windows of which four fifths are used, a company that could not be compared with the
    dossier, rights that its user was missing at the last import, books that another dossier's connection leads to as well."""
    paused: Paused | None = None
    imported_at: datetime | None = None


class ConfirmationView(BaseModel):
    """That a person of the firm confirmed a company other than the dossier's."""

    name: str
    numbers: tuple[str, ...]
    dossier_number: str
    reason: str
    confirmed_by: str
    confirmed_at: datetime


class CompanyView(BaseModel):
    """The company whose books the connection leads to."""

    name: str | None = None
    numbers: tuple[str, ...] = ()
    compared_at: datetime | None = None
    """Absent while it was not compared with the dossier: at the latest before the next document is sent."""
    is_the_dossiers: bool | None = None
    """Absent where the vendor or the dossier tells no number."""
    confirmations: list[ConfirmationView] = []


class ConnectionView(BaseModel):
    """A connection of a dossier."""

    id: UUID
    dossier_id: UUID
    connector: str
    state: ConnectionState
    connected_via_user: str | None = None
    settings: dict[str, Any]
    health: Health
    company: CompanyView
    authorize_url: str | None = None


class InFront(BaseModel):
    """The first of its sequence that stands in front of a delivery: it waits, failed or is for review itself."""

    delivery_id: UUID
    document_id: UUID


class DeliveryView(BaseModel):
    """One document on its way to one connection."""

    id: UUID
    connection_id: UUID
    dossier_id: UUID
    document_id: UUID
    revision: int
    kind: DocumentKind
    state: DeliveryState
    remote_ref: str
    remote_id: str | None = None
    entry_number: str | None = None
    entry_url: str | None = None
    problem: ProblemData | None = None
    warnings: tuple[ProblemData, ...] = ()
    """What a person should know although nothing is in the way, such as a file that did not go along."""
    changes: list[str] | None = None
    """Of one asked for by itself: what changed in the document since an earlier revision of it was sent; None where none was."""
    waits_for: Paused | InFront | None = None
    """Why it does not go now: its connection sends nothing, else an earlier delivery holds it."""
    attempts: int
    failures: int
    due_at: datetime | None = None
    exported_at: datetime | None = None
    booked_at: datetime | None = None
    created_at: datetime


class AttemptView(BaseModel):
    """One exchange with the vendor."""

    at: datetime
    delivery_id: UUID | None = None
    document_id: UUID | None = None
    phase: str
    operation: str
    outcome: str | None = None
    http_status: int | None = None
    duration_ms: int | None = None
    request: str | None = None
    response: str | None = None
    message: str | None = None
    trace_id: str | None = None


class RemoteDossierView(BaseModel):
    """A division or dossier the login sees."""

    id: str
    name: str
    reachable: bool
    missing_right: str | None = None


class CheckStepView(BaseModel):
    """One step of a health check."""

    name: str
    ok: bool
    problem: ProblemData | None = None
    message: LocalisedText | None = None
    detail: str | None = None


async def warnings_of(db: AsyncConnection, kit: Kit, rows: Sequence[ConnectionRow]) -> Mapping[UUID, list[ProblemData]]:
    """Return, by connection, what a person is told though documents go: see ``Health.warnings``."""
    of = {row.id: windows.windows_of(kit.profile.windows, kit.profile.name, row.id, row.limit_scope) for row in rows}
    found = await windows.nearly_used(db, of)
    problems: dict[UUID, list[Problem]] = defaultdict(list)
    for connection_id, nearly in found.items():
        for each in nearly:
            until = time_of_day(each.ends_at)
            problems[connection_id].append(
                Problem("window_nearly_used", used=each.used, capacity=each.capacity, until=until)
            )
    for row in rows:
        if row.state in USABLE and (warning := row.company.warning()) is not None:
            problems[row.id].append(warning)
    for connection_id, lacking in (await missing_rights(db, of)).items():
        problems[connection_id].append(lacking)
    for shared in await _SHARED_BOOKS.all(db, {"ids": list(of)}):
        problems[shared.id].append(Problem("books_shared", others=shared.others))
    return {connection_id: [kit.reporter.render(each) for each in told] for connection_id, told in problems.items()}


def view_connection(
    kit: Kit, row: ConnectionRow, *, with_address: bool = True, warnings: Sequence[ProblemData] = ()
) -> ConnectionView:
    """Return a connection as its owner may see it."""
    shown, _ = split_secrets(row.settings)
    # Secrets that cannot be read now are not missing: nobody needs to type them again.
    missing = [] if row.unreadable else missing_settings(kit, row.settings, "send")
    problem = ProblemData.model_validate(row.problem) if row.problem else None
    other_company = row.company.problem()
    if row.state in USABLE and (stopped := row.why_stopped()) is not None:
        problem = kit.reporter.render(stopped)
    elif other_company is not None:
        problem = kit.reporter.render(other_company)
    if problem is None and missing:
        problem = kit.reporter.render(Problem("settings_missing", missing=", ".join(missing)))
    # Degraded: another user may have the right, or the licence, that this one lacks.
    may_consent = row.state in (
        ConnectionState.AUTHORISING,
        ConnectionState.REAUTHORISE,
        ConnectionState.DEGRADED,
    )
    return ConnectionView(
        id=row.id,
        dossier_id=row.dossier_id,
        connector=kit.profile.name,
        state=row.state,
        connected_via_user=row.connected_via_user,
        settings=shown,
        health=Health(
            can_send=row.why_stopped() is None
            and other_company is None
            and not missing
            and row.breaker.away_since is None,
            missing_settings=missing,
            problem=problem,
            warnings=list(warnings),
            paused=_paused(row.pause) if row.state in USABLE else None,
            imported_at=row.imported_at,
        ),
        company=_company(row),
        authorize_url=authorize_url(kit, row) if with_address and may_consent and not row.unreadable else None,
    )


def _company(row: ConnectionRow) -> CompanyView:
    known = row.company
    return CompanyView(
        name=known.remote.name if known.remote else None,
        numbers=known.remote.numbers if known.remote else (),
        compared_at=known.compared_at,
        is_the_dossiers=known.is_the_dossiers,
        confirmations=[ConfirmationView.model_validate(vars(each)) for each in known.confirmations],
    )


def view_delivery(kit: Kit, row: Any) -> DeliveryView:
    """Return a delivery's row, with the pause of its connection, as its owner may see it."""
    waits = row.state in _WAITS_FOR_VENDOR and row.due_at is not None and row.connection_state in USABLE
    pause = kit.connections.pause_of(row, utc_now()) if waits else None
    columns = DeliveryView.model_fields.keys() - {"waits_for", "warnings", "changes"}
    return DeliveryView.model_validate(
        {name: getattr(row, name) for name in columns}
        | {
            "waits_for": row.in_front if pause is None else _paused(pause),
            "warnings": kit.reporter.warnings(row.progress.get("warnings")),
        }
    )


def _paused(pause: Pause | None) -> Paused | None:
    return None if pause is None else Paused(until=pause.until, since=pause.since, problem=pause.problem)


def refusal_of(
    kit: Kit, problem: Problem, status: int, detail: str = "", headers: Mapping[str, str] | None = None
) -> HttpProblem:
    """Return the answer that shows a caller the problem of a connection."""
    rendered = kit.reporter.render(problem)
    known: dict[str, Any] = {"message": rendered.message.model_dump(), "who_can_fix": rendered.who_can_fix}
    return HttpProblem(status, rendered.code, rendered.message.en, detail, headers=headers, **known)


async def owned_connection(
    db: AsyncConnection, kit: Kit, caller: Caller, connection_id: UUID, *, lock: bool = False
) -> ConnectionRow:
    """Return a connection of the caller's firm.

    Raises:
        Problem: 404 when there is none, another firm's included.
    """
    which = {"id": connection_id, "firm_id": caller.firm_id}
    row = await (_LOCK if lock else _READ).one_or_none(db, which)
    if row is None:
        raise not_found("connection")
    return kit.connections.open_row(row)

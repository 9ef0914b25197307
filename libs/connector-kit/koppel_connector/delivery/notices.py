"""Notices that vendors send: stored before they are answered, worked off later, each with one effect however often it comes.

What a notice tells becomes an event that the machine already knows. A delivery that somebody works on, or that does not yet
know what the vendor calls it, makes the notice wait; one that always fails is given up after some days and stays in its table.
"""

import json
import logging
from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector import faults
from koppel_connector.connection.events import ProblemFound
from koppel_connector.connection.importing import want_import_of
from koppel_connector.contract.notices import (
    ConnectionReported,
    DeliveryBounced,
    EntryChanged,
    MasterDataChanged,
    Notice,
    NoticeEffect,
    Verified,
)
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.storable import storable
from koppel_connector.infrastructure_errors import is_infrastructure_error
from koppel_connector.kit import Kit
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from . import events
from .state_machine import IllegalTransitionError
from .store import COLUMNS, ConcurrentUpdateError, row_of

RETRY_SCHEDULE_S = (5.0, 30.0, 300.0, 3600.0, 21_600.0, 86_400.0, 86_400.0)
SAME_PLACE_DAYS = 30
_NOT_STORED = frozenset({"authorization", "proxy-authorization", "cookie"})
log = structlog.get_logger(__name__)

_STORE = Statement("""
    INSERT INTO notice (id, address, notice_id, headers, content, received_at)
    VALUES (:id, :address, :notice_id, CAST(:headers AS jsonb), :content, :received_at)
    ON CONFLICT ON CONSTRAINT notice_key DO NOTHING RETURNING id
""")
_NEXT = Statement("""
    SELECT * FROM notice WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_HANDLED = Statement("UPDATE notice SET due_at = NULL, handled_at = clock_timestamp(), problem = NULL WHERE id = :id")
_PUT_OFF = Statement("""
    UPDATE notice SET failures = failures + 1, problem = :problem,
        due_at = clock_timestamp() + CAST(:pause_s AS float8) * interval '1 second'
    WHERE id = :id AND failures = :failures AND handled_at IS NULL
""")
_NAMED = Statement(f"""
    SELECT {COLUMNS} FROM delivery d JOIN connection c ON c.id = d.connection_id
    WHERE (d.remote_ref = :remote_ref OR d.remote_id = :remote_id)
        AND (CAST(:connection_id AS uuid) IS NULL OR c.id = :connection_id)
        AND (CAST(:scope AS text) IS NULL OR coalesce(c.books_scope, c.limit_scope) = :scope)
    ORDER BY d.id FOR UPDATE OF d
""")

_IS_OURS = Statement("SELECT EXISTS (SELECT FROM delivery WHERE remote_ref = :remote_ref) AS is_ours")
_CAME_BACK = Statement(f"""
    SELECT count(*) AS number FROM delivery WHERE connection_id = :connection_id AND state = 'failed'
        AND problem->>'code' = :code AND progress->>CAST(:place AS text) = :value
        AND changed_at > clock_timestamp() - interval '{SAME_PLACE_DAYS} days'
""")


class NoticeNotYet(Exception):
    """What the notice tells of cannot be found, or is being worked on; it is tried again."""


async def store_notice(kit: Kit, notice: Notice, verified: Verified) -> None:
    """Store a verified notice, once; it may be answered then."""
    headers = {name: value for name, value in notice.headers.items() if name not in _NOT_STORED}
    values = {
        "id": new_id(),
        "address": notice.address,
        "notice_id": storable(verified.notice_id),
        "headers": json.dumps(storable(headers)),
        "content": notice.content,
        "received_at": notice.received_at,
    }
    async with kit.database.transaction() as tx:
        await _STORE.run(tx, values)
    faults.point("after_notice_commit")
    kit.wake("notices")


async def has_delivery(kit: Kit, remote_ref: str) -> bool:
    """Return whether a remote reference is that of a delivery of this service, of whatever firm."""
    async with kit.database.reading() as reading:
        return bool((await _IS_OURS.one(reading, {"remote_ref": remote_ref})).is_ours)


async def serve_notices(context: Context) -> bool:
    """Work one notice off; True when there may be another."""
    kit: Kit = context.resources
    record: Record | None = None
    try:
        async with kit.database.transaction() as tx:
            record = await _NEXT.one_or_none(tx)
            if record is None:
                return False
            await _work_off(kit, tx, record)
            await _HANDLED.run(tx, {"id": record.id})
            faults.point("before_notice_commit")
    except Exception as error:
        if record is None or is_infrastructure_error(error):
            raise
        await _put_off(kit, record, error)
        return True
    for loop in ("deliveries", "read-back", "imports"):
        kit.wake(loop)
    return True


async def _work_off(kit: Kit, tx: AsyncConnection, record: Record) -> None:
    notice = Notice(record.address, record.headers, bytes(record.content), record.received_at)
    connection_id = connection_id_of(notice.address)
    for effect in kit.connector.receive(notice):
        await apply_effect(kit, tx, connection_id, effect)


async def _put_off(kit: Kit, record: Record, failure: Exception) -> None:
    """Try it again later, or give it up. Another process may have taken it meanwhile: it counts once then."""
    told = {"id": record.id, "failures": record.failures, "problem": storable(repr(failure)[:300])}
    given_up = record.failures >= len(RETRY_SCHEDULE_S)
    pause_s = None if given_up else RETRY_SCHEDULE_S[record.failures]
    async with kit.database.transaction() as tx:
        await _PUT_OFF.run(tx, told | {"pause_s": pause_s})
    log.log(
        logging.ERROR if given_up else logging.WARNING,
        "notice given up" if given_up else "notice postponed",
        notice=str(record.id),
        address=record.address,
        error=told["problem"],
    )


def connection_id_of(address: str) -> UUID | None:
    """Return the connection that an address names; None for the vendor's own key."""
    try:
        return UUID(address)
    except ValueError:
        return None


async def apply_effect(kit: Kit, tx: AsyncConnection, connection_id: UUID | None, effect: NoticeEffect) -> None:
    """Do what follows from something that the vendor told.

    Raises:
        NoticeNotYet: what it tells of cannot be found, or is being worked on.
    """
    match effect:
        case MasterDataChanged(scope):
            _insist_on_one_company(connection_id, scope, effect)
            await want_import_of(tx, kit, connection_id, storable(scope))
        case EntryChanged():
            await _look_again(kit, tx, await _named(tx, connection_id, effect))
        case ConnectionReported(problem):
            if connection_id is None:
                raise ValueError("ConnectionReported of a notice to the vendor's key")
            await kit.connections.apply(tx, connection_id, ProblemFound(problem))
        case DeliveryBounced():
            rows = await _named(tx, connection_id, effect)
            if not rows or any(DeliveryState(row.state) is DeliveryState.SENDING for row in rows):
                raise NoticeNotYet(f"no delivery at rest for {effect.remote_ref or effect.remote_id}")
            for row in rows:
                await _came_back(kit, tx, row, effect)


async def _came_back(kit: Kit, tx: AsyncConnection, row: Record, effect: DeliveryBounced) -> None:
    if DeliveryState(row.state) is DeliveryState.FAILED:
        return  # some servers say it twice, each time in other words
    await kit.deliveries.apply(tx, row_of(row), events.Bounced(effect.problem))
    value = row.progress.get(effect.place) if effect.place is not None else None
    if value is None or effect.repeated is None:
        return
    same = {"connection_id": row.connection_id, "code": effect.problem.code, "place": effect.place, "value": str(value)}
    if (await _CAME_BACK.one(tx, same)).number > 1:
        problem = Problem(effect.repeated.code, effect.repeated.detail, **{str(effect.place): value})
        await kit.connections.apply(tx, row.connection_id, ProblemFound(problem))


async def _look_again(kit: Kit, tx: AsyncConnection, rows: Sequence[Record]) -> None:
    for row in rows:
        try:
            await kit.deliveries.apply(tx, row_of(row), events.EntryReported())
        except (IllegalTransitionError, ConcurrentUpdateError):
            # It is on its way, or at its end: nothing that this hint could hurry. Neither has written anything.
            continue


async def _named(
    tx: AsyncConnection, connection_id: UUID | None, effect: EntryChanged | DeliveryBounced
) -> list[Record]:
    if effect.remote_id is not None:
        _insist_on_one_company(connection_id, effect.scope, effect)
    values = {
        "remote_ref": effect.remote_ref,
        "remote_id": effect.remote_id,
        "connection_id": connection_id,
        "scope": effect.scope,
    }
    return await _NAMED.all(tx, storable(values))


def _insist_on_one_company(connection_id: UUID | None, scope: str | None, effect: NoticeEffect) -> None:
    if connection_id is None and scope is None:
        raise ValueError(f"{type(effect).__name__} of a notice to the vendor's key needs a scope")

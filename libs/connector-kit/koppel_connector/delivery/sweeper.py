"""What nobody is working on any more: dead workers' claims, deliveries of connections that stopped or came back.

What was exported through one that stopped is still to be booked: its clock goes on here.

Every loop here is stateless and may run in any number of processes: rows are taken with SKIP LOCKED.
"""

from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.connection.secret_keys import KEYS_HELD, problem_of
from koppel_connector.contract.problems import Problem
from koppel_connector.kit import Kit
from koppel_connector.reporter import RenderedProblem
from koppel_mesh.keyring import MissingKeyError
from koppel_mesh.messages import ConnectionState, DeliveryState, ProblemData
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from . import events
from .claims import FREE
from .events import Event
from .owner import bury_dead
from .state_machine import IllegalTransitionError
from .store import COLUMNS, ConcurrentUpdateError, DeliveryRow, row_of

BATCH = 200
log = structlog.get_logger(__name__)

# An act that answered "ok" counts as open as well: the worker may have died between the vendor's yes and our commit.
_EXPIRED = Statement(f"""
    SELECT {COLUMNS}, (
        SELECT max(a.deadline_at) FROM attempt a WHERE a.delivery_id = d.id AND a.acts AND a.started_at >= d.claimed_at
            AND (a.outcome IS NULL OR a.outcome IN ('ok', 'unknown'))
    ) AS acted_until
    FROM delivery d WHERE d.state = 'sending' AND d.lease_token IS NOT NULL AND {FREE.format("d")}
    ORDER BY d.lease_until LIMIT :batch FOR UPDATE OF d SKIP LOCKED
""")
_CLOSE_ATTEMPTS = Statement("""
    UPDATE attempt SET finished_at = clock_timestamp(), outcome = 'unknown', message = 'the worker stopped'
    WHERE finished_at IS NULL AND deadline_at < clock_timestamp() - interval '60 seconds'
        AND (delivery_id IS NULL OR NOT EXISTS (
            SELECT FROM delivery d WHERE d.id = attempt.delivery_id AND d.state = 'sending'))
""")
_STRANDED = Statement(f"""
    SELECT {COLUMNS}, c.state AS connection_state, c.problem AS connection_problem
    FROM delivery d JOIN connection c ON c.id = d.connection_id
    WHERE c.state NOT IN ('connected', 'degraded') AND (d.state IN ('ready', 'unknown')
        OR d.state = 'blocked' AND c.state = 'disconnected' AND d.unknown_since IS NULL)
    ORDER BY d.id LIMIT :batch FOR UPDATE OF d SKIP LOCKED
""")
_KEYLESS = Statement(f"""
    SELECT {COLUMNS}, coalesce(
        (SELECT t.key_id FROM oauth_token t WHERE t.connection_id = c.id AND NOT t.key_id = ANY(CAST(:key_ids AS text[]))),
        c.key_id) AS wanted
    FROM delivery d JOIN connection c ON c.id = d.connection_id
    WHERE c.state IN ('connected', 'degraded') AND d.state IN ('ready', 'unknown') AND NOT {KEYS_HELD}
    ORDER BY d.id LIMIT :batch FOR UPDATE OF d SKIP LOCKED
""")
# What a delivery waits for is compared with what its attempt saw: the claim comes before it reads settings and master data, and
# the creation of one that was never claimed before its target is asked. What changed since is news to it, even when the attempt
# ended after the change.
_WAITING = Statement(f"""
    SELECT {COLUMNS} FROM delivery d JOIN connection c ON c.id = d.connection_id
    WHERE c.state IN ('connected', 'degraded') AND d.state = 'blocked' AND {KEYS_HELD}
        AND (coalesce(d.claimed_at, d.created_at) < c.unblocked_at OR d.problem ->> 'code' = 'secret_key_missing')
    ORDER BY d.id LIMIT :batch FOR UPDATE OF d SKIP LOCKED
""")


# Where the books cannot be read now, the clock goes on all the same (P3); where they never will be, it has the last word.
_UNSEEN = Statement(f"""
    SELECT {COLUMNS}, c.state AS connection_state FROM delivery d JOIN connection c ON c.id = d.connection_id
    WHERE d.state = 'exported' AND d.due_at <= clock_timestamp() AND {FREE.format("d")}
        AND (c.state = 'disconnected' OR d.problem IS NULL AND d.may_stay_exported IS NOT TRUE
            AND d.exported_at <= clock_timestamp() - CAST(:unbooked_after_s AS float8) * interval '1 second'
            AND (c.state NOT IN ('connected', 'degraded') OR c.not_before > clock_timestamp()
                OR c.away_since IS NOT NULL OR NOT {KEYS_HELD}))
    ORDER BY d.due_at LIMIT :batch FOR UPDATE OF d SKIP LOCKED
""")


async def sweep(context: Context) -> bool:
    """Take back the claims of dead workers: what may have acted is looked up, the rest goes back to its place."""
    kit: Kit = context.resources
    await kit.owner.renew()  # whoever sweeps is alive
    async with kit.database.transaction() as tx:
        for owner_id in await bury_dead(tx, kit.settings.dead_after_s):
            log.warning("a process died", owner=str(owner_id))
    async with kit.database.transaction() as tx:
        rows = await _EXPIRED.all(tx, {"batch": BATCH})
        for record in rows:
            row = row_of(record)
            await kit.deliveries.apply(tx, row, events.LeaseExpired(record.acted_until))
            log.warning("claim of a dead worker", delivery=str(row.id), may_have_acted=record.acted_until is not None)
        await _CLOSE_ATTEMPTS.run(tx)
    if rows:
        kit.wake("deliveries")
    return len(rows) == BATCH


async def reconcile(context: Context) -> bool:
    """Let deliveries follow their connection: waiting for a person when it stopped, going on when it came back."""
    kit: Kit = context.resources
    async with kit.database.transaction() as tx:
        stranded = await _STRANDED.all(tx, {"batch": BATCH})
        for record in stranded:
            row = row_of(record)
            await _move(kit, tx, row, _event_for(row, record))
        keys = {"key_ids": kit.keys.key_ids, "batch": BATCH}
        keyless = await _KEYLESS.all(tx, keys)
        for record in keyless:
            problem = problem_of(MissingKeyError(record.wanted, kit.keys.key_ids))
            await _move(kit, tx, row_of(record), events.ActionNeeded(problem))
        waiting = await _WAITING.all(tx, keys)
        for record in waiting:
            await _move(kit, tx, row_of(record), events.Unblocked())
        unseen = await _UNSEEN.all(tx, {**keys, "unbooked_after_s": kit.settings.unbooked_after_s})
        for record in unseen:
            is_removed = record.connection_state == ConnectionState.DISCONNECTED
            await _move(kit, tx, row_of(record), events.ReadBackEnded() if is_removed else events.VendorUnavailable())
    if waiting:
        kit.wake("deliveries")
    return BATCH in (len(stranded), len(keyless), len(waiting), len(unseen))


def _event_for(row: DeliveryRow, record: Any) -> Event:
    state = ConnectionState(record.connection_state)
    if state is ConnectionState.DISCONNECTED:
        if row.unknown_since is None:
            return events.ResolvedAsAbandoned(Problem("connection_removed"))
        return events.ActionNeeded(Problem("unknown_outcome_review"))
    if record.connection_problem is not None:
        return events.ActionNeeded(RenderedProblem(ProblemData.model_validate(record.connection_problem)))
    if state is ConnectionState.AUTHORISING:
        return events.ActionNeeded(Problem("not_connected"))
    return events.ActionNeeded(Problem("reauthorise"))


async def _move(kit: Kit, tx: AsyncConnection, row: DeliveryRow, event: Event) -> None:
    try:
        await kit.deliveries.apply(tx, row, event)
    except (ConcurrentUpdateError, IllegalTransitionError) as error:
        if row.state is not DeliveryState.BLOCKED:
            log.warning("could not follow its connection", delivery=str(row.id), error=str(error))

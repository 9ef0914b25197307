"""Claiming due work: fairly over connections, within each one's places, under a lease per row (messaging §3.5).

The connection that waited longest comes first, so a dossier with a hundred thousand documents takes its turn like the rest.
One whose first import runs waits for that.
Two connections may lead to one company, by mistake mostly: a document goes one of those ways after the other, a settling
time apart, so that the second can see what the first did.
No two wait for each other: what is ready waits for what is unknown and for what is older, and an unknown outcome is looked up
whatever else waits (messaging §3.8), after the call that is under way at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from koppel_connector.connection.importing import AWAITS_FIRST_IMPORT
from koppel_connector.connection.secret_keys import KEYS_HELD
from koppel_connector.kit import Kit
from koppel_mesh.messages import DeliveryState
from koppel_mesh.prepared_sql import Statement

from .store import COLUMNS, DeliveryRow, row_of


@dataclass(frozen=True)
class Batch:
    """What one worker took of one connection, in order."""

    connection_id: UUID
    rows: tuple[DeliveryRow, ...]


FREE = """({0}.lease_until IS NULL OR {0}.lease_until < clock_timestamp()
                OR {0}.owner_id IS NOT NULL AND NOT EXISTS (SELECT FROM owner WHERE owner.id = {0}.owner_id))"""
"""Nobody holds it, or whoever does has no more time or has died."""
FIRST_SENT_AT = """(
        SELECT min(a.started_at) FROM attempt a WHERE a.delivery_id = d.id AND a.acts
            AND (a.outcome IS NULL OR a.outcome IN ('ok', 'unknown'))) AS first_sent_at"""

IN_FRONT = """FROM delivery o JOIN connection way ON way.id = o.connection_id
                    WHERE o.sequence_key = {delivery}.sequence_key AND o.id < {delivery}.id
                        AND (o.has_target AND (o.operation = {delivery}.operation OR NOT {delivery}.has_target)
                            OR NOT o.has_target AND o.connection_id = {delivery}.connection_id)
                        AND coalesce(way.books_scope, way.limit_scope) = {books_scope}
                        AND o.state IN ('ready', 'sending', 'unknown', 'blocked', 'review', 'failed')
                        AND (o.state <> 'failed' OR o.abandoned_at IS NULL AND way.state <> 'disconnected')"""
"""The deliveries ``o`` that another one of their sequence waits for, in the same books."""

_CLAIM = Statement(f"""
    WITH turn AS (
        SELECT c.id, coalesce(c.books_scope, c.limit_scope) AS books_scope FROM connection c
        WHERE EXISTS (SELECT FROM owner WHERE id = CAST(:owner AS uuid))
            AND c.state IN ('connected', 'degraded') AND c.not_before <= clock_timestamp() AND {KEYS_HELD}
            AND (c.away_since IS NULL AND NOT c.id = ANY(CAST(:serving AS uuid[])) OR c.id = CAST(:probed AS uuid))
            AND NOT {AWAITS_FIRST_IMPORT}
            AND EXISTS (SELECT FROM delivery d WHERE d.connection_id = c.id AND d.state IN ('ready', 'unknown')
                AND d.due_at <= clock_timestamp())
            AND (CAST(:probed AS uuid) IS NULL OR c.id = CAST(:probed AS uuid))
            AND NOT EXISTS (SELECT FROM delivery d WHERE d.connection_id = c.id AND d.state = 'sending'
                AND d.lease_token IS NOT NULL)
        ORDER BY c.last_served_at LIMIT :connections FOR UPDATE OF c SKIP LOCKED
    ), served AS (
        UPDATE connection SET last_served_at = clock_timestamp() FROM turn WHERE connection.id = turn.id
    ), picked AS (
        SELECT due.id FROM turn CROSS JOIN LATERAL (
            SELECT d.id FROM delivery d
            WHERE d.connection_id = turn.id AND d.state IN ('ready', 'unknown') AND d.due_at <= clock_timestamp()
                AND d.state = ANY(CAST(:states AS text[]))
                AND NOT EXISTS (
                    SELECT FROM delivery o JOIN connection way ON way.id = o.connection_id
                    WHERE o.document_id = d.document_id AND o.connection_id <> d.connection_id
                        AND coalesce(way.books_scope, way.limit_scope) = turn.books_scope
                        AND (o.state = 'sending' OR d.state = 'ready' AND (
                            o.state = 'unknown' OR o.state = 'ready' AND o.id < d.id
                            OR o.exported_at > clock_timestamp()
                                - coalesce(CAST(:settle_s AS float8), o.settle_s, :unset_settle_s) * interval '1 second')))
                AND (d.state = 'unknown' OR d.sequence_key IS NULL OR NOT EXISTS (
                    SELECT {IN_FRONT.format(delivery="d", books_scope="turn.books_scope")}))
            ORDER BY d.due_at, d.id LIMIT :batch
            FOR UPDATE SKIP LOCKED
        ) due
    )
    UPDATE delivery d SET state = 'sending', lease_token = gen_random_uuid(), owner_id = CAST(:owner AS uuid),
        claimed_at = clock_timestamp(),
        lease_until = clock_timestamp() + CAST(:lease_s AS float8) * interval '1 second', attempts = d.attempts + 1
    FROM picked WHERE d.id = picked.id
    RETURNING {COLUMNS}, EXISTS (
        SELECT FROM delivery o JOIN attempt a ON a.delivery_id = o.id AND a.acts
            AND (a.outcome IS NULL OR a.outcome IN ('ok', 'unknown'))
        WHERE o.document_id = d.document_id AND o.id <> d.id) AS has_prior_delivery, {FIRST_SENT_AT}
""")

_MAY_READ_BACK = (
    "(c.read_back_at IS NULL OR c.read_back_at <= clock_timestamp() - CAST(:every_s AS float8) * interval '1 second')"
)
# Of two processes that read back at once the second waits for the first in ``paced``, and finds that it came too late.
_CLAIM_READ_BACK = Statement(f"""
    WITH turn AS (
        SELECT d.connection_id FROM delivery d JOIN connection c ON c.id = d.connection_id
        WHERE EXISTS (SELECT FROM owner WHERE id = CAST(:owner AS uuid))
            AND d.state IN ('exported', 'booked') AND d.due_at <= clock_timestamp() AND {FREE.format("d")} AND {_MAY_READ_BACK}
            AND c.state IN ('connected', 'degraded') AND c.not_before <= clock_timestamp() AND {KEYS_HELD}
            AND (c.away_since IS NULL AND NOT c.id = ANY(CAST(:serving AS uuid[])) OR c.id = CAST(:probed AS uuid))
            AND (CAST(:probed AS uuid) IS NULL OR c.id = CAST(:probed AS uuid))
            AND (CAST(:probed AS uuid) IS NOT NULL
                OR d.due_at < clock_timestamp() - CAST(:patience_s AS float8) * interval '1 second'
                OR NOT EXISTS (SELECT FROM delivery w WHERE w.connection_id = c.id
                    AND (w.state = 'sending' AND w.lease_token IS NOT NULL
                        OR w.state = 'ready' AND w.due_at <= clock_timestamp()))
                OR (SELECT count(*) FROM (SELECT FROM delivery w WHERE w.connection_id = c.id
                    AND w.state IN ('exported', 'booked')
                    AND w.due_at <= clock_timestamp() LIMIT :batch) full_batch) >= :batch)
        ORDER BY d.due_at LIMIT 1
    ), paced AS (
        UPDATE connection c SET read_back_at = clock_timestamp() FROM turn
        WHERE c.id = turn.connection_id AND CAST(:every_s AS float8) > 0 AND {_MAY_READ_BACK} RETURNING c.id
    )
    UPDATE delivery d SET lease_token = gen_random_uuid(), owner_id = CAST(:owner AS uuid),
        lease_until = clock_timestamp() + CAST(:lease_s AS float8) * interval '1 second'
    FROM (
        SELECT e.id FROM delivery e JOIN turn ON e.connection_id = turn.connection_id
        WHERE e.state IN ('exported', 'booked') AND {FREE.format("e")}
            AND (CAST(:every_s AS float8) = 0 OR EXISTS (SELECT FROM paced))
            AND (e.due_at <= clock_timestamp() OR e.not_found = 0
                AND e.due_at < clock_timestamp() + CAST(:every_s AS float8) * interval '1 second')
        ORDER BY e.due_at LIMIT :batch FOR UPDATE OF e SKIP LOCKED
    ) picked
    WHERE d.id = picked.id
    RETURNING {COLUMNS}, {FIRST_SENT_AT}
""")


async def claim(kit: Kit, connections: int) -> list[Batch]:
    """Take due deliveries of up to ``connections`` connections whose vendor is not away."""
    return await _claim(kit, connections, kit.settings.claim_batch, (DeliveryState.READY, DeliveryState.UNKNOWN))


async def claim_probe(kit: Kit, connection_id: UUID, state: DeliveryState) -> DeliveryRow | None:
    """Take one due delivery in ``state`` of a connection whose vendor is away."""
    batches = await _claim(kit, 1, 1, (state,), probed=connection_id)
    return batches[0].rows[0] if batches else None


async def _claim(
    kit: Kit, connections: int, batch: int, states: Sequence[DeliveryState], *, probed: UUID | None = None
) -> list[Batch]:
    async with kit.database.transaction() as tx:
        rows = await _CLAIM.all(
            tx,
            {
                "connections": connections,
                "key_ids": kit.keys.key_ids,
                "serving": list(kit.serving),
                "probed": probed,
                "owner": kit.owner.id,
                "batch": batch,
                "states": [state.value for state in states],
                "settle_s": kit.settings.settle_s,
                "unset_settle_s": max((target.settle_s for target in kit.profile.targets.values()), default=0.0),
                "lease_s": kit.settings.lease_for(kit.profile),
            },
        )
    return _batches([row_of(row) for row in rows])


async def claim_read_back(kit: Kit, *, probed: UUID | None = None) -> Batch | None:
    """Take deliveries of one connection that are due to be read back: exported ones, and booked ones that were changed since.

    ``probed`` is a connection whose vendor is away; the others are those whose vendor is not.
    """
    pace = kit.profile.read_back
    async with kit.database.transaction() as tx:
        rows = await _CLAIM_READ_BACK.all(
            tx,
            {
                "key_ids": kit.keys.key_ids,
                "serving": list(kit.serving),
                "probed": probed,
                "owner": kit.owner.id,
                "every_s": pace.at_most_every_s,
                "batch": pace.batch,
                "patience_s": pace.patience_s,
                "lease_s": kit.settings.lease_for(kit.profile),
            },
        )
    batches = _batches([row_of(row) for row in rows])
    return batches[0] if batches else None


def _batches(rows: list[DeliveryRow]) -> list[Batch]:
    in_order = sorted(rows, key=lambda row: (row.connection_id, row.id))
    return [Batch(key, tuple(group)) for key, group in groupby(in_order, key=lambda row: row.connection_id)]

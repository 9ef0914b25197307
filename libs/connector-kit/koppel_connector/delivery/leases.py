"""Keeping what was claimed: a lease is renewed by whoever still has it, and by nobody else (messaging §3.8).

A worker renews between two deliveries and, for the one in hand, between two calls: slow work that goes on keeps its claim, and
work that stands still loses it.
"""

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from koppel_connector.kit import Kit
from koppel_mesh.prepared_sql import Statement

from .store import DeliveryRow

# Locked in the order in which others lock several: no two wait for each other.
_RENEW = Statement("""
    WITH held AS (
        SELECT d.id FROM delivery d JOIN unnest(CAST(:ids AS uuid[]), CAST(:lease_tokens AS uuid[])) AS given (id, lease_token)
            ON d.id = given.id AND d.lease_token = given.lease_token
        WHERE d.lease_until > clock_timestamp() ORDER BY d.id FOR UPDATE OF d
    )
    UPDATE delivery d SET lease_until = clock_timestamp() + CAST(:lease_s AS float8) * interval '1 second'
    FROM held WHERE d.id = held.id
    RETURNING d.id, d.lease_until, clock_timestamp() AS read_at
""")


def is_to_renew(kit: Kit, row: DeliveryRow) -> bool:
    """Whether so little of the lease is left that a call might outlast it."""
    return row.lease_left_s() < kit.settings.lease_for(kit.profile) / 2


async def renew(kit: Kit, rows: Sequence[DeliveryRow]) -> list[DeliveryRow]:
    """Return those rows that are still ours, with a lease from now on: those that wait their turn are held as well."""
    # Taken before the rows are written: we must not think that they are ours for longer than the others do.
    started = monotonic()
    held = {"ids": [row.id for row in rows], "lease_tokens": [row.lease_token for row in rows]}
    async with kit.database.transaction() as tx:
        found = await _RENEW.all(tx, held | {"lease_s": kit.settings.lease_for(kit.profile)})
    renewed = {each.id: each for each in found}
    return [
        replace(row, lease_until=now_held.lease_until, read_at=now_held.read_at, monotonic=started)
        for row in rows
        if (now_held := renewed.get(row.id))
    ]

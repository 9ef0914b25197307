"""One process runs an import at a time: its claim ends with the import, or with the process (``delivery.owner``).

What becomes of an import is written only while the claim holds: whoever was declared dead meanwhile writes nothing over what
another process has brought since.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.kit import Kit
from koppel_mesh.prepared_sql import Statement

from .secret_keys import KEYS_HELD

PAUSE_S = 15.0
PAUSE_MAX_S = 3_600.0
"""So long an import that fails again and again waits at most: each costs calls of the vendor's day."""


@dataclass(frozen=True)
class ImportClaim:
    """An import that is ours to run."""

    connection_id: UUID
    due_at: datetime
    owner_id: UUID


# What we hold ourselves and do not run is free: its end could not be written.
_CLAIM = Statement(f"""
    UPDATE connection SET import_owner_id = CAST(:owner AS uuid) WHERE id = (
        SELECT c.id FROM connection c
        WHERE EXISTS (SELECT FROM owner WHERE id = CAST(:owner AS uuid))
            AND {KEYS_HELD} AND c.import_due_at <= clock_timestamp() AND c.state IN ('connected', 'degraded')
            AND c.not_before <= clock_timestamp() AND NOT c.id = ANY(CAST(:busy AS uuid[]))
            AND (c.away_since IS NULL AND CAST(:probed AS uuid) IS NULL OR c.id = CAST(:probed AS uuid))
            AND (c.import_owner_id IS NULL OR c.import_owner_id = CAST(:owner AS uuid)
                OR NOT EXISTS (SELECT FROM owner WHERE owner.id = c.import_owner_id))
        ORDER BY c.import_due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING id, import_due_at
""")
# What was wanted anew while an import ran, because the settings changed, is still wanted when it ends, however it ends.
_SERVED = "CASE WHEN import_due_at = CAST(:due_at AS timestamptz) THEN NULL ELSE import_due_at END"
_OURS = "import_owner_id = NULL WHERE id = :id AND import_owner_id = CAST(:owner AS uuid) RETURNING import_failures"
_DONE = Statement(f"""
    UPDATE connection SET import_due_at = {_SERVED}, imported_at = clock_timestamp(), masters_version = masters_version + 1,
        import_failures = 0, unblocked_at = clock_timestamp(), {_OURS}
""")
_REFUSED = Statement(f"""
    UPDATE connection SET import_due_at = {_SERVED}, import_failures = import_failures + 1, {_OURS}
""")
# Changed settings are a new version, for which the import may be wanted again already.
_WITHOUT_SETTINGS = Statement(f"""
    UPDATE connection SET import_due_at = CASE WHEN version = :version THEN NULL ELSE import_due_at END, {_OURS}
""")
_PUT_OFF = "CASE WHEN import_due_at = CAST(:due_at AS timestamptz) THEN {0} ELSE import_due_at END"
_UNTIL = "greatest(clock_timestamp() + CAST(:pause_s AS float8) * interval '1 second', CAST(:until AS timestamptz))"
_GROWING = """clock_timestamp() + interval '1 second'
        * least(CAST(:pause_s AS float8) * power(2, least(import_failures, 30)), CAST(:pause_max_s AS float8))"""
_LATER = Statement(f"UPDATE connection SET import_due_at = {_PUT_OFF.format(_UNTIL)}, {_OURS}")
_FAILED = Statement(f"""
    UPDATE connection SET import_failures = import_failures + 1, import_due_at = {_PUT_OFF.format(_GROWING)}, {_OURS}
""")


async def claim_import(kit: Kit, *, probed: UUID | None = None) -> ImportClaim | None:
    """Take the import that has been due longest; ``probed`` names a connection whose vendor is away, and then only its own.

    It is in ``kit.importing`` from then on, until whoever runs it takes it out.
    """
    owner_id, busy = kit.owner.id, list(kit.importing)
    asked = {"owner": owner_id, "busy": busy, "key_ids": list(kit.keys.key_ids), "probed": probed}
    async with kit.database.transaction() as tx:
        found = await _CLAIM.one_or_none(tx, asked)
    if found is None or found.id in kit.importing:  # of two that asked at once
        return None
    kit.importing.add(found.id)
    return ImportClaim(found.id, found.import_due_at, owner_id)


async def done(tx: AsyncConnection, claim: ImportClaim) -> bool:
    """Note that everything was imported; False where the claim is not ours any more."""
    return await _DONE.one_or_none(tx, _of(claim)) is not None


async def refused(tx: AsyncConnection, claim: ImportClaim) -> bool:
    """Give up an import that the vendor refuses, until a person has solved it; False where the claim is not ours any more."""
    return await _REFUSED.one_or_none(tx, _of(claim)) is not None


async def without_settings(tx: AsyncConnection, claim: ImportClaim, version: int) -> None:
    """Give up an import whose settings are missing in this version of the connection."""
    await _WITHOUT_SETTINGS.run(tx, {**_of(claim), "version": version})


async def later(tx: AsyncConnection, claim: ImportClaim, until: datetime | None) -> None:
    """Have it tried again in a while, or after ``until``: it did not fail."""
    await _LATER.run(tx, {**_of(claim), "pause_s": PAUSE_S, "until": until})


async def failed(tx: AsyncConnection, claim: ImportClaim) -> int:
    """Have it tried again after a pause that grows with each failure; return how many there were, 0 where it is not ours."""
    row = await _FAILED.one_or_none(tx, {**_of(claim), "pause_s": PAUSE_S, "pause_max_s": PAUSE_MAX_S})
    return 0 if row is None else int(row.import_failures)


def _of(claim: ImportClaim) -> dict[str, UUID | datetime]:
    return {"id": claim.connection_id, "owner": claim.owner_id, "due_at": claim.due_at}

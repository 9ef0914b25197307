"""Which accounts form one sequence: each by itself, until statements of two come in one file (decision 13)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Statement

_TOGETHER = Statement("""
    SELECT array_agg(DISTINCT a.sequence_key) AS together
    FROM account a JOIN statement s ON s.account_id = a.id
    WHERE a.dossier_id = :dossier AND a.owned_by IS NOT NULL AND s.released_at IS NULL
    GROUP BY s.document_id HAVING count(DISTINCT a.sequence_key) > 1
""")
_OLDEST = Statement("""
    SELECT sequence_key FROM account WHERE dossier_id = :dossier AND sequence_key = ANY(CAST(:keys AS text[])) ORDER BY id LIMIT 1
""")
_JOIN = Statement("""
    UPDATE account SET sequence_key = :kept, joined_from = array_remove(ARRAY(
        SELECT DISTINCT unnest(CAST(:keys AS text[]) || joined.keys) FROM (
            SELECT coalesce(array_agg(k), '{}') AS keys FROM account other, unnest(other.joined_from) AS k
            WHERE other.dossier_id = :dossier AND other.sequence_key = ANY(CAST(:keys AS text[]))) joined), :kept)
    WHERE dossier_id = :dossier AND sequence_key = ANY(CAST(:keys AS text[]))
""")


async def join(tx: AsyncConnection, dossier_id: UUID) -> None:
    """Let the accounts whose statements share a file form one sequence, under the key of the oldest."""
    shared = [frozenset(row.together) for row in await _TOGETHER.all(tx, {"dossier": dossier_id})]
    for keys in _united(shared):
        known = {"dossier": dossier_id, "keys": sorted(keys)}
        kept = (await _OLDEST.one(tx, known)).sequence_key
        await _JOIN.run(tx, {**known, "kept": kept})


def _united(groups: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """Return the groups, those that have a key in common as one."""
    united: list[frozenset[str]] = []
    for group in groups:
        apart = [other for other in united if not other & group]
        united = [*apart, group.union(*(other for other in united if other & group))]
    return united

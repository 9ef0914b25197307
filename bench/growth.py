"""Cost growth: what one more document costs beside 200,000 stored ones, over what it costs beside 1,000."""

import time

from .fanout import book
from .place import Place, dossiers

FEW = 1_000
MANY = 200_000
SAMPLE = 60
_TABLES = {
    "dossier_api.document": {"id": "ids.document_id", "sha256": "md5(ids.document_id::text)"},
    "dossier_api.delivery": {"id": "ids.delivery_id", "document_id": "ids.document_id"},
    "export_scheduler.document": {"document_id": "ids.document_id"},
    "export_scheduler.delivery": {"delivery_id": "ids.delivery_id", "document_id": "ids.document_id"},
    "connector_exact.delivery": {"id": "ids.delivery_id", "document_id": "ids.document_id"},
}
"""The tables that grow by a row with every document, and the columns in which each copy differs. The sync log grows by
five rows a document, but is only ever read for one document at a time."""


async def measure(at: Place) -> tuple[float, float, float]:
    """Return the ratio and both costs in seconds a document."""
    homes = dossiers(at, 2)
    await book(at, homes, 20, "W")
    await _store(at, FEW)
    few_s = await _cost(at, homes, "A")
    await _store(at, MANY)
    many_s = await _cost(at, homes, "B")
    return many_s / few_s, few_s, many_s


async def _cost(at: Place, homes: list[str], prefix: str) -> float:
    started = time.monotonic()
    await book(at, homes, SAMPLE, prefix)
    return (time.monotonic() - started) / SAMPLE


async def _store(at: Place, count: int) -> None:
    """Fill the tables with copies of a booked document, each under ids of its own, the same in every service."""
    connection = await at.connect()
    try:
        await connection.execute("DROP TABLE IF EXISTS bench_ids")
        await connection.execute(
            "CREATE TABLE bench_ids AS SELECT gen_random_uuid() AS document_id, gen_random_uuid() AS delivery_id"
            f" FROM generate_series(1, {count})"
        )
        for table, changes in _TABLES.items():
            changed = ", ".join(f"'{column}', {value}" for column, value in changes.items())
            await connection.execute(
                f"INSERT INTO {table} SELECT (jsonb_populate_record(pattern, jsonb_build_object({changed}))).*"
                f" FROM (SELECT pattern FROM {table} AS pattern LIMIT 1) AS one, bench_ids AS ids",
                timeout=300,
            )
        await connection.execute("VACUUM ANALYZE", timeout=300)
    finally:
        await connection.close()

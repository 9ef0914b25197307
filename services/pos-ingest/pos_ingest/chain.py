"""Reading the chain of a book, as callers and the verifier see it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Record, Statement

from .entries import as_text, content_of, totals_of

_READ = Statement("""
    SELECT e.*, s.key_id, s.signature FROM entry e LEFT JOIN seal s ON s.book_id = e.book_id AND s.seq = e.seq
    WHERE e.book_id = :book_id AND e.seq > :after ORDER BY e.seq LIMIT :limit
""")


async def read(connection: AsyncConnection, book_id: UUID, *, after: int, limit: int) -> list[Record]:
    """Return entries with their seals, in order, after a place in the chain."""
    return await _READ.all(connection, {"book_id": book_id, "after": after, "limit": limit})


def as_item(row: Record) -> Mapping[str, Any]:
    """Return an entry as it is shown; a row that was not read with its seal has none."""
    signature = row.get("signature")
    return {
        "id": str(row.id),
        "seq": row.seq,
        "at": as_text(row.entered_at),
        "date": row.entry_on.isoformat(),
        "content": content_of(row),
        "running_totals": totals_of(row),
        "previous_hash": row.previous_hash,
        "hash": row.hash,
        "seal": {"key_id": str(row.key_id), "signature": signature} if signature else None,
    }

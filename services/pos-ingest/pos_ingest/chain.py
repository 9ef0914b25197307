"""Reading the chain of a book, as callers and the verifier see it."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_receipts import exporting

from .entries import as_text, content_of, totals_of
from .seals import public_keys, sealing_key

EXPORT_ROWS = 500

_LAST_SEQ = Statement("SELECT coalesce(max(seq), 0) AS seq FROM entry WHERE book_id = :book_id")
_READ = Statement("""
    SELECT e.*, s.key_id, s.signature FROM entry e LEFT JOIN seal s ON s.book_id = e.book_id AND s.seq = e.seq
    WHERE e.book_id = :book_id AND e.seq > :after ORDER BY e.seq LIMIT :limit
""")


async def read(connection: AsyncConnection, book_id: UUID, *, after: int, limit: int) -> list[Record]:
    """Return entries with their seals, in order, after a place in the chain."""
    return await _READ.all(connection, {"book_id": book_id, "after": after, "limit": limit})


async def export(context: Context, book: Record) -> AsyncIterator[bytes]:
    """Yield the lines of an export of a book as it stands now (``koppel_receipts.exporting``).

    Read page by page, so that a book of ten years takes no more memory than one of a day.
    """
    async with context.database.reading() as reading:
        # The key comes first: one that takes over in between is no part of what was signed, and the keys hold both.
        key_id, private = await sealing_key(reading, context.resources)
        keys = await public_keys(reading)
        through = (await _LAST_SEQ.one(reading, {"book_id": book.id})).seq
    known = {name: str(book[name]) for name in ("id", "dossier_id", "key", "name", "place_of_business") if book[name]}
    head = exporting.head(known, keys)
    yield head
    count, after, last_hash = 0, 0, None
    while after < through:
        async with context.database.reading() as reading:
            rows = await read(reading, book.id, after=after, limit=min(EXPORT_ROWS, through - after))
        yield b"".join(exporting.entry_line(_exported(row)) for row in rows)
        count, after, last_hash = count + len(rows), rows[-1].seq, rows[-1].hash
    yield exporting.end(head, count, last_hash, key_id, private)


def _exported(row: Record) -> Mapping[str, Any]:
    return {name: value for name, value in as_item(row).items() if name != "id"}


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

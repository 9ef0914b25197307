"""Bytes that no document names any more are erased; the same bytes of another document, or of another firm, stay.

Bytes are written before the row that names them, so that no row names them is not enough. Whoever hands bytes in renews a mark
on them first, in a transaction of its own, and then writes. The eraser takes a mark that is older than any request lasts, notes
that it tries, and then holds the row while it erases: who would renew the mark waits, and writes when it has finished.

A store may carry out a call long after nobody waits for it any more. Where an attempt did not end well, whoever hands these
bytes in is told to try again, until no call of that attempt can be on its way.
"""

from collections.abc import Iterable

import structlog

from koppel_mesh.database import Database
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from .blobs import BlobStore, StoreAway

AFTER_S = 3600
"""A mark this old was made after every request that could not see it had ended."""
LATE_S = 600
"""A store carries out a call to erase no later than this after it was made."""
_MARKED = Statement(
    "SELECT EXISTS (SELECT FROM content_to_erase WHERE sha256 = ANY(CAST(:hashes AS bytea[]))) AS found"
)
_LOCK = Statement("""
    SELECT coalesce(tried_at > clock_timestamp() - CAST(:late_s AS integer) * interval '1 second', false) AS is_tried
    FROM content_to_erase WHERE sha256 = ANY(CAST(:hashes AS bytea[])) ORDER BY sha256 FOR UPDATE
""")
_RENEW = Statement("""
    UPDATE content_to_erase SET marked_at = clock_timestamp() WHERE sha256 = ANY(CAST(:hashes AS bytea[]))
""")
_NEXT = Statement("""
    SELECT encode(sha256, 'hex') AS sha256 FROM content_to_erase
    WHERE marked_at < clock_timestamp() - CAST(:after_s AS integer) * interval '1 second'
    ORDER BY marked_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_TRY = Statement("""
    UPDATE content_to_erase SET marked_at = clock_timestamp(), tried_at = clock_timestamp()
    WHERE sha256 = decode(:sha256, 'hex')
    RETURNING encode(sha256, 'hex') AS sha256, marked_at, tried_at
""")
_HOLD = Statement("""
    SELECT FROM content_to_erase
    WHERE sha256 = decode(:sha256, 'hex') AND marked_at = :marked_at AND tried_at = :tried_at FOR UPDATE
""")
_IS_NAMED = Statement("SELECT EXISTS (SELECT FROM content_named WHERE sha256 = decode(:sha256, 'hex')) AS found")
_UNMARK = Statement("DELETE FROM content_to_erase WHERE sha256 = decode(:sha256, 'hex')")
BATCH = 1000
_TO_READ = Statement("SELECT after FROM content_to_read FOR UPDATE")
# A document that is locked can neither be deleted nor changed before what it names is committed.
_READ = Statement("""
    WITH batch AS MATERIALIZED (
        SELECT id, content FROM document WHERE id > :after ORDER BY id LIMIT :batch FOR SHARE
    ), named AS (
        INSERT INTO content_named (sha256, document_id)
        SELECT DISTINCT decode(file ->> 'sha256', 'hex'), id FROM batch, jsonb_array_elements(content) AS file
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM batch ORDER BY id DESC LIMIT 1
""")
_READ_UP_TO = Statement("UPDATE content_to_read SET after = :after")
_ALL_READ = Statement("DELETE FROM content_to_read")
log = structlog.get_logger(__name__)


async def keep(database: Database, hashes: Iterable[str]) -> None:
    """See to it that these bytes are not erased before a row can name them; before they are written.

    Raises:
        StoreAway: the store may yet carry out that some of them are to be erased.
    """
    wanted = {"hashes": [bytes.fromhex(each) for each in hashes]}
    async with database.reading() as reading:
        if not (await _MARKED.one(reading, wanted)).found:
            return
    async with database.transaction() as tx:
        if any(mark.is_tried for mark in await _LOCK.all(tx, {**wanted, "late_s": LATE_S})):
            raise StoreAway("these bytes may yet be erased")
        await _RENEW.run(tx, wanted)


async def erase_next(context: Context) -> bool:
    """Erase some bytes that are marked and that no document names; True while there may be more.

    Their mark ages anew from each attempt: bytes that cannot be erased hold up no others.
    """
    if await _read_earlier(context.database):
        return True
    store: BlobStore = context.resources
    async with context.database.transaction() as tx:
        marked = await _NEXT.one_or_none(tx, {"after_s": AFTER_S})
        if marked is None:
            return False
        if (await _IS_NAMED.one(tx, {"sha256": marked.sha256})).found:
            await _UNMARK.run(tx, {"sha256": marked.sha256})
            return True
        # Kept before the call is made: this process, or its database, may not outlast the call.
        attempt = await _TRY.one(tx, {"sha256": marked.sha256})
    try:
        await _erase(context.database, store, attempt)
    except StoreAway as error:
        log.warning("bytes could not be erased", sha256=attempt.sha256, error=str(error))
        return False
    return True


async def _read_earlier(database: Database) -> bool:
    """Note what one batch of the documents of an earlier version names; False once that is known of all of them."""
    async with database.transaction() as tx:
        unread = await _TO_READ.one_or_none(tx)
        if unread is None:
            return False
        last = await _READ.one_or_none(tx, {"after": unread.after, "batch": BATCH})
        if last is None:
            await _ALL_READ.run(tx)
            return False
        await _READ_UP_TO.run(tx, {"after": last.id})
    return True


async def _erase(database: Database, store: BlobStore, attempt: Record) -> None:
    async with database.transaction() as tx:
        if await _HOLD.one_or_none(tx, dict(attempt)) is None:
            return
        await store.erase(attempt.sha256)
        log.info("bytes erased", sha256=attempt.sha256)
        await _UNMARK.run(tx, {"sha256": attempt.sha256})

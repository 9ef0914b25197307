"""What happens by itself: days without entries are entered as closed at 23:30 in Brussels, books sealed, seal keys replaced."""

from datetime import timedelta

from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .entries import Chain
from .rules import last_closing
from .seals import prepare_keys

# A book into which days of the past are being entered is left alone until the next evening: its last entry is recent.
_DUE = Statement("""
    SELECT b.id FROM receipt_book b JOIN LATERAL (
        SELECT entry_on, entered_at, seq FROM entry WHERE book_id = b.id ORDER BY seq DESC LIMIT 1) last ON true
    WHERE last.entered_at < :closing AND (
        last.entry_on < least(:until, coalesce(b.ends_on, :until))
        OR NOT EXISTS (SELECT FROM seal WHERE book_id = b.id AND seq = last.seq))
    LIMIT 1 FOR NO KEY UPDATE OF b SKIP LOCKED
""")


async def close_days(context: Context) -> bool:
    """Enter the closed days of one book and seal it; True while there may be more."""
    closing = last_closing(context.now())
    async with context.database.transaction() as tx:
        due = await _DUE.one_or_none(tx, {"closing": closing, "until": closing.date()})
        if due is None:
            return False
        chain = await Chain.locked(context, tx, due.id)
        until = min(closing.date(), chain.book.ends_on or closing.date())
        last_on = chain.book.last_on
        assert last_on is not None
        await chain.close_days(min(until, last_on + timedelta(days=400)))
        await chain.seal_last()
    return True


async def replace_keys(context: Context) -> None:
    """Make the next seal key when it is time."""
    async with context.database.transaction() as tx:
        await prepare_keys(tx, context.resources, context.settings.receipts_seal_key_days)

"""What happens by itself.

Days without entries are entered as closed at 23:30 in Brussels and books sealed, seal keys are replaced, and entries go whose
retention has ended.
"""

from datetime import date, timedelta
from typing import Final

from koppel_mesh.clock import brussels_date
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .entries import DAYS_AT_ONCE_MAX, Chain
from .failures import is_not_put_off, put_off_on_failure
from .rules import last_closing
from .seals import prepare_keys

CLOSE_DAYS: Final = "close days"

# Tickets of a day are entered after midnight: until then their book's day is not closed.
# A book into which days of the past are being entered is left alone until the next evening: its last entry is recent.
_DUE = Statement(f"""
    SELECT b.id FROM receipt_book b JOIN LATERAL (
        SELECT entry_on, entered_at, seq FROM entry WHERE book_id = b.id ORDER BY seq DESC LIMIT 1) last ON true
    WHERE last.entered_at < :closing
        AND NOT EXISTS (SELECT FROM ticket WHERE book_id = b.id AND is_pending AND sold_on <= :until) AND (
        last.entry_on < least(:until, coalesce(b.ends_on, :until))
        OR NOT EXISTS (SELECT FROM seal WHERE book_id = b.id AND seq = last.seq))
        AND {is_not_put_off(CLOSE_DAYS, "b.id")}
    LIMIT 1
""")
_ENDED = Statement("""
    SELECT b.id FROM receipt_book b JOIN LATERAL (
        SELECT entry_on, entered_at FROM entry WHERE book_id = b.id ORDER BY seq LIMIT 1) first ON true
    WHERE first.entry_on < :ended_on AND first.entered_at < :ended_on
        AND (EXISTS (SELECT FROM entry WHERE book_id = b.id AND entry_on >= :ended_on)
            OR EXISTS (SELECT FROM firm_deletion WHERE firm_id = b.firm_id))
    LIMIT 1 FOR NO KEY UPDATE OF b SKIP LOCKED
""")
_ALLOW = Statement("SELECT set_config('koppel.retention_ended_on', :ended_on, true)")
_FORGET_ENTRIES = Statement("""
    DELETE FROM entry WHERE id IN (
        SELECT id FROM entry WHERE book_id = :book_id AND entry_on < :ended_on AND entered_at < :ended_on
        ORDER BY seq LIMIT 1000)
""")
_FORGET_SEALS = Statement("""
    DELETE FROM seal WHERE book_id = :book_id AND sealed_at < :ended_on
        AND NOT EXISTS (SELECT FROM entry WHERE book_id = :book_id AND entry.seq <= seal.seq)
""")


async def close_days(context: Context) -> bool:
    """Enter the closed days of one book and seal it; True while there may be more."""
    closing = last_closing(context.now())
    async with context.database.reading() as reading:
        due = await _DUE.one_or_none(reading, {"closing": closing, "until": closing.date()})
    if due is None:
        return False
    async with put_off_on_failure(context, CLOSE_DAYS, due.id), context.database.transaction() as tx:
        chain = await Chain.locked(context, tx, due.id)
        until = min(closing.date(), chain.book.ends_on or closing.date())
        last_on = chain.book.last_on
        assert last_on is not None
        await chain.close_days(min(until, last_on + timedelta(days=DAYS_AT_ONCE_MAX)))
        await chain.seal_last()
    return True


async def replace_keys(context: Context) -> None:
    """Make the next seal key when it is time."""
    async with context.database.transaction() as tx:
        await prepare_keys(tx, context.resources, context.settings.receipts_seal_key_days)


async def forget_ended(context: Context) -> bool:
    """Delete entries of one book that are kept for longer than the retention asks; True while there may be more.

    They are deleted from the beginning, and only while later ones remain: what remains is a chain that can be checked. Of a firm
    that left the last ones go as well.
    """
    ended_on = retention_ends_before(brussels_date(context.now()), context.settings.receipts_retention_years)
    values = {"ended_on": ended_on}
    async with context.database.transaction() as tx:
        book = await _ENDED.one_or_none(tx, values)
        if book is None:
            return False
        await _ALLOW.run(tx, {"ended_on": ended_on.isoformat()})
        await _FORGET_ENTRIES.run(tx, {"book_id": book.id, **values})
        await _FORGET_SEALS.run(tx, {"book_id": book.id, **values})
    return True


def retention_ends_before(today: date, years: int) -> date:
    """Return the first day that is still kept: what is of a year counts whole years from the end of that year."""
    return date(today.year - years, 1, 1)

"""Entries of a receipt book: the one way into it, in the transaction of the caller."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.ids import new_id
from koppel_mesh.keyring import KeyRing
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_receipts import GENESIS, Entry, add_totals

from .cash_books.entries import put_receipts
from .json_columns import loaded
from .rules import Book, Broken, broken_by_day, broken_by_lines, broken_by_payments, days_without_entry
from .seals import seal
from .takings import DayTakings, closed_day

DAYS_AT_ONCE_MAX = 400
"""More days than these are no pause but a wrong date."""
NO_ENTRY = "no entry was made"

_BOOK = Statement("""
    SELECT id, ends_on, vat_rates, cash_book_id,
        (SELECT max(ends_on) FROM receipt_period WHERE book_id = receipt_book.id) AS closed_through,
        (SELECT entry_on FROM entry WHERE book_id = receipt_book.id ORDER BY seq LIMIT 1) AS first_on
    FROM receipt_book WHERE id = :id FOR NO KEY UPDATE
""")
_LAST = Statement("SELECT * FROM entry WHERE book_id = :book_id ORDER BY seq DESC LIMIT 1")
_OF_REFERENCE = Statement("SELECT * FROM entry WHERE book_id = :book_id AND external_reference = :reference")
_IS_SEALED = Statement("SELECT seq FROM seal WHERE book_id = :book_id AND seq = :seq")
_ADD = Statement("""
    INSERT INTO entry (id, book_id, seq, entry_on, entered_at, external_reference, sent_hash, content, running_totals,
        previous_hash, hash)
    VALUES (:id, :book_id, :seq, :entry_on, :entered_at, :reference, :sent_hash, CAST(:content AS jsonb),
        CAST(:running_totals AS jsonb), :previous_hash, :hash)
    RETURNING *
""")


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of takings that were handed over."""

    entries: tuple[Record, ...]
    """Rows of ``entry``, the closed days before the day first; the last one holds the takings."""
    is_new: bool
    """False where the same reference came with the same takings before; then ``entries`` is theirs alone."""


async def append(
    context: Context, tx: AsyncConnection, book_id: UUID, on: date, takings: DayTakings, *, by: str
) -> Appended:
    """Enter takings of a day at the end of a book: checked, chained, and the days before it sealed.

    It locks the book until ``tx`` ends. Days between the last entry and this one are entered as closed. What was paid goes
    through the drawer of the linked cash book, in the same transaction.

    Args:
        context: of the service; its clock and its keys are used.
        tx: the caller's transaction.
        book_id: of a book that the caller may see (``receipt_books.book_of``).
        on: the day in Brussels.
        takings: what is entered, known by its ``external_reference``.
        by: who enters it.

    Raises:
        HttpProblem: 404; 409 ``reference_reused`` where the reference came with other takings; 422 with each rule and field.
    """
    chain = await Chain.locked(context, tx, book_id)
    sent_hash = takings.sent_hash(on)
    earlier = await _OF_REFERENCE.one_or_none(tx, {"book_id": book_id, "reference": takings.external_reference})
    if earlier is not None:
        if earlier.sent_hash != sent_hash:
            title = "This external_reference came with other takings before."
            raise HttpProblem(409, "reference_reused", title, f"See entry {earlier.seq} of {earlier.entry_on}.")
        return Appended((earlier,), is_new=False)
    _insist(chain.book, on, takings, context.now())
    closed = await chain.close_days(on - timedelta(days=1))
    content = takings.content(by)
    entry = await chain.add(on, content, takings.external_reference, sent_hash)
    if chain.cash_book_id is not None and content["payments"]:
        await put_receipts(tx, chain.cash_book_id, entry.id, on, content["payments"], by=by)
    return Appended((*closed, entry), is_new=True)


@dataclass(slots=True)
class Chain:
    """The end of a book's chain, held still until the transaction ends."""

    book: Book
    last: Record | None
    cash_book_id: UUID | None
    _book_id: UUID
    _context: Context
    _tx: AsyncConnection

    @classmethod
    async def locked(cls, context: Context, tx: AsyncConnection, book_id: UUID) -> "Chain":
        """Lock a book; 404 when there is none."""
        row = await _BOOK.one_or_none(tx, {"id": book_id})
        if row is None:
            raise not_found("receipt book")
        last = await _LAST.one_or_none(tx, {"book_id": book_id})
        last_on = last.entry_on if last else None
        has_cash_book = row.cash_book_id is not None
        book = Book(row.first_on, last_on, row.ends_on, row.vat_rates, has_cash_book, row.closed_through)
        return cls(book, last, row.cash_book_id, book_id, context, tx)

    async def has(self, reference: str) -> bool:
        """Return whether takings with this ``external_reference`` were entered."""
        asked = {"book_id": self._book_id, "reference": reference}
        return await _OF_REFERENCE.one_or_none(self._tx, asked) is not None

    async def close_days(self, until: date, *, field: str = "date") -> list[Record]:
        """Enter each day after the last entry's, up to and with ``until``, as closed; nobody can take that back.

        Raises:
            HttpProblem: 422 ``too_many_days``, of ``field``, where they are more than a pause.
        """
        if self.last is None:
            return []
        self.insist_on_pause(until, field)
        days = days_without_entry(self.last.entry_on, until)
        return [await self.add(day, closed_day(NO_ENTRY), None, None) for day in days]

    def insist_on_pause(self, until: date, field: str) -> None:
        """Refuse with 422 what is too long after the last entry."""
        if self.last is not None and (broken := _too_many_days(self.last.entry_on, until, field)) is not None:
            errors = [FieldError(field=broken.field, rule=broken.rule, message=broken.message)]
            raise HttpProblem(
                422, broken.rule, "The day is too long after the last entry.", broken.message, errors=errors
            )

    async def add(self, on: date, content: dict[str, Any], reference: str | None, sent_hash: str | None) -> Record:
        """Put an entry at the end; where it begins a day, the one before is sealed."""
        if self.last is not None and self.last.entry_on < on:
            await self.seal_last()
        at = self._context.now()
        if self.last is not None and at < self.last.entered_at:
            at = self.last.entered_at  # the clocks of processes differ; the chain's does not go back
        entry = Entry(
            book_id=str(self._book_id),
            seq=self.last.seq + 1 if self.last else 1,
            at=as_text(at),
            date=on.isoformat(),
            content=content,
            running_totals=add_totals(loaded(self.last.running_totals) if self.last else {}, content),
            previous_hash=self.last.hash if self.last else GENESIS,
        )
        self.last = await _ADD.one(
            self._tx,
            {
                "id": new_id(),
                "book_id": self._book_id,
                "seq": entry.seq,
                "entry_on": on,
                "entered_at": at,
                "reference": reference,
                "sent_hash": sent_hash,
                "content": json.dumps(content, ensure_ascii=False),
                "running_totals": json.dumps(entry.running_totals),
                "previous_hash": entry.previous_hash,
                "hash": entry.hash(),
            },
        )
        return self.last

    async def seal_last(self) -> None:
        """Seal the book as it stands, where it is not sealed yet."""
        assert self.last is not None
        if await _IS_SEALED.one_or_none(self._tx, {"book_id": self._book_id, "seq": self.last.seq}) is None:
            ring: KeyRing = self._context.resources
            await seal(self._tx, ring, self.last)


def as_text(moment: datetime) -> str:
    """Return a moment as it stands in an entry."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def content_of(row: Record) -> Mapping[str, Any]:
    """Return the content of a row of ``entry``: ``lines`` and ``payments`` with amounts as text."""
    content: Mapping[str, Any] = loaded(row.content)
    return content


def totals_of(row: Record) -> dict[str, str]:
    """Return the running totals of a row of ``entry``."""
    return dict(loaded(row.running_totals))


def _insist(book: Book, on: date, takings: DayTakings, now: datetime) -> None:
    broken = list(_broken(book, on, takings, now))
    if broken:
        errors = [FieldError(field=each.field, rule=each.rule, message=each.message) for each in broken[:100]]
        raise HttpProblem(422, broken[0].rule, "The entry breaks a rule of the book.", broken[0].message, errors=errors)


def _broken(book: Book, on: date, takings: DayTakings, now: datetime) -> Iterator[Broken]:
    yield from broken_by_day(book, on, now)
    if book.last_on and (broken := _too_many_days(book.last_on, on, "date")) is not None:
        yield broken
    yield from broken_by_lines(book, on, takings.lines)
    yield from broken_by_payments(book, takings.lines, takings.payments)


def _too_many_days(last_on: date, until: date, field: str) -> Broken | None:
    if (until - last_on).days <= DAYS_AT_ONCE_MAX:
        return None
    return Broken(
        field, "too_many_days", f"That is more than {DAYS_AT_ONCE_MAX} days after the last entry, of {last_on}."
    )

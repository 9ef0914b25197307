"""Buy/sell bookings: composed, sent under a number of ours, found again and read back (octopus §2.7, §3, §6).

Octopus answers a booking with nothing. Its place, bookyear, journal and number, is the only handle, so it is saved before the
bytes leave; our reference stands in ``orderReference``, the document's own number undecorated in ``comment``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from koppel_bookkeeping import Booking, CannotBook, Overrides
from koppel_bookkeeping.accounts import choose_journal
from koppel_bookkeeping.exchange_rates import EURO, choose_exchange_rate
from koppel_bookkeeping.lines import ChosenLine, choose_lines
from koppel_bookkeeping.periods import Period
from koppel_bookkeeping.terms import choose_terms
from koppel_connector import (
    ActionRequired,
    CannotTell,
    DeliveryContext,
    Found,
    NotFound,
    Problem,
    ReadBack,
    Sent,
    Vanished,
    Vendor,
    values,
)
from koppel_connector.contract import EntryChanged, NotBooked
from koppel_connector.ledger import reading_back
from koppel_connector.ledger.document_numbers import DocumentNumbers
from koppel_connector.ledger.documents import File, FileLimits, files_to_attach, read_document
from koppel_connector.ledger.records import Records, insist_on_import
from koppel_connector.ledger.relations import ensure, known
from koppel_mesh.clock import utc_now

from .answers import NumberTaken
from .api import Octopus
from .entries_of_others import FeedBookings
from .journals import calendar, next_number
from .mapping import Posting, differences, due_on, expectation, quoted, relation_of
from .master_data import Journal, LedgerAccount, Relation, VatCode, read_vat_codes
from .profile import handle
from .relations import OctopusRelations
from .rows import JOURNAL_TYPES, Place, Row, id_of_place, is_known, place_of
from .settings import OctopusSettings

# A call stays under 20 MB (octopus §2.7); base64 makes four bytes of three.
FILE_LIMITS = FileLimits(size_bytes_max=10_000_000, total_bytes_max=14_000_000)


@dataclass(frozen=True)
class PreparedBooking:
    """What ``send`` needs: the booking without its number, and the files that go in the same call."""

    posting: Posting
    files: tuple[File, ...]


async def prepare(context: DeliveryContext[OctopusSettings]) -> PreparedBooking:
    """Read the document, choose its journal, period, accounts and VAT codes, find or create its relation."""
    settings, store = context.vendor.settings, context.vendor.master_data
    octopus = Octopus(context.vendor)
    relations = OctopusRelations(octopus)
    insist_on_import(store)
    read = await read_document(context)
    booking = _in_allowed_currency(read.booking, settings)
    overrides = Overrides.of(context.document, context.vendor.connection.id)
    journal = choose_journal(Records(store, Journal).by_code, settings.journals, booking.kind, overrides)
    period = await calendar(octopus, context).insist_on_open(journal.code, booking.issued_on)
    assert period is not None, "the calendar of a vendor whose bookings name their period finds one, or raises"
    if not store.all("bookyear", period.year):
        # It was opened since the import, which is made again for this problem; then the document goes on.
        raise CannotBook("bookyear_not_imported", str(booking.issued_on.year))
    journal = choose_journal(Records(store, Journal, period.year).by_code, settings.journals, booking.kind, overrides)
    # Whatever can be refused without a call is refused before a relation is created at Octopus.
    _lines(booking, context, period, overrides, known(store, booking, relations))
    files = await files_to_attach(context, read, FILE_LIMITS)
    relation = await ensure(context, booking, relations)
    lines = _lines(booking, context, period, overrides, relation)
    has_term = relation.days_until_due is not None and relation.days_until_due > 0
    terms = choose_terms(booking, relation_has_condition=has_term, defaults=settings.default_payment_condition)
    rate = quoted(booking.exchange_rate, settings.exchange_rate_quotation)
    posting = Posting(booking, journal, period, relation.id, due_on(booking, terms, relation), rate, lines)
    return PreparedBooking(posting, files)


async def send(context: DeliveryContext[OctopusSettings], prepared: PreparedBooking) -> Sent:
    """Book under the next number of the journal, which is saved first.

    Raises:
        NumberTaken: somebody booked meanwhile, and it was not us; the kit prepares and sends again, a few times.
    """
    octopus, posting = Octopus(context.vendor), prepared.posting
    bookyear, journal = posting.period.year, posting.journal.code
    numbers = DocumentNumbers(octopus.vendor.memory, bookyear, journal)
    number = await next_number(octopus, numbers, bookyear, journal)
    body = posting.body(number, context.remote_ref)
    await context.save(expected=expectation(body), label=_year_label(posting.period))
    try:
        await octopus.book(body, prepared.files)
    except NumberTaken:
        await numbers.forget()
        # A gateway may have made the same call twice: then the number was taken by this very document.
        row = await octopus.booking_numbered(bookyear, journal, number, context.first_sent_at or utc_now())
        if row is None or not _is_ours(row, context):
            raise
    except ActionRequired as refused:
        await calendar(octopus, context).forget_if_refused(journal, posting.booking.issued_on, refused.problem)
        raise
    except Exception:
        await numbers.forget()
        raise
    await numbers.used(number)
    return Sent(*_handle(context))


async def lookup(context: DeliveryContext[OctopusSettings]) -> Found | NotFound | CannotTell:
    """Search the feed of changes since the booking left: for our reference, else for one like it that is not ours."""
    expected = context.progress.get("expected")
    if expected is None or context.first_sent_at is None:
        # No booking was sent; at most a relation was made, which is found by its external number.
        return NotFound()
    rows = await Octopus(context.vendor).bookings_since(context.first_sent_at)
    found = [row for row in rows if _is_ours(row, context) or _is_alike(row, expected)]
    if ours := [row for row in found if _is_ours(row, context)]:
        place = place_of(ours[0])
        bookyear, journal, number = place if is_known(place) else _place(expected)
        await context.save(expected={**expected, "bookyear": bookyear, "journal": journal, "number": number})
        return Found(*_handle(context), count=len(ours))
    if found:
        places = [id_of_place(place_of(row)) for row in found]
        problem = Problem("entry_already_exists", f"{expected['document']}: {', '.join(places[:5])}")
        return Found(places[0], count=len(places), problem=problem)
    return NotFound()


async def read_back(
    vendor: Vendor[OctopusSettings], contexts: Sequence[DeliveryContext[OctopusSettings]]
) -> Mapping[UUID, ReadBack]:
    """Read what changed since the oldest of them left, in one call, and compare each to the cent."""
    octopus, held = Octopus(vendor), dict[Place, Row]()
    wanted = {_place(context.progress["expected"]) for context in contexts}

    def see(row: Row) -> None:
        if (place := place_of(row)) in wanted:
            held[place] = row

    since = min(context.first_sent_at or utc_now() for context in contexts)
    await FeedBookings(octopus).read(since, see)
    deleted: dict[tuple[int, str], set[Place]] = {}

    async def look(context: DeliveryContext[OctopusSettings]) -> ReadBack:
        expected = context.progress["expected"]
        row = held.get(_place(expected))
        if row is not None and _is_ours(row, context):
            return _compared(context, row)
        books = expected["bookyear"], expected["journal"][:1]
        if books not in deleted:
            deleted[books] = set(await octopus.deleted_since(*books, since))
        gone = _place(expected) in deleted[books] or row is not None
        return Vanished() if gone else NotBooked()

    return await reading_back.one_by_one(contexts, look)


async def deletions(vendor: Vendor[OctopusSettings], since: datetime) -> list[EntryChanged]:
    """Return the bookings of open bookyears that were deleted since a moment."""
    octopus = Octopus(vendor)
    years = [int(record.code) for record in vendor.master_data.all("bookyear") if not record.data["closed"]]
    removed = [
        id_of_place(place)
        for year in years
        for letter in JOURNAL_TYPES
        for place in await octopus.deleted_since(year, letter, since)
    ]
    await FeedBookings(octopus).forget(removed)
    return [EntryChanged(remote_id=each) for each in removed]


def _compared(context: DeliveryContext[OctopusSettings], row: Row) -> ReadBack:
    _, number, url = _handle(context)
    return reading_back.compared(differences(context.progress["expected"], row), number, url)


def _in_allowed_currency(booking: Booking, settings: OctopusSettings) -> Booking:
    """Return the booking with its exchange rate; which way round Octopus reads one is not documented, so a person allows it."""
    if booking.currency != EURO and not settings.allow_foreign_currency:
        raise CannotBook("currency_needs_permission", booking.currency)
    return replace(
        booking, exchange_rate=choose_exchange_rate(booking, settings.exchange_rates, vendor_has_rates=False)
    )


def _lines(
    booking: Booking,
    context: DeliveryContext[OctopusSettings],
    period: Period,
    overrides: Overrides,
    relation: Relation | None,
) -> tuple[ChosenLine[LedgerAccount, VatCode], ...]:
    store, chosen = context.vendor.master_data, context.vendor.settings.vat_codes
    accounts = Records(store, LedgerAccount, period.year)
    code = relation.account_code(booking.side) if relation else ""
    return choose_lines(
        booking,
        context.vendor.settings,
        overrides,
        account=accounts.by_code,
        account_of_relation=accounts.by_code(code) if code else None,
        vat_codes=read_vat_codes(store, chosen, has_vat=True),
        vat_codes_without_vat=read_vat_codes(store, chosen, has_vat=False),
        # Codes of one rate differ by what is bought: goods, services, investments. The account says which it is.
        prefers=lambda account, vat_code: account.vat_code(booking.side) == vat_code.code,
    )


def _is_ours(row: Row, context: DeliveryContext) -> bool:
    """Whether it has our reference; no source shows that feeds tell it, and one that does not goes by place (octopus §2.7)."""
    if reference := values.text(row.get("orderReference")):
        return reference == context.remote_ref
    expected = context.progress["expected"]
    return place_of(row) == _place(expected) and _is_alike(row, expected)


def _is_alike(row: Row, expected: Mapping[str, Any]) -> bool:
    """Whether it is the same document, whoever booked it: same number, side and, where it tells one, relation."""
    same_side = place_of(row)[1][:1] == str(expected["journal"])[:1]
    is_numbered_so = values.text(row.get("comment")) == expected["document"]
    relation = relation_of(row)
    return same_side and is_numbered_so and (relation is None or str(relation) == expected["relation_id"])


def _place(expected: Mapping[str, Any]) -> Place:
    return expected["bookyear"], expected["journal"], expected["number"]


def _year_label(period: Period) -> str:
    """Return the year that a period's number begins with: people know a bookyear by it, not by its key."""
    return str(period.number)[:4]


def _handle(context: DeliveryContext[OctopusSettings]) -> tuple[str, str, str]:
    """Return the id, the number that people see and the address of the booking of a delivery."""
    return handle(context.vendor, _place(context.progress["expected"]), context.progress["label"])

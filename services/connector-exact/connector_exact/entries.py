"""Documents as SalesEntries and PurchaseEntries in a journal: composed, sent, found again, read back.

A document becomes an entry (``mapping/``); it is sent as Document, attachments and entry (``attaching``, ``api``). ``lookup`` and
``read_back`` make "booked exactly once" true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from koppel_bookkeeping import Booking, Overrides
from koppel_bookkeeping.accounts import choose_journal, insist_on_currency
from koppel_bookkeeping.exchange_rates import choose_exchange_rate
from koppel_bookkeeping.lines import choose_lines
from koppel_bookkeeping.terms import choose_terms
from koppel_connector import ActionRequired, CannotTell, DeliveryContext, Found, NotFound, Problem, Sent, Vendor, odata
from koppel_connector.contract import MasterDataStore, ReadBack
from koppel_connector.ledger import reading_back
from koppel_connector.ledger.documents import File, files_to_attach, read_document
from koppel_connector.ledger.records import Records, insist_on_import
from koppel_connector.ledger.relations import ensure, known
from koppel_connector.odata import Row

from . import answers, attaching, held_entries, rights
from .answers import AlreadyExists
from .api import DOCUMENT, Exact
from .mapping.entry import FAMILIES, Entry, EntryLine, Family, entry_number_of, line_of, type_left_open
from .master_data import Journal, LedgerAccount, Relation, VatCode
from .periods import calendar
from .relations import ExactRelations
from .settings import ExactSettings


@dataclass(frozen=True)
class PreparedEntry:
    """What ``send`` needs: the entry and the files that go with it."""

    entry: Entry
    files: tuple[File, ...]


async def prepare(context: DeliveryContext[ExactSettings]) -> PreparedEntry:
    """Read the document, find or create its relation, and compose the entry; nothing is booked yet."""
    settings, store = context.vendor.settings, context.vendor.master_data
    exact = Exact(context.vendor)
    relations = ExactRelations(exact, context.vendor)
    insist_on_import(store)
    read = await read_document(context)
    # Without a rate Exact takes its own of the day.
    rate = choose_exchange_rate(read.booking, settings.exchange_rates, vendor_has_rates=True)
    booking = replace(read.booking, exchange_rate=rate)
    overrides = Overrides.of(context.document, context.vendor.connection.id)
    journal = choose_journal(Records(store, Journal).by_code, settings.journals, booking.kind, overrides)
    insist_on_currency(journal, booking.currency)
    # Whatever can be refused without a call is refused before a relation is created at Exact.
    _lines(booking, settings, store, overrides, known(store, booking, relations))
    await calendar(exact, context).insist_on_open(journal.code, booking.issued_on)
    files = await files_to_attach(context, read, attaching.FILE_LIMITS, type_left_open(booking))
    number = entry_number_of(booking.number) if settings.entry_numbers == "document" else None
    relation = await ensure(context, booking, relations)
    lines = _lines(booking, settings, store, overrides, relation)
    terms = choose_terms(
        booking,
        relation_has_condition=bool(relation.payment_condition(booking.side)),
        defaults=settings.default_payment_condition,
    )
    return PreparedEntry(Entry(booking, terms, journal, relation.id, lines, number), files)


async def send(context: DeliveryContext[ExactSettings], prepared: PreparedEntry) -> Sent:
    """Create the Document, its files and the entry, in the order Exact prescribes (§3.9). Finished steps are not repeated."""
    entry, exact = prepared.entry, Exact(context.vendor)
    if entry.number is not None:
        await _check_number_is_free(exact, entry)
    try:
        document_id = await attaching.attach(
            exact, context, DOCUMENT, entry.document(attaching.subject_of(context, entry.title)), prepared.files
        )
        await context.save(**held_entries.search_progress_of(entry, document_id))
        row = await _create_entry(exact, context, entry, document_id)
    except ActionRequired as refused:
        await forget_contradicted(exact, context, entry.journal.code, entry.booking.issued_on, refused.problem)
        raise
    entry_id = str(row["EntryID"])
    return Sent(entry_id, held_entries.number_of(row), held_entries.url_of(context.vendor, entry_id))


async def lookup(context: DeliveryContext[ExactSettings]) -> Found | NotFound | CannotTell:
    """Search the entry by our EntryID, else by YourRef and relation: such an entry was not made by us."""
    exact = Exact(context.vendor)
    if (family := held_entries.family_of(context)) is None:
        # No entry was sent; a Document may have been created.
        return await attaching.recover(exact, context, DOCUMENT)
    rows = await exact.entries_of(family, context.remote_uuid, held_entries.filter_alike(context, family))
    ours = [row for row in rows if held_entries.is_ours(row, context)]
    if ours:
        entry_id, number = odata.same_guid(ours[0]["EntryID"]), held_entries.number_of(ours[0])
        return Found(entry_id, number, held_entries.url_of(context.vendor, entry_id), count=len(ours))
    if rows:
        numbers = ", ".join(held_entries.number_of(row) or "?" for row in rows[:5])
        problem = Problem("entry_already_exists", f"YourRef {context.progress['your_ref']}: entry {numbers}")
        return Found(str(rows[0]["EntryID"]), count=len(rows), problem=problem)
    await rights.insist_on_reading(exact, family.path)
    if context.progress.get("already_exists"):
        return CannotTell("Exact holds the entry and does not show it yet")
    return await attaching.recover(exact, context, DOCUMENT)


async def read_back(
    vendor: Vendor[ExactSettings], contexts: Sequence[DeliveryContext[ExactSettings]]
) -> Mapping[UUID, ReadBack]:
    """Read up to 50 entries with their lines in one call a side, and compare each to the cent."""
    exact = Exact(vendor)
    of_families = {
        family: {held_entries.id_of(each): each for each in contexts if held_entries.family_of(each) is family}
        for family in FAMILIES.values()
    }
    return await reading_back.each_apart(
        _read_back(exact, vendor, family, wanted) for family, wanted in of_families.items() if wanted
    )


async def _read_back(
    exact: Exact, vendor: Vendor[ExactSettings], family: Family, wanted: Mapping[str, DeliveryContext[ExactSettings]]
) -> Mapping[UUID, ReadBack]:
    rows = await exact.entries_by_id(family, list(wanted))
    held = {odata.same_guid(row.get("EntryID")): row for row in rows}
    if len(held) < len(wanted):
        await rights.insist_on_reading(exact, family.path)

    async def compared(entry_id: str, context: DeliveryContext[ExactSettings]) -> Mapping[UUID, ReadBack]:
        # Its lines may be asked for by themselves, and refused.
        return {context.delivery.id: await held_entries.compared(exact, vendor, context, held.get(entry_id))}

    return await reading_back.each_apart(compared(*each) for each in wanted.items())


def _lines(
    booking: Booking, settings: ExactSettings, store: MasterDataStore, overrides: Overrides, relation: Relation | None
) -> tuple[EntryLine, ...]:
    accounts = Records(store, LedgerAccount)
    account_id = relation.account_id(booking.side) if relation else None
    chosen = choose_lines(
        booking,
        settings,
        overrides,
        account=accounts.by_code,
        account_of_relation=accounts.by_id(account_id) if account_id else None,
        vat_codes=Records(store, VatCode).all_by_code(),
        prefers=lambda _, code: means_nothing_else(code),
    )
    return tuple(line_of(booking, line) for line in chosen)


def means_nothing_else(code: VatCode) -> bool:
    """Whether the VATCode is of type N (no VAT): for category ``O`` it is preferred to codes of 0 %."""
    return code.type == "N"


async def _create_entry(exact: Exact, context: DeliveryContext, entry: Entry, document_id: str) -> Row:
    try:
        return await exact.create_entry(entry.family, entry.body(context.remote_uuid, document_id))
    except AlreadyExists:
        # Its EntryID is ours, so the entry is: ``lookup`` finds it as soon as Exact's search shows it.
        await context.save(already_exists=True)
        raise


async def _check_number_is_free(exact: Exact, entry: Entry) -> None:
    """Raise where an entry of that journal has the EntryNumber that we would give: nothing is overwritten."""
    number = entry.number or 0
    if taken := await exact.numbers_in_use(entry.family, entry.journal.code, number):
        held = ", ".join(str(row.get("YourRef") or "?") for row in taken[:3])
        raise answers.refusal("entry_number_taken", f"{number} in journal {entry.journal.code}: {held}")


async def forget_contradicted(
    exact: Exact, context: DeliveryContext, journal: str, day: date, problem: Problem | None
) -> None:
    """Forget what a refusal contradicts, so that a retry asks for it, or creates it, again."""
    await calendar(exact, context).forget_if_refused(journal, day, problem)
    if problem is not None and problem.code == "files_gone":
        await attaching.forget(context)

"""The connector to Exact Online: the vendor as data, and the five steps of the kit's export path.

Read ``prepare`` and ``send`` first: a document becomes an entry (``mapping/``), the entry goes out as Document, files and
journal entry (``attaching``, ``api``). ``lookup`` and ``read_back`` are what makes "booked exactly once" true.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from koppel_bookkeeping import Booking, Overrides, from_entry, from_ubl
from koppel_bookkeeping.accounts import AccountChooser, choose_journal
from koppel_bookkeeping.terms import choose_terms
from koppel_bookkeeping.vat import choose_vat_code
from koppel_connector import values
from koppel_connector.contract.connector import (
    Application,
    Booked,
    CannotTell,
    CheckStep,
    Connector,
    DeliveryContext,
    Differs,
    Found,
    MasterData,
    MasterDataStore,
    NotBooked,
    NotFound,
    Profile,
    ReadBack,
    RemoteDossier,
    Sent,
    Vendor,
    VendorAnswer,
)
from koppel_connector.contract.errors import ActionRequired, ConnectorError
from koppel_connector.contract.problems import Problem
from koppel_connector.ledger.records import Records, insist_on_import
from koppel_connector.ledger.relations import ensure, known

from . import answers, attaching, checks, importing, odata, periods, rights
from .answers import AlreadyExists
from .api import Exact
from .mapping.entry import (
    FAMILIES,
    Entry,
    EntryLine,
    Family,
    check_currency,
    differences,
    entry_number_of,
    expectation,
    line_of,
)
from .master_data import Journal, LedgerAccount, Relation, VatCode
from .odata import Row, guid, text
from .profile import ENTRY_URL, PROFILE
from .relations import ExactRelations
from .settings import ExactServiceSettings, ExactSettings


@dataclass(frozen=True)
class Prepared:
    """What ``send`` needs: the entry and the files that go with it."""

    entry: Entry
    files: tuple[attaching.File, ...]


class ExactConnector(Connector[ExactSettings, Prepared, ExactServiceSettings]):
    """Exact Online, journal entries (the mailbox and ScanService are other destinations)."""

    profile: ClassVar[Profile] = PROFILE
    settings_model: ClassVar[type[BaseModel]] = ExactSettings

    def application(
        self,
        service_settings: ExactServiceSettings,
        settings: ExactSettings,  # noqa: ARG002 - one registration serves every connection
    ) -> Application:
        """Return Exact's address and our registration there; one host serves one country."""
        return Application(
            service_settings.exact_base_url,
            service_settings.exact_client_id,
            service_settings.exact_client_secret,
        )

    def limit_scope(self, settings: ExactSettings) -> str | None:
        """Exact counts per app and division, whoever of its users calls."""
        return str(settings.division) if settings.division else None

    def missing_settings(self, settings: ExactSettings) -> list[str]:
        """Return what must be set before anything can be booked."""
        return settings.missing()

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        """Judge an answer as Exact means it."""
        return answers.failure(answer)

    # ── one document ──

    async def prepare(self, context: DeliveryContext) -> Prepared:
        """Read the document, find or make its relation, and write the entry; nothing is booked yet."""
        settings: ExactSettings = context.vendor.settings
        exact, store = Exact(context.vendor), context.vendor.master_data
        relations = ExactRelations(exact, context.vendor)
        insist_on_import(store)
        ubl = await _content(context, "ubl")
        booking = (
            from_ubl.booking(ubl, context.delivery.kind)
            if ubl
            else from_entry.booking(context.document, context.delivery.kind)
        )
        pdf = await _content(context, "pdf", booking.embedded)
        overrides = Overrides.of(context.document)
        journal = choose_journal(Records(store, Journal).by_code, settings.journals, booking.kind, overrides)
        check_currency(journal, booking.currency)
        # Everything that can be refused without Exact is refused before a relation is made there.
        _lines(booking, settings, store, overrides, known(store, booking, relations))
        await periods.insist_on_open(exact, context, journal.code, booking.issued_on)
        files = attaching.files_of(booking.number, ubl, pdf)
        number = entry_number_of(booking.number) if settings.entry_numbers == "document" else None
        relation = await ensure(context, booking, relations)
        lines = _lines(booking, settings, store, overrides, relation)
        terms = choose_terms(
            booking,
            relation_has_condition=bool(relation.payment_condition(booking.side)),
            defaults=settings.default_payment_condition,
        )
        return Prepared(Entry(booking, terms, journal, relation.id, lines, number), files)

    async def send(self, context: DeliveryContext, prepared: Prepared) -> Sent:
        """Document, files, entry: the vendor's own order (§3.9). Finished steps are not repeated."""
        entry, exact = prepared.entry, Exact(context.vendor)
        if entry.number is not None:
            await _check_number_is_free(exact, entry)
        try:
            document_id = await attaching.attach(exact, context, entry, prepared.files)
            await context.save(**_found_by(entry), expected=expectation(entry, document_id), already_exists=False)
            row = await _create_entry(exact, context, entry, document_id)
        except ActionRequired as refused:
            await _forget_what_was_refuted(context, entry, refused.problem)
            raise
        entry_id = str(row["EntryID"])
        return Sent(entry_id, _entry_number(row), entry_url(context.vendor, entry_id))

    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        """Search the entry by our id; failing that by YourRef and relation, where only somebody else's can stand."""
        exact = Exact(context.vendor)
        if (family := _family(context)) is None:
            # The entry never was on its way: only a Document may have been made.
            return await attaching.recover(exact, context)
        your_reference = context.progress.get("your_ref")
        same = _alike(family, your_reference, context.progress["relation_id"]) if your_reference else None
        rows = await exact.entries_of(family, context.remote_uuid, same)
        ours = [row for row in rows if _is_ours(row, context)]
        if ours:
            entry_id = str(ours[0]["EntryID"])
            return Found(entry_id, _entry_number(ours[0]), entry_url(context.vendor, entry_id), count=len(ours))
        if rows:
            numbers = ", ".join(_entry_number(row) or "?" for row in rows[:5])
            problem = Problem("entry_already_exists", f"YourRef {your_reference}: entry {numbers}")
            return Found(str(rows[0]["EntryID"]), count=len(rows), problem=problem)
        await rights.insist_on_reading(exact, family.path)
        if context.progress.get("already_exists"):
            return CannotTell("Exact holds the entry and does not show it yet")
        return await attaching.recover(exact, context)

    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        """Read up to 50 entries with their lines in one call a side, and compare each to the cent."""
        exact, told = Exact(vendor), {}
        for family in FAMILIES.values():
            asked = {_entry_id(context): context for context in contexts if _family(context) is family}
            if not asked:
                continue
            held = {odata.same_guid(row.get("EntryID")): row for row in await exact.entries_by_id(family, list(asked))}
            if len(held) < len(asked):
                await rights.insist_on_reading(exact, family.path)
            for entry_id, context in asked.items():
                row = held.get(entry_id)
                lines = await _lines_held(exact, family, row) if row else []
                told[context.delivery.id] = _compared(vendor, context, row, lines)
        return told

    # ── the connection ──

    async def ping(self, vendor: Vendor) -> None:
        """Ask who we are: one row, and no right is needed for it."""
        await Exact(vendor).me()

    async def connected_user(self, vendor: Vendor) -> str | None:
        """Return who gave the consent (R086)."""
        me = await Exact(vendor).me()
        return str(me.get("FullName") or me.get("UserName") or "") or None

    async def remote_dossiers(self, vendor: Vendor) -> list[RemoteDossier]:
        """Return the divisions of the login, each with the right that is missing."""
        return await importing.remote_dossiers(vendor)

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        """Return relations, accounts, journals, VAT codes and payment conditions of the division."""
        return await importing.masters(Exact(vendor))

    def check(self, vendor: Vendor) -> AsyncIterator[CheckStep]:
        """Yield the health check, step by step."""
        return checks.steps(vendor)


def entry_url(vendor: Vendor, entry_id: str) -> str:
    """Return the address of an entry's screen."""
    return ENTRY_URL.format(
        base_url=vendor.application.base_url.rstrip("/"), entry_id=entry_id, division=vendor.settings.division
    )


def _lines(
    booking: Booking, settings: ExactSettings, store: MasterDataStore, overrides: Overrides, relation: Relation | None
) -> tuple[EntryLine, ...]:
    side = booking.side
    account_id = relation.account_id(side) if relation else None
    accounts, codes = Records(store, LedgerAccount), Records(store, VatCode).all_by_code()
    chooser = AccountChooser(
        accounts.by_code,
        settings.default_ledger_account,
        side,
        overrides,
        accounts.by_id(account_id) if account_id else None,
        booking.document_reference,
    )
    return tuple(
        line_of(
            booking,
            line,
            chooser.choose(line.line_id, line.reference),
            choose_vat_code(codes, settings.vat_codes, side, line.category, line.rate, prefers=means_nothing_else),
        )
        for line in booking.lines
    )


def means_nothing_else(code: VatCode) -> bool:
    """Whether a code is of the type for what VAT does not concern; taken for ``O`` before those that merely charge none."""
    return code.type == "N"


async def _create_entry(exact: Exact, context: DeliveryContext, entry: Entry, document_id: str) -> Row:
    try:
        return await exact.create_entry(entry.family, entry.body(context.remote_uuid, document_id))
    except AlreadyExists:
        # Under an id of ours it can only be ours: ``lookup`` finds it as soon as Exact's search shows it.
        await context.save(already_exists=True)
        raise


async def _check_number_is_free(exact: Exact, entry: Entry) -> None:
    """Never overwrite: with numbers of our own, Exact must not have one like it in that journal."""
    number = entry.number or 0
    if taken := await exact.numbers_in_use(entry.family, entry.journal.code, number):
        held = ", ".join(str(row.get("YourRef") or "?") for row in taken[:3])
        raise answers.refusal("entry_number_taken", f"{number} in journal {entry.journal.code}: {held}")


async def _forget_what_was_refuted(context: DeliveryContext, entry: Entry, problem: Problem | None) -> None:
    """Have what a refusal gives the lie to asked, or made, anew when somebody tries again."""
    if problem is None:
        return
    if problem.code in periods.TOLD_BY:
        await periods.forget(context.vendor.memory, entry.journal.code, entry.booking.issued_on)
    if problem.code == "files_gone":
        await attaching.forget(context)


async def _lines_held(exact: Exact, family: Family, row: Row) -> Sequence[Row]:
    """Return the lines of an entry that was read back, asked for apart where the answer did not hold them all."""
    lines = odata.expanded(row.get(family.lines))
    return await exact.lines_of(family, str(row["EntryID"])) if lines is None else lines


def _found_by(entry: Entry) -> dict[str, str]:
    """Return by what ``lookup`` finds the entry, or another one like it."""
    return {"side": entry.booking.side, "your_ref": entry.your_ref, "relation_id": entry.relation_id}


def _alike(family: Family, your_reference: str, relation_id: str) -> str:
    return f"YourRef eq {text(your_reference)} and {family.party} eq {guid(relation_id)}"


def _compared(vendor: Vendor, context: DeliveryContext, row: Row | None, lines: Sequence[Row]) -> ReadBack:
    if row is None:
        # Exact's search may lag behind its own 201; a deletion shows as "exported, not booked" when the clock runs out.
        return NotBooked()
    entry_id = str(row["EntryID"])
    number, url = _entry_number(row) or "", entry_url(vendor, entry_id)
    found = differences(context.progress["expected"], row, lines)
    if found:
        return Differs(Problem("totals_differ", "; ".join(found)[:500]), number, url)
    return Booked(number, url)


async def _content(context: DeliveryContext, role: str, at_hand: Sequence[bytes] = ()) -> bytes | None:
    """Return a file of the document; what the document does not list is not asked for."""
    if context.document.file(role) is None:
        return None
    try:
        return await context.content(role, at_hand)
    except KeyError:
        return None


def _family(context: DeliveryContext) -> Family | None:
    side = context.progress.get("side")
    return FAMILIES[side] if side else None


def _entry_id(context: DeliveryContext) -> str:
    return str(context.delivery.remote_id or context.remote_uuid).casefold()


def _is_ours(row: Row, context: DeliveryContext) -> bool:
    """Ours carries our id, or hangs on the Document that carries our reference."""
    document_id = context.progress.get("document_id")
    if odata.same_guid(row.get("EntryID")) == str(context.remote_uuid):
        return True
    return bool(document_id) and odata.same_guid(row.get("Document")) == str(document_id).casefold()


def _entry_number(row: Row) -> str | None:
    number = values.integer(row.get("EntryNumber"))
    return str(number) if number else None

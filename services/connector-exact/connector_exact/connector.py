"""The connector to Exact Online: the five steps of the kit's export path.

Read ``prepare`` and ``send`` first: a document becomes an entry (``mapping/``), it is sent as Document, attachments and
SalesEntry or PurchaseEntry (``attaching``, ``api``). ``lookup`` and ``read_back`` make "booked exactly once" true.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from koppel_bookkeeping import Booking, Overrides
from koppel_bookkeeping.accounts import choose_journal, insist_on_currency
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_bookkeeping.exchange_rates import choose_exchange_rate
from koppel_bookkeeping.lines import choose_lines
from koppel_bookkeeping.terms import choose_terms
from koppel_connector import (
    ActionRequired,
    Application,
    CannotTell,
    CheckStep,
    Connector,
    ConnectorError,
    DeliveryContext,
    Found,
    MasterData,
    NotFound,
    Problem,
    Profile,
    Purpose,
    Sent,
    Vendor,
    VendorAnswer,
)
from koppel_connector.contract import (
    AddressProbe,
    MasterDataStore,
    Notice,
    NoticeEffect,
    ReadBack,
    RemoteCompany,
    RemoteDossier,
    Verified,
)
from koppel_connector.ledger.documents import File, files_to_attach, read_document
from koppel_connector.ledger.periods import REFUSALS
from koppel_connector.ledger.records import Records, insist_on_import
from koppel_connector.ledger.relations import ensure, known

from . import answers, attaching, checks, entries_of_others, held_entries, importing, notices, odata, rights
from .answers import AlreadyExists
from .api import Exact
from .mapping.entry import FAMILIES, Entry, EntryLine, entry_number_of, line_of, type_left_open
from .master_data import Journal, LedgerAccount, Relation, VatCode
from .odata import Row
from .periods import calendar
from .profile import PROFILE
from .relations import ExactRelations
from .settings import ExactServiceSettings, ExactSettings


@dataclass(frozen=True)
class Prepared:
    """What ``send`` needs: the entry and the files that go with it."""

    entry: Entry
    files: tuple[File, ...]


class ExactConnector(Connector[ExactSettings, Prepared, ExactServiceSettings]):
    """Books SalesEntries and PurchaseEntries (the mailbox and ScanService are other destinations)."""

    profile: ClassVar[Profile] = PROFILE
    settings_model: ClassVar[type[BaseModel]] = ExactSettings

    def profile_for(self, service_settings: ExactServiceSettings) -> Profile:
        """Without the secret that signs them, no notifications are asked for."""
        has_secret = bool(service_settings.exact_webhook_secret.get_secret_value())
        return self.profile if has_secret else replace(self.profile, notices=None)

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
        """Exact counts calls per app and division, for all its users together."""
        return str(settings.division) if settings.division else None

    def missing_settings(self, settings: ExactSettings, purpose: Purpose) -> list[str]:
        """Return what must be set: a company to ask anything of it, a journal to book."""
        return settings.missing(purpose)

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        """Classify an answer as Exact means it."""
        return answers.failure(answer)

    # ── one document ──

    async def prepare(self, context: DeliveryContext[ExactSettings]) -> Prepared:
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
        return Prepared(Entry(booking, terms, journal, relation.id, lines, number), files)

    async def send(self, context: DeliveryContext[ExactSettings], prepared: Prepared) -> Sent:
        """Create the Document, its files and the entry, in the order Exact prescribes (§3.9). Finished steps are not repeated."""
        entry, exact = prepared.entry, Exact(context.vendor)
        if entry.number is not None:
            await _check_number_is_free(exact, entry)
        try:
            document_id = await attaching.attach(exact, context, entry, prepared.files)
            await context.save(**held_entries.search_progress_of(entry, document_id))
            row = await _create_entry(exact, context, entry, document_id)
        except ActionRequired as refused:
            await _forget_contradicted(exact, context, entry, refused.problem)
            raise
        entry_id = str(row["EntryID"])
        return Sent(entry_id, held_entries.number_of(row), held_entries.url_of(context.vendor, entry_id))

    async def lookup(self, context: DeliveryContext[ExactSettings]) -> Found | NotFound | CannotTell:
        """Search the entry by our EntryID, else by YourRef and relation: such an entry was not made by us."""
        exact = Exact(context.vendor)
        if (family := held_entries.family_of(context)) is None:
            # No entry was sent; a Document may have been created.
            return await attaching.recover(exact, context)
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
        return await attaching.recover(exact, context)

    async def read_back(
        self, vendor: Vendor[ExactSettings], contexts: Sequence[DeliveryContext[ExactSettings]]
    ) -> Mapping[UUID, ReadBack]:
        """Read up to 50 entries with their lines in one call a side, and compare each to the cent."""
        exact, results = Exact(vendor), dict[UUID, ReadBack]()
        for family in FAMILIES.values():
            wanted = {held_entries.id_of(each): each for each in contexts if held_entries.family_of(each) is family}
            if not wanted:
                continue
            rows = await exact.entries_by_id(family, list(wanted))
            held = {odata.same_guid(row.get("EntryID")): row for row in rows}
            if len(held) < len(wanted):
                await rights.insist_on_reading(exact, family.path)
            for entry_id, context in wanted.items():
                compared = await held_entries.compared(exact, vendor, context, held.get(entry_id))
                results[context.delivery.id] = compared
        return results

    async def search_books(
        self, vendor: Vendor[ExactSettings], documents: Sequence[SoughtDocument]
    ) -> Sequence[EntryInBooks]:
        """Search up to 30 documents in one call a side, by YourRef: Exact takes the same one twice (§5.5)."""
        return await entries_of_others.search(vendor, documents)

    # ── the connection ──

    async def ping(self, vendor: Vendor) -> None:
        """Ask ``current/Me``: one row, for which no right is needed."""
        await Exact(vendor).me()

    async def connected_user(self, vendor: Vendor) -> str | None:
        """Return who gave the consent (R086)."""
        me = await Exact(vendor).me()
        return str(me.get("FullName") or me.get("UserName") or "") or None

    async def remote_dossiers(self, vendor: Vendor) -> list[RemoteDossier]:
        """Return the divisions that the login reaches, each with the right that is missing."""
        return await importing.remote_dossiers(vendor)

    async def remote_company(self, vendor: Vendor) -> RemoteCompany | None:
        """Return the company of the division in the settings."""
        return await importing.remote_company(Exact(vendor))

    async def missing_rights(self, vendor: Vendor) -> list[str]:
        """Return the rights that the user is missing in the division (R085-R087)."""
        return list(map(str, await rights.missing(Exact(vendor), rights.NIGHTLY)))

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        """Return the division's relations, GLAccounts, Journals, VATCodes and PaymentConditions."""
        return await importing.master_data(Exact(vendor))

    async def subscribe(self, vendor: Vendor, address: str) -> None:
        """Have Exact send notifications of entries, relations and GLAccounts."""
        await notices.subscribe(vendor, address)

    def verify(
        self,
        notice: Notice,
        service_settings: ExactServiceSettings,
        settings: ExactSettings | None,  # noqa: ARG002 - one secret serves every division
    ) -> Verified | AddressProbe | None:
        """Return the proof by HashCode."""
        return notices.verify(notice, service_settings.exact_webhook_secret.get_secret_value())

    def receive(self, notice: Notice) -> Sequence[NoticeEffect]:
        """Return what a notification means."""
        return notices.receive(notice)

    def check(self, vendor: Vendor) -> AsyncIterator[CheckStep]:
        """Yield the health check, step by step."""
        return checks.health_check(vendor)


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


async def _forget_contradicted(exact: Exact, context: DeliveryContext, entry: Entry, problem: Problem | None) -> None:
    """Forget what a refusal contradicts, so that a retry asks for it, or creates it, again."""
    if problem is None:
        return
    if problem.code in REFUSALS:
        await calendar(exact, context).forget(entry.journal.code, entry.booking.issued_on)
    if problem.code == "files_gone":
        await attaching.forget(context)

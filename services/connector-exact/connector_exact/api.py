"""Exact Online's REST API, endpoint by endpoint, each with its fixed ``$select`` and an allowed ``$filter``."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from koppel_connector import ActionRequired, Call, Rejected, odata, refused_questions, values
from koppel_connector.ledger import own_ids
from koppel_connector.ledger.documents import CODA, PDF, XML, File
from koppel_connector.odata import Row

from . import our_ids
from .answers import AlreadyExists
from .division import Division
from .mapping.entry import Family

RELATIONS: Final = "crm/Accounts"
SUBSCRIPTIONS: Final = "webhooks/WebhookSubscriptions"

LEDGER_ACCOUNTS: Final = "financial/GLAccounts"
JOURNALS: Final = "financial/Journals"
VAT_CODES: Final = "vat/VATCodes"
PAYMENT_CONDITIONS: Final = "cashflow/PaymentConditions"
DOCUMENT_TYPES: Final = "documents/DocumentTypes"
FIELDS: Final = {
    LEDGER_ACCOUNTS: "ID,Code,Description,Type,IsBlocked",
    JOURNALS: "ID,Code,Description,Type,IsBlocked,Currency,AllowVariableCurrency,AllowVariableExchangeRate"
    ",BankAccountIBAN",
    VAT_CODES: "ID,Code,Description,Percentage,Type,VATTransactionType,Charged,EUSalesListing,IntraStat,IsBlocked",
    PAYMENT_CONDITIONS: "Code,Description",
    DOCUMENT_TYPES: "ID,Description,DocumentIsCreatable",
    SUBSCRIPTIONS: "ID,Topic,CallbackURL,ClientID",
}
MAILBOXES: Final = "mailbox/Mailboxes"
BANK_ENTRIES: Final = "financialtransaction/BankEntries"


@dataclass(frozen=True)
class Carrier:
    """What files are attached to: a Document, or a message of the digital mailbox."""

    path: str
    attachments: str
    parent: str
    """The property of an attachment that holds the id of its carrier."""
    file_name: str
    types: Mapping[str, int]
    """The Type of an attachment by its media type; empty where attachments have none."""


DOCUMENT: Final = Carrier(
    path="documents/Documents",
    attachments="documents/DocumentAttachments",
    parent="Document",
    file_name="FileName",
    types={},
)
MESSAGE: Final = Carrier(
    path="mailbox/MailMessagesSent",
    attachments="mailbox/MailMessageAttachments",
    parent="MailMessageID",
    file_name="AttachmentFileName",
    # PDF, UBL 2.1 and bank import (exact §3.10).
    types={PDF: 10, XML: 130, CODA: 70},
)
_ACCOUNT: Final = (
    "ID,Code,Name,VATNumber,ChamberOfCommerce,Country,Status,IsSupplier,Blocked,GLAccountSales,GLAccountPurchase,Email"
    ",PaymentConditionSales,PaymentConditionPurchase"
)
_ENTRY: Final = (
    "EntryID,EntryNumber,Journal,AmountFC,VATAmountFC,AmountDC,VATAmountDC,Type,Status,YourRef,Document"
    ",EntryDate,Currency"
)
_ENTRY_LINE: Final = "ID,GLAccount,VATCode,AmountFC,VATAmountFC"
_BANK_ENTRY: Final = (
    "EntryID,EntryNumber,JournalCode,FinancialYear,OpeningBalanceFC,ClosingBalanceFC,BankStatementDocument"
)
DIVISIONS: Final = {
    # The second needs no scope, has no number of the chamber of commerce, and counts its Status otherwise (§3.2).
    "system/Divisions": "Code,Hid,Description,CustomerName,Country,Currency,VATNumber,ChamberOfCommerceNumber,Status"
    ",BlockingStatus,Current",
    "hrm/Divisions": "Code,HID,Description,CustomerName,Country,Currency,VATNumber,Status,BlockingStatus",
}


def _fields_of(family: Family, *, lines: bool) -> dict[str, str]:
    """Return the query that names the properties of an entry, with those of its lines if ``lines``."""
    fields = [_ENTRY, family.party, f"{family.party}Name"]
    if not lines:
        return {"$select": ",".join(fields)}
    # The whole property: with some of its fields only, a server that projects by plain names drops the lines.
    return {"$select": ",".join([*fields, family.lines]), "$expand": family.lines}


class Exact(Division):
    """The endpoints that Koppel uses, of one division."""

    # ── who and where ──

    async def me(self) -> Row:
        """Return the user of the consent; not counted by Exact, and the only call without a division."""
        fields = {"$select": "UserID,UserName,FullName,CurrentDivision,LanguageCode"}
        me = Call("current/Me", "GET", "/api/v1/current/Me", params=fields, acts=False, is_counted=False)
        return odata.entity((await self.vendor.call(me)).json())

    async def company(self) -> Row | None:
        """Return this division's own row with its numbers; None where the user may not see it (§3.2)."""
        for resource, fields in DIVISIONS.items():
            try:
                rows = await self.chosen(resource, fields, [f"Code eq {self.division}"])
            except (ActionRequired, Rejected):
                continue
            if found := [row for row in rows if values.integer(row.get("Code")) == self.division]:
                return found[0]
        return None

    async def may(self, endpoint: str, action: str) -> bool:
        """Return whether the user may do ``action`` (an HTTP method) there: this distinguishes "no right" from "no data"."""
        asked = {"endpoint": odata.text(endpoint), "action": odata.text(action)}
        answer = await self.get("users/UserHasRights", asked)
        return values.flag(odata.entity(answer.json()).get("UserHasRights"))

    async def financial_periods(self, year: int | None = None) -> list[Row]:
        """Return the periods that exist, of one financial year or of all."""
        params = {"$select": "FinYear,FinPeriod,StartDate,EndDate"}
        return await self.all_of(
            "financial/FinancialPeriods", params if year is None else params | {"$filter": f"FinYear eq {year}"}
        )

    async def journal_states(self, journal: str, year: int, period: int) -> list[Row]:
        """Return whether a journal is closed (Status 1) in a period; empty where Exact does not say."""
        query = f"Journal eq {odata.text(journal)} and Year eq {year} and Period eq {period}"
        return await self.chosen("read/financial/JournalStatusList", "Journal,Year,Period,Status", [query])

    # ── webhooks ──

    async def subscribe(self, topic: str, address: str) -> None:
        """Have notifications of a topic sent to an address, which Exact tries at once."""
        await self.post(SUBSCRIPTIONS, {"CallbackURL": address, "Topic": topic})

    async def unsubscribe(self, subscription_id: str) -> None:
        """Have no more of them sent."""
        path = self.path_of(f"{SUBSCRIPTIONS}({odata.guid(subscription_id)})")
        await self.vendor.call(Call(SUBSCRIPTIONS, "DELETE", path, acts=True))

    # ── master data ──

    async def relations(self) -> list[Row]:
        """Return every relation."""
        return await self.all_synced("sync/CRM/Accounts", "crm/Accounts", _ACCOUNT)

    async def find_relations(self, terms: Sequence[str]) -> list[Row]:
        """Return the relations that fit any of these filter terms of ``mapping.relation``.

        One refused field ("Filtering on these fields is not supported", §2) hides no match of the others.
        """
        return await self.chosen(RELATIONS, _ACCOUNT, terms)

    async def relation_by_id(self, relation_id: str) -> Row | None:
        """Return one relation; asked as a list, because a 404 is one of the ten errors an hour (§4.3)."""
        return next(iter(await self.with_ids(RELATIONS, "ID", [relation_id], _ACCOUNT)), None)

    async def change_relation(self, relation_id: str, changes: Mapping[str, Any]) -> None:
        """Change only the given fields; Exact answers 500 when Code is among them, even unchanged (§3.4)."""
        if "Code" in changes:
            raise ValueError("a change of a relation must not contain Code")
        path = self.path_of(f"crm/Accounts({odata.guid(relation_id)})")
        await self.vendor.call(Call("crm/Accounts PUT", "PUT", path, json=changes, acts=True, endpoint="crm/Accounts"))

    async def ledger_accounts(self) -> list[Row]:
        """Return the GLAccounts."""
        return await self.all_synced("sync/Financial/GLAccounts", LEDGER_ACCOUNTS, FIELDS[LEDGER_ACCOUNTS])

    async def list_of(self, resource: str) -> list[Row]:
        """Return a whole list; Journals, VATCodes and PaymentConditions have no ``sync/`` resource."""
        return await self.all_of(resource, {"$select": (FIELDS | DIVISIONS)[resource]})

    # ── documents and messages ──

    async def attach(self, carrier: Carrier, carrier_id: str, file: File) -> None:
        """Attach one file, under our id. Exact has no PUT here: an attachment cannot be replaced."""
        encoded = base64.b64encode(file.content).decode()
        body: dict[str, Any] = {carrier.parent: carrier_id, carrier.file_name: file.name, "Attachment": encoded}
        if carrier.types:
            body["Type"] = carrier.types[file.media_type]
        await self.create_once(carrier.attachments, our_ids.attachment_id(carrier_id, file.name), body)

    async def create_once(self, resource: str, ours: str, body: Mapping[str, Any], key: str = "ID") -> str:
        """Create an object under our id, if an earlier call did not yet; return the id that it has."""
        try:
            return str((await self.create_as(resource, ours, body, key))[key])
        except AlreadyExists:
            if not own_ids.are_kept(self.vendor.master_data, resource):
                raise
            return ours

    async def create_as(self, resource: str, ours: str, body: Mapping[str, Any], key: str = "ID") -> Row:
        """Create an object under our id and return it as stored; what the answer leaves out, as it was sent.

        Raises:
            AlreadyExists: another document created it, or a call whose answer got lost.
        """
        created = await self.create(resource, key, {key: ours, **body})
        await own_ids.learn(self.vendor.master_data, resource, ours, created[key])
        return {**body, **created}

    async def about(self, resource: str, marks: Sequence[str], fields: str = "ID,Subject") -> list[Row]:
        """Return the Documents or messages whose Subject contains one of these marks."""
        terms = [f"substringof({odata.text(mark)},Subject) eq true" for mark in marks]
        return await self.chosen(resource, fields, terms)

    async def attachments_of(self, carrier: Carrier, carrier_id: str) -> list[str]:
        """Return the names of the files that are attached."""
        query = f"{carrier.parent} eq {odata.guid(carrier_id)}"
        rows = await self.chosen(carrier.attachments, f"ID,{carrier.file_name}", [query])
        return [str(row.get(carrier.file_name)) for row in rows]

    async def with_ids(self, resource: str, key: str, ids: Sequence[str], fields: str) -> list[Row]:
        """Return the rows of which a property is one of these ids."""
        return await self.chosen(resource, fields, [f"{key} eq {odata.guid(each)}" for each in ids])

    async def list_from(self, function: str, params: Mapping[str, str]) -> list[Row]:
        """Return the rows that a function of ``read/`` answers with."""
        return odata.rows((await self.get(function, params)).json())

    async def transaction_lines(self, entry_ids: Sequence[str]) -> list[Row]:
        """Return a row of each entry, whatever made it: its header row, else any other without that one's amount.

        Only of ``sync/`` it is said that LineNumber 0 is the header (exact §2), whose amount is the whole entry's.
        """
        fields = "EntryID,EntryNumber,LineNumber,AmountFC"
        found: dict[str, Row] = {}
        for row in await self.with_ids("financialtransaction/TransactionLines", "EntryID", entry_ids, fields):
            entry_id = odata.same_guid(row.get("EntryID"))
            if values.integer(row.get("LineNumber")) == 0:
                found[entry_id] = row
            else:
                found.setdefault(entry_id, {**row, "AmountFC": None})
        return list(found.values())

    # ── statements ──

    async def bank_entries(self, terms: Sequence[str]) -> list[Row]:
        """Return the BankEntries that fit any of these filter terms, without their lines."""
        return await self.chosen(BANK_ENTRIES, _BANK_ENTRY, terms)

    async def last_bank_entries(self, journal: str) -> list[Row]:
        """Return the newest BankEntries of a journal: one page, for those of years would be many."""
        newest = {"$filter": f"JournalCode eq {odata.text(journal)}", "$orderby": "FinancialYear desc,EntryNumber desc"}
        return odata.rows((await self.get(BANK_ENTRIES, {"$select": _BANK_ENTRY, **newest})).json())

    # ── entries ──

    async def create_entry(self, family: Family, body: Mapping[str, Any]) -> Row:
        """Create a SalesEntry or PurchaseEntry; return the properties in the answer, EntryID among them."""
        return await self.create(family.path, "EntryID", body)

    async def entries(self, family: Family, query: str, *, lines: bool = False) -> list[Row]:
        """Return the entries that match a ``$filter``, with their lines if ``lines``."""
        return await self.all_of(family.path, {"$filter": query, **_fields_of(family, lines=lines)})

    async def entries_of(self, family: Family, entry_id: UUID, alike: str | None) -> list[Row]:
        """Return the entry with this EntryID and those that the filter ``alike`` finds."""
        terms = [f"EntryID eq {odata.guid(entry_id)}", *([f"({alike})"] if alike else [])]
        found = await self.of_any(family.path, terms, partial(self.entries, family))
        return list({odata.same_guid(row.get("EntryID")): row for row in found}.values())

    async def entries_by_id(self, family: Family, entry_ids: Sequence[UUID | str]) -> list[Row]:
        """Return entries with their lines, up to 50 in one call, to read back a whole batch."""
        terms = [f"EntryID eq {odata.guid(id_)}" for id_ in entry_ids]
        question = odata.shape(f"{family.path} with {family.lines}", *terms)
        ask = partial(self.entries, family, odata.any_of(*terms), lines=True)
        if (found := await refused_questions.ask(self.vendor.memory, question, ask)) is not None:
            return found
        # Where $expand, or "or", is refused, the lines are asked for by themselves (``lines_of``).
        return await self.of_any(family.path, terms, partial(self.entries, family))

    async def entries_with_your_ref(self, family: Family, your_refs: Sequence[Sequence[str]]) -> list[Row]:
        """Return the entries with any of these YourRefs, each given in all its spellings: in as few calls as URLs allow.

        Raises:
            Rejected: more than one is asked for, and the resource joins no terms (§2).
        """
        terms = [f"YourRef eq {odata.text(spelling)}" for one in your_refs for spelling in one]
        if len(your_refs) == 1:
            return await self.of_any(family.path, terms, partial(self.entries, family))
        return [row for part in odata.parts(terms) for row in await self.entries(family, odata.any_of(*part))]

    async def lines_of(self, family: Family, entry_id: str) -> list[Row]:
        """Return the lines of one entry where a list did not contain them all: by key, else by the entry's own link.

        Each with ``$select``, which some resources demand (§2, §3.12).
        """
        path = self.path_of(f"{family.path}({odata.guid(entry_id)})")

        async def by_key() -> list[Row] | None:
            answer = await self.get(family.path, _fields_of(family, lines=True), path)
            return odata.expanded(odata.entity(answer.json()).get(family.lines))

        lines = await refused_questions.ask(self.vendor.memory, f"{family.path} by key with {family.lines}", by_key)
        if lines is None:
            lines = await self.all_of(family.path, {"$select": _ENTRY_LINE}, f"{path}/{family.lines}")
        return lines

    async def numbers_in_use(self, family: Family, journal: str, number: int) -> list[Row]:
        """Return the entries of a journal with this EntryNumber."""
        return await self.entries(family, f"EntryNumber eq {number} and Journal eq {odata.text(journal)}")

"""Exact Online's REST API, endpoint by endpoint, each with its fixed ``$select`` and an allowed ``$filter``."""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from koppel_connector import ActionRequired, Call, Rejected, refused_questions, values

from . import odata, our_ids
from .answers import AlreadyExists
from .division import Division
from .mapping.entry import Family
from .odata import Row

RELATIONS: Final = "crm/Accounts"
DOCUMENTS: Final = "documents/Documents"
ATTACHMENTS: Final = "documents/DocumentAttachments"
SUBSCRIPTIONS: Final = "webhooks/WebhookSubscriptions"

LEDGER_ACCOUNTS: Final = "financial/GLAccounts"
JOURNALS: Final = "financial/Journals"
VAT_CODES: Final = "vat/VATCodes"
PAYMENT_CONDITIONS: Final = "cashflow/PaymentConditions"
FIELDS: Final = {
    LEDGER_ACCOUNTS: "ID,Code,Description,Type,IsBlocked",
    JOURNALS: "ID,Code,Description,Type,IsBlocked,Currency,AllowVariableCurrency,AllowVariableExchangeRate",
    VAT_CODES: "ID,Code,Description,Percentage,Type,VATTransactionType,Charged,EUSalesListing,IntraStat,IsBlocked",
    PAYMENT_CONDITIONS: "ID,Code,Description,PaymentDays",
    SUBSCRIPTIONS: "ID,Topic,CallbackURL,ClientID",
}
_ACCOUNT: Final = (
    "ID,Code,Name,VATNumber,ChamberOfCommerce,Country,Status,IsSupplier,Blocked,GLAccountSales,GLAccountPurchase,Email"
    ",PaymentConditionSales,PaymentConditionPurchase"
)
_ENTRY: Final = (
    "EntryID,EntryNumber,Journal,AmountFC,VATAmountFC,AmountDC,VATAmountDC,Type,Status,YourRef,Document"
    ",EntryDate,Currency"
)
_COMPANY: Final = "Code,Description,CustomerName,VATNumber,ChamberOfCommerceNumber"
_HRM_COMPANY: Final = "Code,Description,CustomerName,VATNumber"
_DIVISION: Final = "Code,Hid,Description,CustomerName,Country,Currency,VATNumber,Status,BlockingStatus,Current"
_HRM_DIVISION: Final = "Code,HID,Description,CustomerName,Country,Currency,VATNumber,Status,BlockingStatus"


class Exact(Division):
    """The endpoints that Koppel uses, of one division."""

    # ── who and where ──

    async def me(self) -> Row:
        """Return the user of the consent; not counted by Exact, and the only call without a division."""
        fields = {"$select": "UserID,UserName,FullName,CurrentDivision,LanguageCode"}
        me = Call("current/Me", "GET", "/api/v1/current/Me", params=fields, acts=False, is_counted=False)
        return odata.entity((await self.vendor.call(me)).json())

    async def divisions(self) -> list[Row]:
        """Return the companies granted to the app that the user may reach (``system/Divisions``)."""
        return await self.all_of("system/Divisions", {"$select": _DIVISION})

    async def hrm_divisions(self) -> list[Row]:
        """Return the same from the resource that needs no scope; its Status counts otherwise (§3.2)."""
        return await self.all_of("hrm/Divisions", {"$select": _HRM_DIVISION})

    async def company(self) -> Row | None:
        """Return this division's own row with its numbers; None where the user may not see it (§3.2)."""
        for resource, fields in (("system/Divisions", _COMPANY), ("hrm/Divisions", _HRM_COMPANY)):
            try:
                rows = await self.all_of(resource, {"$select": fields, "$filter": f"Code eq {self.division}"})
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
        return await self.all_of(
            "read/financial/JournalStatusList",
            {
                "$select": "Journal,Year,Period,Status",
                "$filter": f"Journal eq {odata.text(journal)} and Year eq {year} and Period eq {period}",
            },
        )

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
        return await self._of_any(RELATIONS, terms, self._relations_where)

    async def _relations_where(self, query: str) -> list[Row]:
        return await self.all_of(RELATIONS, {"$select": _ACCOUNT, "$filter": query})

    async def create_relation(self, ours: str, body: Mapping[str, Any]) -> Row:
        """Create a relation under our id and return it as stored; what the answer leaves out, as it was sent.

        Raises:
            AlreadyExists: another document created it, or a call whose answer got lost.
        """
        created = await self.create(RELATIONS, "ID", {"ID": ours, **body})
        await our_ids.learn(self.vendor.master_data, RELATIONS, ours, created["ID"])
        return {**body, **created}

    async def relation_by_id(self, relation_id: str) -> Row | None:
        """Return one relation; asked as a list, because a 404 is one of the ten errors an hour (§4.3)."""
        return next(iter(await self._relations_where(f"ID eq {odata.guid(relation_id)}")), None)

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
        """Return a whole list of ``FIELDS``; Journals, VATCodes and PaymentConditions have no ``sync/`` resource."""
        return await self.all_of(resource, {"$select": FIELDS[resource]})

    # ── documents ──

    async def create_document(self, ours: str, body: Mapping[str, Any]) -> str:
        """Create the Document that files are attached to, under our id; return the id that Exact gave it."""
        try:
            created = await self.create(DOCUMENTS, "ID", {"ID": ours, **body})
        except AlreadyExists:
            if not our_ids.are_kept(self.vendor.master_data, DOCUMENTS):
                raise
            return ours
        await our_ids.learn(self.vendor.master_data, DOCUMENTS, ours, created["ID"])
        return str(created["ID"])

    async def attach(self, document_id: str, name: str, content: bytes) -> None:
        """Attach one file to a Document, under our id. Exact has no PUT here: an attachment cannot be replaced."""
        ours = our_ids.attachment_id(document_id, name)
        encoded = base64.b64encode(content).decode()
        file = {"ID": ours, "Document": document_id, "FileName": name, "Attachment": encoded}
        try:
            answer = await self.post(ATTACHMENTS, file)
        except AlreadyExists:
            if not our_ids.are_kept(self.vendor.master_data, ATTACHMENTS):
                raise
            return
        row = odata.entity(answer.json()) if answer.content else {}
        if given := odata.created_id(row, answer.headers.get("location"), "ID"):
            await our_ids.learn(self.vendor.master_data, ATTACHMENTS, ours, given)

    async def documents_about(self, subject: str) -> list[Row]:
        """Return the Documents whose Subject contains ``subject``."""
        query = f"substringof({odata.text(subject)},Subject) eq true"
        return await self.all_of(DOCUMENTS, {"$select": "ID,Subject", "$filter": query})

    async def attachments_of(self, document_id: str) -> list[Row]:
        """Return the attachments of a Document."""
        query = f"Document eq {odata.guid(document_id)}"
        return await self.all_of(ATTACHMENTS, {"$select": "ID,FileName", "$filter": query})

    # ── entries ──

    async def create_entry(self, family: Family, body: Mapping[str, Any]) -> Row:
        """Create a SalesEntry or PurchaseEntry; return the properties in the answer, EntryID among them."""
        return await self.create(family.path, "EntryID", body)

    async def entries(self, family: Family, query: str, *, lines: bool = False) -> list[Row]:
        """Return the entries that match a ``$filter``, with their lines if ``lines``."""
        fields = [_ENTRY, family.party, f"{family.party}Name"]
        params = {"$filter": query}
        if lines:
            # The whole property: with some of its fields only, a server that projects by plain names drops the lines.
            fields.append(family.lines)
            params["$expand"] = family.lines
        return await self.all_of(family.path, params | {"$select": ",".join(fields)})

    async def entries_of(self, family: Family, entry_id: UUID, alike: str | None) -> list[Row]:
        """Return the entry with this EntryID and those that the filter ``alike`` finds."""
        terms = [f"EntryID eq {odata.guid(entry_id)}", *([f"({alike})"] if alike else [])]
        found = await self._of_any(family.path, terms, partial(self.entries, family))
        return list({odata.same_guid(row.get("EntryID")): row for row in found}.values())

    async def entries_by_id(self, family: Family, entry_ids: Sequence[UUID | str]) -> list[Row]:
        """Return entries with their lines, up to 50 in one call, to read back a whole batch."""
        terms = [f"EntryID eq {odata.guid(id_)}" for id_ in entry_ids]
        question = odata.shape(f"{family.path} with {family.lines}", *terms)
        joined = odata.any_of(*terms)
        found = await refused_questions.ask(
            self.vendor.memory, question, lambda: self.entries(family, joined, lines=True)
        )
        if found is None:
            # "This $filter parameter is not supported for this resource" (§2): one call for each then.
            return [row for term in terms for row in await self.entries(family, term)]
        return found

    async def entries_with_your_ref(self, family: Family, your_refs: Sequence[Sequence[str]]) -> list[Row]:
        """Return the entries with any of these YourRefs, each given in all its spellings: in as few calls as URLs allow.

        Raises:
            Rejected: more than one is asked for, and the resource joins no terms (§2).
        """
        terms = [f"YourRef eq {odata.text(spelling)}" for one in your_refs for spelling in one]
        if len(your_refs) == 1:
            return await self._of_any(family.path, terms, partial(self.entries, family))
        return [row for part in odata.parts(terms) for row in await self.entries(family, odata.any_of(*part))]

    async def _of_any(
        self, resource: str, terms: Sequence[str], ask: Callable[[str], Awaitable[list[Row]]]
    ) -> list[Row]:
        """Return what any of the filter terms finds, in one call where the resource joins terms (§2)."""
        return await refused_questions.ask_any(
            self.vendor.memory,
            terms,
            named=lambda asked: odata.shape(resource, *asked),
            joined=lambda asked: ask(odata.any_of(*asked)),
        )

    async def lines_of(self, family: Family, entry_id: str) -> list[Row]:
        """Return the lines of one entry where a list did not contain them all: by key, else by the entry's own link."""
        path = self.path_of(f"{family.path}({odata.guid(entry_id)})")
        answer = await self.get(family.path, {"$expand": family.lines}, path)
        lines = odata.expanded(odata.entity(answer.json()).get(family.lines))
        return await self.all_of(family.path, {}, f"{path}/{family.lines}") if lines is None else lines

    async def numbers_in_use(self, family: Family, journal: str, number: int) -> list[Row]:
        """Return the entries of a journal with this EntryNumber."""
        return await self.entries(family, f"EntryNumber eq {number} and Journal eq {odata.text(journal)}")

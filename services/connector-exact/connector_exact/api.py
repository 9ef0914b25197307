"""Exact Online's REST API, endpoint by endpoint, each with its fixed ``$select`` and an allowed ``$filter``.

Every path goes through ``Vendor.call``. A GET without rights answers 200 with an empty list (§3.3), so whoever draws a
conclusion from "nothing found" asks ``may`` first.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from koppel_connector import refused_questions, values
from koppel_connector.contract.connector import Call, Vendor, VendorAnswer
from koppel_connector.contract.errors import ActionRequired, OutcomeUnknown, Rejected, RetryLater
from koppel_connector.contract.problems import Problem

from . import odata, our_ids
from .answers import AlreadyExists
from .mapping.entry import Family
from .odata import Row

PAGES_MAX: Final = 1_000
RELATIONS: Final = "crm/Accounts"
DOCUMENTS: Final = "documents/Documents"
ATTACHMENTS: Final = "documents/DocumentAttachments"

_ACCOUNT: Final = (
    "ID,Code,Name,VATNumber,ChamberOfCommerce,Country,Status,IsSupplier,Blocked,GLAccountSales,GLAccountPurchase,Email"
    ",PaymentConditionSales,PaymentConditionPurchase"
)
_ENTRY: Final = "EntryID,EntryNumber,Journal,AmountFC,VATAmountFC,Type,Status,YourRef,Document"
_DIVISION: Final = "Code,Hid,Description,CustomerName,Country,Currency,VATNumber,Status,BlockingStatus,Current"
_HRM_DIVISION: Final = "Code,HID,Description,CustomerName,Country,Currency,VATNumber,Status,BlockingStatus"

_RETURN_IT: Final = {"Prefer": "return=representation"}


class Exact:
    """One division through one open connection."""

    def __init__(self, vendor: Vendor, division: int | None = None) -> None:
        self._vendor = vendor
        own = getattr(vendor.settings, "division", None)
        self._division = division or own
        self._counted = self._division == own
        """Exact counts per division: what is asked of another one is not out of our minute."""

    # ── who and where ──

    async def me(self) -> Row:
        """Return the user of the consent; not counted by Exact, and the only call without a division."""
        fields = {"$select": "UserID,UserName,FullName,CurrentDivision,LanguageCode"}
        me = Call("current/Me", "GET", "/api/v1/current/Me", params=fields, acts=False, is_counted=False)
        return odata.entity((await self._vendor.call(me)).json())

    async def divisions(self) -> list[Row]:
        """Return the companies granted to the app that the user may reach (``system/Divisions``)."""
        return await self._all("system/Divisions", {"$select": _DIVISION})

    async def hrm_divisions(self) -> list[Row]:
        """Return the same through the resource that needs no scope; its Status has another scale (§3.2)."""
        return await self._all("hrm/Divisions", {"$select": _HRM_DIVISION})

    async def may(self, endpoint: str, action: str) -> bool:
        """Return whether the user may do ``action`` there: what tells "no right" from "no data"."""
        asked = {"endpoint": odata.text(endpoint), "action": odata.text(action)}
        answer = await self._get("users/UserHasRights", asked)
        return values.flag(odata.entity(answer.json()).get("UserHasRights"))

    async def financial_periods(self, year: int | None = None) -> list[Row]:
        """Return the periods that exist, of one financial year or of all."""
        params = {"$select": "FinYear,FinPeriod,StartDate,EndDate"}
        return await self._all(
            "financial/FinancialPeriods", params if year is None else params | {"$filter": f"FinYear eq {year}"}
        )

    async def journal_states(self, journal: str, year: int, period: int) -> list[Row]:
        """Return whether a journal is closed (Status 1) in a period; empty where Exact does not say."""
        return await self._all(
            "read/financial/JournalStatusList",
            {
                "$select": "Journal,Year,Period,Status",
                "$filter": f"Journal eq {odata.text(journal)} and Year eq {year} and Period eq {period}",
            },
        )

    # ── master data ──

    async def relations(self) -> list[Row]:
        """Return every relation, 1 000 a page."""
        return await self._synced("sync/CRM/Accounts", "crm/Accounts", _ACCOUNT)

    async def find_relations(self, terms: Sequence[str]) -> list[Row]:
        """Return the relations that fit any of these filter terms of ``mapping.relation``."""
        memory, resource = self._vendor.memory, "crm/Accounts"
        refused = {term: await refused_questions.known(memory, odata.shape(resource, term)) for term in terms}
        asking = [term for term, failure in refused.items() if failure is None]
        if not asking:
            raise next(failure for failure in refused.values() if failure is not None)
        if len(asking) > 1:
            joined, question = odata.any_of(*asking), odata.shape(resource, *asking)
            found = await refused_questions.ask(memory, question, lambda: self._relations_where(joined))
            if found is not None:
                return found
        return await self._relations_one_by_one(asking)

    async def _relations_one_by_one(self, terms: Sequence[str]) -> list[Row]:
        """Ask term by term: "Filtering on these fields is not supported" (§2) of one must not hide what the others find."""
        found: list[Row] = []
        refused: dict[str, Rejected] = {}
        answered: set[str] = set()
        for term in terms:
            question = odata.shape("crm/Accounts", term)
            try:
                found += await self._relations_where(term)
                answered.add(question)
            except Rejected as failure:
                refused[question] = failure
        for question in refused.keys() - answered:
            await refused_questions.remember(self._vendor.memory, question, refused[question])
        if refused and not answered:
            raise next(iter(refused.values()))
        return found

    async def _relations_where(self, query: str) -> list[Row]:
        return await self._all(RELATIONS, {"$select": _ACCOUNT, "$filter": query})

    async def create_relation(self, ours: str, body: Mapping[str, Any]) -> Row:
        """Make a relation under our id and return it as stored; where the answer is silent, as it was sent.

        Raises:
            AlreadyExists: it is there, made for another document or by a call whose answer got lost.
        """
        made = await self._make(RELATIONS, "ID", {"ID": ours, **body})
        await our_ids.learn(self._vendor.master_data, RELATIONS, ours, made["ID"])
        return {**body, **made}

    async def relation_by_id(self, relation_id: str) -> Row | None:
        """Return one relation; asked as a list, because a 404 is one of the ten errors an hour (§4.3)."""
        return next(iter(await self._relations_where(f"ID eq {odata.guid(relation_id)}")), None)

    async def change_relation(self, relation_id: str, changes: Mapping[str, Any]) -> None:
        """Change only what is given; with Code along, even unchanged, Exact answers 500 (§3.4)."""
        if "Code" in changes:
            raise ValueError("Code never goes along in a change of a relation")
        path = self._path(f"crm/Accounts({odata.guid(relation_id)})")
        await self._vendor.call(Call("crm/Accounts PUT", "PUT", path, json=changes, acts=True, endpoint="crm/Accounts"))

    async def ledger_accounts(self) -> list[Row]:
        """Return the chart of accounts, 1 000 a page."""
        return await self._synced(
            "sync/Financial/GLAccounts", "financial/GLAccounts", "ID,Code,Description,Type,IsBlocked"
        )

    async def journals(self) -> list[Row]:
        """Return the journals; there is no sync resource for so few."""
        fields = "ID,Code,Description,Type,IsBlocked,Currency,AllowVariableCurrency,AllowVariableExchangeRate"
        return await self._all("financial/Journals", {"$select": fields})

    async def vat_codes(self) -> list[Row]:
        """Return the VAT codes."""
        fields = "ID,Code,Description,Percentage,Type,VATTransactionType,Charged,EUSalesListing,IntraStat,IsBlocked"
        return await self._all("vat/VATCodes", {"$select": fields})

    async def payment_conditions(self) -> list[Row]:
        """Return the payment conditions."""
        return await self._all("cashflow/PaymentConditions", {"$select": "ID,Code,Description,PaymentDays"})

    # ── documents ──

    async def create_document(self, ours: str, body: Mapping[str, Any]) -> str:
        """Make the Document that files hang on, under our id; return the id it has."""
        try:
            made = await self._make(DOCUMENTS, "ID", {"ID": ours, **body})
        except AlreadyExists:
            if not our_ids.are_kept(self._vendor.master_data, DOCUMENTS):
                raise
            return ours
        await our_ids.learn(self._vendor.master_data, DOCUMENTS, ours, made["ID"])
        return str(made["ID"])

    async def attach(self, document_id: str, name: str, content: bytes) -> None:
        """Hang one file on a Document, under our id. Exact has no PUT here: what is attached stays."""
        ours = our_ids.attachment_id(document_id, name)
        encoded = base64.b64encode(content).decode()
        file = {"ID": ours, "Document": document_id, "FileName": name, "Attachment": encoded}
        try:
            answer = await self._post(ATTACHMENTS, file)
        except AlreadyExists:
            if not our_ids.are_kept(self._vendor.master_data, ATTACHMENTS):
                raise
            return
        row = odata.entity(answer.json()) if answer.content else {}
        if given := odata.made_id(row, answer.headers.get("location"), "ID"):
            await our_ids.learn(self._vendor.master_data, ATTACHMENTS, ours, given)

    async def documents_about(self, subject: str) -> list[Row]:
        """Return Documents whose subject holds ``subject``."""
        query = f"substringof({odata.text(subject)},Subject) eq true"
        return await self._all(DOCUMENTS, {"$select": "ID,Subject", "$filter": query})

    async def attachments_of(self, document_id: str) -> list[Row]:
        """Return what already hangs on a Document."""
        query = f"Document eq {odata.guid(document_id)}"
        return await self._all(ATTACHMENTS, {"$select": "ID,FileName", "$filter": query})

    # ── entries ──

    async def create_entry(self, family: Family, body: Mapping[str, Any]) -> Row:
        """Book one entry and return what the answer tells of it, its id at least."""
        return await self._make(family.path, "EntryID", body)

    async def entries(self, family: Family, query: str, *, lines: bool = False) -> list[Row]:
        """Return the entries that fit ``query``, with their lines when asked."""
        fields = [_ENTRY, family.party]
        params = {"$filter": query}
        if lines:
            # The whole property, not some of its fields: whoever projects by plain names would drop the lines.
            fields.append(family.lines)
            params["$expand"] = family.lines
        return await self._all(family.path, params | {"$select": ",".join(fields)})

    async def entries_of(self, family: Family, entry_id: UUID, alike: str | None) -> list[Row]:
        """Return the entry with this id and those that ``alike`` finds."""
        ours = f"EntryID eq {odata.guid(entry_id)}"
        if alike is None:
            return await self.entries(family, ours)
        question = odata.shape(family.path, ours, alike)
        joined = odata.any_of(ours, f"({alike})")
        found = await refused_questions.ask(self._vendor.memory, question, lambda: self.entries(family, joined))
        if found is None:
            found = [*await self.entries(family, ours), *await self.entries(family, alike)]
        return list({odata.same_guid(row.get("EntryID")): row for row in found}.values())

    async def entries_by_id(self, family: Family, entry_ids: Sequence[UUID | str]) -> list[Row]:
        """Return entries with their lines, many in one call: the read-back of a whole batch."""
        terms = [f"EntryID eq {odata.guid(id_)}" for id_ in entry_ids]
        question = odata.shape(f"{family.path} with {family.lines}", *terms)
        joined = odata.any_of(*terms)
        found = await refused_questions.ask(
            self._vendor.memory, question, lambda: self.entries(family, joined, lines=True)
        )
        if found is None:
            # "This $filter parameter is not supported for this resource" (§2): then one plain question for each.
            return [row for term in terms for row in await self.entries(family, term)]
        return found

    async def lines_of(self, family: Family, entry_id: str) -> list[Row]:
        """Return the lines of one entry, for when a list did not hold them all: by key, then by the entry's own link."""
        path = self._path(f"{family.path}({odata.guid(entry_id)})")
        answer = await self._get(family.path, {"$expand": family.lines}, path)
        lines = odata.expanded(odata.entity(answer.json()).get(family.lines))
        return await self._all(family.path, {}, f"{path}/{family.lines}") if lines is None else lines

    async def numbers_in_use(self, family: Family, journal: str, number: int) -> list[Row]:
        """Return the entries of a journal that carry ``number``."""
        return await self.entries(family, f"EntryNumber eq {number} and Journal eq {odata.text(journal)}")

    # ── underneath ──

    def _path(self, resource: str) -> str:
        if not self._division:
            raise ActionRequired(Problem("division_missing"))
        return f"/api/v1/{self._division}/{resource}"

    async def _get(self, resource: str, params: Mapping[str, str], path: str | None = None) -> VendorAnswer:
        asked = path or self._path(resource)
        return await self._vendor.call(
            Call(resource, "GET", asked, params=params, acts=False, is_counted=self._counted)
        )

    async def _make(self, resource: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make one object; return the properties its answer tells, its id among them."""
        answer = await self._post(resource, body)
        row = odata.entity(answer.json()) if answer.content else {}
        if (made := odata.made_id(row, answer.headers.get("location"), key)) is None:
            # Made it is; only a search can tell which one.
            raise OutcomeUnknown(f"{resource}: HTTP {answer.status} without {key}")
        return {name: value for name, value in row.items() if value is not None} | {key: made}

    async def _post(self, resource: str, body: Mapping[str, Any]) -> VendorAnswer:
        return await self._vendor.call(
            Call(resource, "POST", self._path(resource), json=body, headers=_RETURN_IT, acts=True)
        )

    async def _synced(self, sync: str, plain: str, fields: str) -> list[Row]:
        """Return every row of a sync resource; where it is refused (licence, scope), of the plain one at 60 a page."""
        try:
            return await self._all(sync, {"$select": fields, "$filter": f"Timestamp gt {odata.int64(1)}"})
        except (ActionRequired, Rejected):
            # A filter that is always true: crm/Accounts demands one (§4.4).
            always = f"Modified ge {odata.moment(date(1990, 1, 1))}"
            return await self._all(plain, {"$select": fields, "$filter": always})

    async def _all(self, resource: str, params: Mapping[str, str], path: str | None = None) -> list[Row]:
        """Return every row, following ``__next`` as it stands; Exact's page sizes are its own affair."""
        answer = await self._get(resource, params, path)
        found: list[Row] = []
        for _ in range(PAGES_MAX):
            body = answer.json()
            found += odata.rows(body)
            following = odata.next_page(body, self._vendor.application.base_url)
            if following is None:
                return found
            answer = await self._get(resource, {}, following)
        raise RetryLater(None, Problem("vendor_unavailable", f"{resource}: more than {PAGES_MAX} pages"))

"""Statements as BankEntries of a journal, where CODA does not go to the mailbox (exact §3.11): an entry for each statement.

Exact matches nothing of them by itself, so their lines stand on a suspense account, from which the accountant moves them. The
file is a Document, which is made first: by it the entries are found again where Exact gives the ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import koppel_coda
from koppel_bookkeeping import CannotBook, Reason
from koppel_bookkeeping.accounts import insist_on_currency
from koppel_bookkeeping.texts import clipped
from koppel_connector import ActionRequired, CannotTell, DeliveryContext, Found, NotFound, Sent, Vendor, odata, values
from koppel_connector.contract import CheckStep, NotBooked, Problem, ReadBack, Vanished
from koppel_connector.ledger import own_ids, reading_back
from koppel_connector.ledger.documents import File
from koppel_connector.ledger.records import Records
from koppel_connector.ledger.statements import StatementFile, text_of
from koppel_connector.odata import Row

from . import attaching, entries, held_entries, our_ids, rights
from .api import BANK_ENTRIES, DOCUMENT, Exact
from .mapping.entry import DESCRIPTION_LENGTH_MAX
from .master_data import Journal, LedgerAccount
from .periods import calendar
from .settings import ExactSettings


@dataclass(frozen=True)
class PreparedBankEntries:
    """What ``send`` needs: the statements, the Document that carries their file, and an entry for each that has movements."""

    statements: StatementFile
    journal: str
    document: Mapping[str, Any]
    file: File
    bodies: tuple[Mapping[str, Any], ...]


def took(context: DeliveryContext[ExactSettings]) -> bool:
    """Whether entries were sent, or begun, for a delivery."""
    return context.progress.get("destination") == "journal"


async def prepare(
    context: DeliveryContext[ExactSettings], file: StatementFile, document: Mapping[str, Any], attachment: File
) -> PreparedBankEntries:
    """Compose the entries; the journal of the account must be open, and stand at the opening balance.

    Raises:
        CannotBook: no journal or account can be used, the year is closed, or a statement is missing (``statement_gap``).
    """
    exact = Exact(context.vendor)
    journal = file.journal_among(_financial(context.vendor), context.vendor.settings.statement_journals)
    insist_on_currency(journal, file.last.account.currency)
    suspense = _suspense_account(context.vendor)
    await calendar(exact, context).insist_on_open(journal.code, file.closed_on)
    await rights.insist_on_searching(exact, BANK_ENTRIES)
    if not context.progress.get("entry_ids"):
        held = await _balance_of(exact, journal.code)
        file.insist_on_continuity(journal.code, held, await file.last_sent(context.vendor.memory))
    bodies = [_body(each, journal.code, suspense.id) for each in file.statements if each.movements]
    return PreparedBankEntries(file, journal.code, document, attachment, tuple(bodies))


async def send(context: DeliveryContext[ExactSettings], prepared: PreparedBankEntries) -> Sent:
    """Create the Document with the file, then the entries in the order of the file. Finished steps are not repeated."""
    exact = Exact(context.vendor)
    balances = [[str(body["OpeningBalanceFC"]), str(body["ClosingBalanceFC"])] for body in prepared.bodies]
    await context.save(destination="journal", files=[prepared.file.name], balances=balances)
    try:
        document_id = await attaching.attach(exact, context, DOCUMENT, prepared.document, (prepared.file,))
        entry_ids: list[str] = context.progress.get("entry_ids", [])
        for index, body in enumerate(prepared.bodies[len(entry_ids) :], start=len(entry_ids)):
            await context.save(creating=own_ids.creation(BANK_ENTRIES, str(index)))
            ours = our_ids.bank_entry_id(context.remote_uuid, index)
            linked = {**body, "BankStatementDocument": document_id}
            entry_ids = [*entry_ids, await exact.create_once(BANK_ENTRIES, ours, linked, "EntryID")]
            await context.save(entry_ids=entry_ids)
    except ActionRequired as refused:
        await entries.forget_contradicted(
            exact, context, prepared.journal, prepared.statements.closed_on, refused.problem
        )
        raise
    await prepared.statements.remember_sent(context.vendor.memory)
    return Sent((entry_ids or [document_id])[-1])


async def lookup(context: DeliveryContext[ExactSettings]) -> Found | NotFound | CannotTell:
    """Search the entries that were made; those that are missing are completed by ``send``."""
    exact, wanted = Exact(context.vendor), len(context.progress["balances"])
    result = await attaching.recover(exact, context, DOCUMENT)
    document_id: str | None = context.progress.get("document_id")
    if document_id is None or isinstance(result, CannotTell):
        return result
    rows = await _held(exact, [context])
    if not rows:
        await rights.insist_on_reading(exact, BANK_ENTRIES)
    # An earlier delivery's entries are completed no more, and are in the books all the same.
    is_of_another = context.delivery.target is None
    if not wanted and not is_of_another and not set(context.progress["files"]) <= set(context.progress["attached"]):
        return result  # there is nothing to enter: the Document alone is it, and its file is missing
    if len(rows) >= wanted or (rows and is_of_another):
        found = [odata.same_guid(row["EntryID"]) for row in rows] or [document_id]
        return Found(found[-1], _numbers(rows), count=max(1, len(rows) - wanted + 1))
    if own_ids.may_be_hidden(context.vendor.master_data, context.progress.get("creating"), str(len(rows))):
        return CannotTell(f"Exact may not show it yet in {BANK_ENTRIES}")
    known: list[str] = context.progress.get("entry_ids", [])
    if len(rows) > len(known):
        await context.save(entry_ids=[odata.same_guid(row["EntryID"]) for row in rows])
    return NotFound()


async def read_back(
    vendor: Vendor[ExactSettings], contexts: Sequence[DeliveryContext[ExactSettings]]
) -> Mapping[UUID, ReadBack]:
    """Read the entries of a batch in one call, and compare their balances with those of the statements."""
    exact = Exact(vendor)
    rows = await _held(exact, contexts)
    if not rows:
        await rights.insist_on_reading(exact, BANK_ENTRIES)
    return {each.delivery.id: _compared(vendor, each, [row for row in rows if _is_of(row, each)]) for each in contexts}


def check(vendor: Vendor[ExactSettings]) -> CheckStep:
    """Return whether the suspense account and the journals of the settings can be used."""
    try:
        account = _suspense_account(vendor)
    except CannotBook as refused:
        return CheckStep("statements", False, Problem(refused.code, refused.detail))
    usable = {each.code for each in _financial(vendor)}
    unknown = [f"{iban} → {code}" for iban, code in vendor.settings.statement_journals.items() if code not in usable]
    problem = Problem("statement_account_unknown", ", ".join(unknown)) if unknown else None
    return CheckStep("statements", problem is None, problem, account.code)


def _financial(vendor: Vendor[ExactSettings]) -> list[Journal]:
    return [each for each in Records(vendor.master_data, Journal).all_by_code().values() if each.is_financial]


def _suspense_account(vendor: Vendor[ExactSettings]) -> LedgerAccount:
    code = vendor.settings.statement_account
    if code is None:
        raise CannotBook(Reason.LEDGER_ACCOUNT_MISSING, "statement_account")
    account = Records(vendor.master_data, LedgerAccount).by_code(code)
    if account is None or account.blocked:
        unusable = Reason.LEDGER_ACCOUNT_UNKNOWN if account is None else Reason.LEDGER_ACCOUNT_BLOCKED
        raise CannotBook(unusable, f"statement_account: {code}")
    return account


async def _balance_of(exact: Exact, journal: str) -> Any:
    """Return the closing balance of a journal's last entry; None where there is none."""
    rows = await exact.last_bank_entries(journal)
    return values.amount(max(rows, key=_order).get("ClosingBalanceFC")) if rows else None


def _body(statement: koppel_coda.Statement, journal: str, account_id: str) -> dict[str, Any]:
    return {
        "JournalCode": journal,
        "Currency": statement.account.currency,
        "OpeningBalanceFC": statement.old_balance.amount,
        "ClosingBalanceFC": statement.closing,
        "BankEntryLines": [_line(movement, account_id) for movement in statement.leaves()],
    }


def _line(movement: koppel_coda.Movement, account_id: str) -> dict[str, Any]:
    """Return a line: positive for money that came in, as in CODA (exact §3.11)."""
    text = text_of(movement)
    line = {"Date": movement.entry_on, "AmountFC": movement.amount, "GLAccount": account_id}
    return {**line, "Description": clipped(text, DESCRIPTION_LENGTH_MAX), "Notes": text}


async def _held(exact: Exact, contexts: Sequence[DeliveryContext[ExactSettings]]) -> list[Row]:
    """Return the entries of deliveries, by our ids and by the Documents they are linked to, in the order they were made."""
    terms = [f"EntryID eq {odata.guid(entry_id)}" for each in contexts for entry_id in _ids(each)]
    documents = [each.progress["document_id"] for each in contexts if each.progress.get("document_id")]
    terms += [f"BankStatementDocument eq {odata.guid(document_id)}" for document_id in documents]
    rows = await exact.bank_entries(terms) if terms else []
    return sorted({odata.same_guid(row["EntryID"]): row for row in rows}.values(), key=_order)


def _ids(context: DeliveryContext[ExactSettings]) -> set[str]:
    ours = {our_ids.bank_entry_id(context.remote_uuid, index) for index in range(len(context.progress["balances"]))}
    return ours | set(context.progress.get("entry_ids", []))


def _is_of(row: Row, context: DeliveryContext[ExactSettings]) -> bool:
    document_id = str(context.progress.get("document_id") or "")
    linked = odata.same_guid(row.get("BankStatementDocument"))
    return odata.same_guid(row["EntryID"]) in _ids(context) or (linked != "" and linked == document_id.casefold())


def _order(row: Row) -> tuple[int, int]:
    return values.integer(row.get("FinancialYear")) or 0, values.integer(row.get("EntryNumber")) or 0


def _numbers(rows: Sequence[Row]) -> str:
    return ", ".join(filter(None, (held_entries.number_of(row) for row in rows)))


def _compared(vendor: Vendor[ExactSettings], context: DeliveryContext[ExactSettings], rows: Sequence[Row]) -> ReadBack:
    sent: list[list[str]] = context.progress["balances"]
    if sent and not rows:
        return Vanished() if context.delivery.was_booked else NotBooked()
    held = [[str(values.amount(row.get(f"{name}BalanceFC"))) for name in ("Opening", "Closing")] for row in rows]
    differences = [] if held == sent else [f"balances {held}, sent {sent}"]
    url = held_entries.url_of(vendor, str(rows[0]["EntryID"])) if rows else ""
    return reading_back.compared(differences, _numbers(rows), url)

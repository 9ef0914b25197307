"""Statements of a company without a mailbox: entries of a journal, once, or the file kept as a Document."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest

from connector_exact import notices
from connector_exact.api import BANK_ENTRIES
from connector_exact.profile import ENTERED_STATEMENT, KEPT_STATEMENT
from koppel_connector import ActionRequired
from koppel_connector.contract import (
    Booked,
    CannotTell,
    DeliveryContext,
    Differs,
    Found,
    NotBooked,
    NotFound,
    OutcomeUnknown,
    Vanished,
)
from koppel_mesh.messages import DocumentKind
from koppel_sandbox.exact.seed import BANK_ACCOUNT
from koppel_sandbox.faults import Fault

from .direct_vendor import CONNECTOR, DirectVendor
from .harness import SETTINGS, Sandbox
from .response_variants import VariantServer
from .statements import coda, delivery

CASH_BOOK = "BE71096123456769"
ENTERED = {
    **SETTINGS,
    "send_coda": True,
    "destination": {"statement": "journal"},
    "statement_account": "499000",
    "statement_journals": {CASH_BOOK: "570"},
}


@pytest.fixture
async def vendor(sandbox: Sandbox) -> AsyncIterator[DirectVendor]:
    sandbox.division.licence = sandbox.division.licence - {"mailbox"}
    opened = await sandbox.vendor(ENTERED)
    await opened.import_all()
    yield opened
    await opened.close()


def table(sandbox: Sandbox, name: str) -> list[Any]:
    return list(sandbox.division.tables[name].values())


def statement(vendor: DirectVendor, content: bytes, **of: Any) -> DeliveryContext:
    return delivery(vendor, content, ENTERED_STATEMENT, **of)


async def sent(vendor: DirectVendor, content: bytes, **of: Any) -> DeliveryContext:
    """Send a file, and return its delivery as it is read back."""
    context = statement(vendor, content, **of)
    made = await vendor.send(context)
    context.delivery = replace(context.delivery, remote_id=made.remote_id)
    return context


async def seen(vendor: DirectVendor, context: DeliveryContext) -> Any:
    return (await CONNECTOR.read_back(vendor, [context]))[context.delivery.id]


async def refused(vendor: DirectVendor, content: bytes, **of: Any) -> tuple[str, str]:
    with pytest.raises(ActionRequired) as caught:
        await vendor.send(statement(vendor, content, **of))
    assert caught.value.problem is not None
    return caught.value.problem.code, caught.value.problem.detail or ""


async def test_a_gap_names_both_balances_and_what_is_missing(vendor: DirectVendor, sandbox: Sandbox) -> None:
    await sent(vendor, coda(1))
    code, detail = await refused(vendor, coda(4))
    assert code == "statement_gap"
    assert all(each in detail for each in ("550 stands at 1100.00", "opens at 1000.00", "statements 2 to 3")), detail
    assert len(table(sandbox, "BankEntries")) == 1


async def test_a_person_names_the_journal_of_an_account(vendor: DirectVendor, sandbox: Sandbox) -> None:
    other = "BE62510007547061"
    code, detail = await refused(vendor, coda(iban=other))
    assert (code, f"statement_journals.{other}" in detail) == ("statement_account_unknown", True)
    vendor.settings = vendor.settings.model_copy(update={"statement_journals": {other: "700"}})
    assert (await refused(vendor, coda(iban=other)))[0] == "statement_account_unknown", "700 is a sales journal"


@pytest.mark.parametrize(("account", "code"), [(None, "ledger_account_missing"), ("499999", "ledger_account_unknown")])
async def test_without_a_suspense_account_nothing_is_entered(
    vendor: DirectVendor, sandbox: Sandbox, account: str | None, code: str
) -> None:
    vendor.settings = vendor.settings.model_copy(update={"statement_account": account})
    found, detail = await refused(vendor, coda())
    assert (found, "statement_account" in detail) == (code, True)
    steps = {step.name: step async for step in CONNECTOR.check(vendor)}
    assert (steps["statements"].ok, steps["statements"].problem) != (True, None)
    assert (table(sandbox, "Documents"), table(sandbox, "BankEntries")) == ([], [])


async def test_notifications_of_entries_are_asked_for_where_statements_become_some(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    await notices.subscribe(vendor, "https://koppel.example/connector-exact/v1/notices/exact")
    assert "BankEntries" in {one["Topic"] for one in sandbox.state.webhooks.values()}


async def test_a_closed_period_is_reported_before_anything_is_sent(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.division.closed.add(("550", 2026, 1))
    assert (await refused(vendor, coda()))[0] == "period_closed"
    assert table(sandbox, "Documents") == []


async def test_a_missing_right_is_named(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.deny("financialtransaction/BankEntries", "GET")
    assert (await refused(vendor, coda()))[0] == "missing_right"
    assert "read bank statements (GET financialtransaction/BankEntries)" in await CONNECTOR.missing_rights(vendor)


async def test_a_statement_is_an_entry_on_the_suspense_account_with_its_file(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    content = coda(7)
    context = await sent(vendor, content)
    (entry,) = table(sandbox, "BankEntries")
    assert (entry["JournalCode"], entry["OpeningBalanceFC"], entry["ClosingBalanceFC"]) == ("550", 1000, 1100)
    (line,) = entry["BankEntryLines"]
    (suspense,) = [row["ID"] for row in table(sandbox, "GLAccounts") if row["Code"] == "499000"]
    assert (line["GLAccount"], line["AmountFC"]) == (suspense, Decimal("100.00"))
    assert line["Description"].startswith("DR/DRIN/15.01.2026")
    (document,) = table(sandbox, "Documents")
    assert (entry["BankStatementDocument"], document["Type"]) == (document["ID"], 130)
    (file,) = table(sandbox, "DocumentAttachments")
    assert (file["FileName"], file["@content"]) == (f"{BANK_ACCOUNT}-2026-007.cod", content)
    assert await seen(vendor, context) == Booked(str(entry["EntryNumber"]), (await seen(vendor, context)).entry_url)


async def test_each_statement_of_a_file_is_an_entry_and_one_without_movements_is_none(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    context = await sent(vendor, coda(takings=("100.00", "", "50.00")))
    entries = table(sandbox, "BankEntries")
    assert [row["ClosingBalanceFC"] for row in entries] == [1100, 1150]
    result = await seen(vendor, context)
    assert isinstance(result, Booked)
    assert result.entry_number == ", ".join(str(row["EntryNumber"]) for row in entries)
    still = await sent(vendor, coda(4, takings=("",), iban=CASH_BOOK))
    assert len(table(sandbox, "BankEntries")) == 2
    assert isinstance(await seen(vendor, still), Booked), "there is nothing to enter"


async def test_a_cash_book_goes_the_same_way_into_its_journal(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = await sent(vendor, coda(iban=CASH_BOOK), kind=DocumentKind.CASH_STATEMENT)
    (entry,) = table(sandbox, "BankEntries")
    assert entry["JournalCode"] == "570"
    assert isinstance(await seen(vendor, context), Booked)


@pytest.mark.parametrize("resource", ["Documents", "DocumentAttachments", "BankEntries"])
@pytest.mark.parametrize(
    ("kind", "own_ids"), [("reset_after_commit", True), ("reset_after_commit", False), ("reset_before", True)]
)
async def test_after_a_lost_answer_every_statement_stands_there_once(
    vendor: DirectVendor, sandbox: Sandbox, resource: str, kind: str, own_ids: bool
) -> None:
    sandbox.state.switches.own_ids_kept = "all" if own_ids else "entries"
    sandbox.state.faults.append(Fault(kind=kind, method="POST", path=resource))
    context = statement(vendor, coda(takings=("100.00", "50.00")))
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    if isinstance(await CONNECTOR.lookup(context), NotFound):
        await vendor.send(context)
    assert [row["ClosingBalanceFC"] for row in table(sandbox, "BankEntries")] == [1100, 1150]
    assert len(table(sandbox, "Documents")) == len(table(sandbox, "DocumentAttachments")) == 1
    assert isinstance(await CONNECTOR.lookup(context), Found)


@pytest.mark.parametrize("resource", ["Documents", "DocumentAttachments"])
@pytest.mark.parametrize("kind", ["reset_after_commit", "reset_before"])
async def test_the_file_of_a_statement_without_movements_gets_there(
    vendor: DirectVendor, sandbox: Sandbox, resource: str, kind: str
) -> None:
    sandbox.state.faults.append(Fault(kind=kind, method="POST", path=resource))
    context = statement(vendor, coda(4, takings=("",), iban=CASH_BOOK))
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    if not isinstance(await CONNECTOR.lookup(context), Found):
        await vendor.send(context)
    assert len(table(sandbox, "Documents")) == len(table(sandbox, "DocumentAttachments")) == 1
    assert isinstance(await CONNECTOR.lookup(context), Found)


async def test_an_entry_that_a_search_does_not_show_yet_is_waited_for(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.state.switches.own_ids_kept = "entries"
    context = statement(vendor, coda(takings=("100.00", "50.00")))
    sandbox.state.faults.append(Fault(kind="reset_after_commit", method="POST", path="BankEntries", skip=1))
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    hidden = list(sandbox.division.tables["BankEntries"])[-1]
    sandbox.division.hidden_until[hidden] = sandbox.state.clock.epoch() + 60
    assert isinstance(await CONNECTOR.lookup(context), CannotTell)
    sandbox.division.hidden_until.clear()
    assert isinstance(await CONNECTOR.lookup(context), Found)


async def test_what_the_accountant_changes_or_deletes_is_seen(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = await sent(vendor, coda())
    (entry,) = table(sandbox, "BankEntries")
    entry["ClosingBalanceFC"] += 1
    assert isinstance(await seen(vendor, context), Differs)
    sandbox.division.tables["BankEntries"].clear()
    assert isinstance(await seen(vendor, context), NotBooked)
    context.delivery = replace(context.delivery, was_booked=True)
    assert isinstance(await seen(vendor, context), Vanished)


async def test_what_was_begun_as_an_entry_stays_one_when_the_settings_change(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    sandbox.state.faults.append(Fault(kind="reset_before", method="POST", path="BankEntries"))
    context = statement(vendor, coda())
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    elsewhere = vendor.settings.destination.model_copy(update={"statement": "document"})
    vendor.settings = vendor.settings.model_copy(update={"destination": elsewhere})
    await vendor.send(context)
    assert (len(table(sandbox, "BankEntries")), len(table(sandbox, "Documents"))) == (1, 1)


async def test_a_file_can_be_kept_as_a_document_and_nothing_is_entered(vendor: DirectVendor, sandbox: Sandbox) -> None:
    elsewhere = vendor.settings.destination.model_copy(update={"statement": "document"})
    vendor.settings = vendor.settings.model_copy(update={"destination": elsewhere})
    assert CONNECTOR.targets(DocumentKind.CASH_STATEMENT, vendor.settings) == (KEPT_STATEMENT,)
    sandbox.state.faults.append(Fault(kind="reset_after_commit", method="POST", path="DocumentAttachments"))
    context = delivery(vendor, coda(), KEPT_STATEMENT, DocumentKind.CASH_STATEMENT)
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    result = await CONNECTOR.lookup(context)
    (document,) = table(sandbox, "Documents")
    assert isinstance(result, Found)
    assert result.remote_id == document["ID"]
    assert (len(table(sandbox, "DocumentAttachments")), table(sandbox, "BankEntries")) == (1, [])


async def test_a_large_batch_is_read_back_in_urls_that_exact_takes(vendor: DirectVendor, sandbox: Sandbox) -> None:
    """At most 6,000 characters (exact §2)."""
    contexts = []
    for _ in range(50):
        context = statement(vendor, coda())
        context.progress.update(destination="journal", balances=[["1", "2"]], document_id=str(uuid4()))
        contexts.append(context)
    async with VariantServer(sandbox.base_url, lambda _: None) as server:
        vendor.application = replace(vendor.application, base_url=server.url)
        seen = await CONNECTOR.read_back(vendor, contexts)
        asked = [answer.query for answer in server.answers if answer.resource == BANK_ENTRIES]
    assert {type(each) for each in seen.values()} == {NotBooked}
    assert [len(urlencode(query, quote_via=quote)) < 5_900 for query in asked] == [True, True]

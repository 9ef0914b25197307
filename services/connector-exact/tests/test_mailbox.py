"""The digital mailbox and ScanService: where a document goes, that it goes once, and what Exact tells of it afterwards."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connector_exact.api import Exact
from connector_exact.mailbox import ask_mailboxes
from connector_exact.profile import ENTRY, MAIL
from koppel_connector.contract import (
    ActionRequired,
    Booked,
    DeliveryContext,
    Differs,
    Found,
    NotBooked,
    NotFound,
    OutcomeUnknown,
    TurnedDown,
)
from koppel_connector.testing import SampleDocument
from koppel_sandbox.exact import mailbox as boxes
from koppel_sandbox.faults import Fault

from .direct_vendor import CONNECTOR, DirectVendor, context_of, sample
from .harness import SETTINGS, Sandbox
from .response_variants import VariantServer, VariedAnswer

MAILED = {"sale": "mailbox", "purchase": "scan_service"}
NAME = "01-invoice-ogm-pdf"


@pytest.fixture
async def vendor(sandbox: Sandbox) -> AsyncIterator[DirectVendor]:
    opened = await sandbox.vendor({**SETTINGS, "destination": MAILED})
    await opened.import_all()
    yield opened
    await opened.close()


def delivery(vendor: DirectVendor, document: SampleDocument | None = None, **of: Any) -> DeliveryContext:
    context = context_of(vendor, document or sample(NAME), **of)
    context.delivery = replace(context.delivery, target=MAIL)
    return context


def messages(sandbox: Sandbox) -> list[Any]:
    return list(sandbox.division.tables["MailMessagesSent"].values())


def attached(sandbox: Sandbox) -> list[tuple[str, int]]:
    rows = sandbox.division.tables["MailMessageAttachments"].values()
    return [(row["AttachmentFileName"], row["Type"]) for row in rows]


def process(sandbox: Sandbox, status: int = boxes.PROCESSED) -> None:
    for message in messages(sandbox):
        boxes.process(sandbox.division, message, status)


async def sent(vendor: DirectVendor, context: DeliveryContext) -> DeliveryContext:
    """Send a delivery, and return it as it is read back."""
    made = await vendor.send(context)
    return replace(context, delivery=replace(context.delivery, remote_id=made.remote_id))


async def seen(vendor: DirectVendor, context: DeliveryContext) -> Any:
    return (await CONNECTOR.read_back(vendor, [context]))[context.delivery.id]


async def refused(vendor: DirectVendor, context: DeliveryContext) -> str:
    with pytest.raises(ActionRequired) as caught:
        await vendor.send(context)
    assert caught.value.problem is not None
    return caught.value.problem.code


async def test_a_sale_goes_to_the_mailbox_with_its_files_and_into_no_journal(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    context = await sent(vendor, delivery(vendor))
    (message,) = messages(sandbox)
    assert (message["Type"], message["Subject"].rpartition(" ")[2]) == (boxes.SALE, context.remote_ref)
    assert [kind for _, kind in attached(sandbox)] == [boxes.PDF, 130]
    assert (sandbox.entries(), sandbox.documents()) == ([], [])
    assert isinstance(await seen(vendor, context), NotBooked), "a mailbox shows no booking"


async def test_a_purchase_goes_to_scan_service_with_what_to_do(vendor: DirectVendor, sandbox: Sandbox) -> None:
    await sent(vendor, delivery(vendor, sample(NAME, "purchase_invoice")))
    (message,) = messages(sandbox)
    assert (message["Type"], message["Operation"], message["RecipientStatus"]) == (boxes.PURCHASE, 2, boxes.SCANNING)


async def test_an_entry_that_exact_makes_of_a_message_is_read_back(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = await sent(vendor, delivery(vendor))
    process(sandbox, boxes.IN_PROCESS)
    assert isinstance(await seen(vendor, context), NotBooked)
    process(sandbox)
    (entry,) = sandbox.entries()
    result = await seen(vendor, context)
    assert result == Booked(str(entry["EntryNumber"]), result.entry_url)
    assert str(entry["EntryID"]).casefold() in result.entry_url.casefold()
    entry["AmountFC"] += Decimal("0.01")
    differs = await seen(vendor, context)
    assert isinstance(differs, Differs)
    assert "sent" in (differs.problem.detail or "")


async def test_an_entry_without_a_header_row_is_read_back_without_its_total(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    """What a line of it shows is no total to compare; that there is an entry counts."""
    sandbox.state.switches.header_rows = False
    context = await sent(vendor, delivery(vendor))
    process(sandbox)
    (entry,) = sandbox.entries()
    result = await seen(vendor, context)
    assert isinstance(result, Booked)
    assert result.entry_number == str(entry["EntryNumber"])


async def test_a_credit_note_is_compared_whatever_its_sign(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = await sent(vendor, delivery(vendor, sample("02-creditnote-ref", "sales_credit_note")))
    process(sandbox)
    assert isinstance(await seen(vendor, context), Booked)


async def test_a_message_without_anything_to_book_stays_exported(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = await sent(vendor, delivery(vendor))
    sandbox.division.tables["MailMessageAttachments"].clear()
    process(sandbox)
    assert isinstance(await seen(vendor, context), NotBooked)


@pytest.mark.parametrize("status", [boxes.REJECTED, boxes.ERROR, boxes.BLOCKED])
async def test_a_refused_message_is_reported_and_sent_anew_as_another(
    vendor: DirectVendor, sandbox: Sandbox, status: int
) -> None:
    context = await sent(vendor, delivery(vendor))
    process(sandbox, status)
    refusal = await seen(vendor, context)
    assert isinstance(refusal, TurnedDown)
    assert refusal.problem.code == "message_refused"
    again = await sent(vendor, context)
    first, second = messages(sandbox)
    assert (first["ID"], second["ID"]) == (context.delivery.remote_id, again.delivery.remote_id)
    assert isinstance(await CONNECTOR.lookup(again), Found)
    assert isinstance(await seen(vendor, again), NotBooked)


@pytest.mark.parametrize("resource", ["MailMessagesSent", "MailMessageAttachments"])
@pytest.mark.parametrize(
    ("kind", "own_ids"), [("reset_after_commit", True), ("reset_after_commit", False), ("reset_before", True)]
)
async def test_after_a_lost_answer_there_is_one_message_with_all_its_files(
    vendor: DirectVendor, sandbox: Sandbox, resource: str, kind: str, own_ids: bool
) -> None:
    sandbox.state.switches.own_ids_kept = "all" if own_ids else "entries"
    sandbox.state.faults.append(Fault(kind=kind, method="POST", path=resource))
    context = delivery(vendor)
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    for _ in range(2):
        if not isinstance(await CONNECTOR.lookup(context), NotFound):
            break
    else:
        await vendor.send(context)
    assert len(messages(sandbox)) == 1
    assert len(attached(sandbox)) == 2
    assert isinstance(await CONNECTOR.lookup(context), Found)


async def test_an_earlier_delivery_is_found_though_its_message_lacks_a_file(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    """Or another way to the same books, or another destination, would bring the document there twice."""
    sandbox.state.faults.append(Fault(kind="reset_before", method="POST", path="MailMessageAttachments", skip=1))
    context = delivery(vendor)
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    context.delivery = replace(context.delivery, target=None)
    assert isinstance(await CONNECTOR.lookup(context), Found)


async def test_what_was_begun_in_the_mailbox_stays_there_when_the_settings_change(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    sandbox.state.faults.append(Fault(kind="reset_before", method="POST", path="MailMessageAttachments"))
    context = delivery(vendor)
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    vendor.settings = vendor.settings.model_copy(update={"destination": type(vendor.settings.destination)()})
    await vendor.send(context)
    assert (len(messages(sandbox)), sandbox.entries()) == (1, [])


async def test_a_division_without_the_licence_or_a_mailbox_says_so(vendor: DirectVendor, sandbox: Sandbox) -> None:
    licence = sandbox.division.licence
    sandbox.division.licence = licence - {"mailbox"}
    assert await refused(vendor, delivery(vendor)) == "mailbox_missing"
    sandbox.division.licence = licence
    kept = dict(sandbox.division.tables["Mailboxes"])
    sandbox.division.tables["Mailboxes"].clear()
    assert await refused(vendor, delivery(vendor)) == "mailbox_missing"
    sandbox.division.tables["Mailboxes"].update(kept)
    await sent(vendor, delivery(vendor))


async def test_without_the_right_to_see_mailboxes_the_right_is_named(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.deny("mailbox/Mailboxes", "GET")
    assert await refused(vendor, delivery(vendor)) == "missing_right"


async def test_a_division_without_scan_service_says_so(vendor: DirectVendor, sandbox: Sandbox) -> None:
    table = sandbox.division.tables["Mailboxes"]
    del table[next(key for key, row in table.items() if row["IsScanServiceMailbox"])]
    assert await refused(vendor, delivery(vendor, sample(NAME, "purchase_invoice"))) == "scan_service_missing"
    await sent(vendor, delivery(vendor))


async def test_a_mailbox_of_another_company_is_not_taken(vendor: DirectVendor, sandbox: Sandbox) -> None:
    for row in sandbox.division.tables["Mailboxes"].values():
        row["ForDivision"] = 3090902
    assert await refused(vendor, delivery(vendor)) == "mailbox_missing"


async def test_mailboxes_are_asked_for_once_a_day_and_again_after_a_refusal(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    await sent(vendor, delivery(vendor))
    vendor.calls.clear()
    await sent(vendor, delivery(vendor))
    assert [call.operation.partition("/")[2] for call in vendor.calls] == [
        "MailMessagesSent",
        *["MailMessageAttachments"] * 2,
    ]
    sandbox.state.faults.append(Fault(kind="status", method="POST", path="MailMessagesSent", status=403))
    with pytest.raises(ActionRequired):
        await vendor.send(delivery(vendor))
    vendor.calls.clear()
    await sent(vendor, delivery(vendor))
    assert "read/mailbox/PreferredMailbox" in {call.operation for call in vendor.calls}


async def test_two_documents_are_read_back_in_three_calls(vendor: DirectVendor, sandbox: Sandbox) -> None:
    contexts = [
        await sent(vendor, delivery(vendor, sample(NAME, kind))) for kind in ("sales_invoice", "purchase_invoice")
    ]
    process(sandbox)
    vendor.calls.clear()
    results = await CONNECTOR.read_back(vendor, contexts)
    assert [type(each) for each in results.values()] == [Booked, Booked]
    assert len(vendor.calls) == 3


async def test_the_health_check_asks_for_what_the_settings_use(vendor: DirectVendor, sandbox: Sandbox) -> None:
    async def steps() -> dict[str, Any]:
        return {step.name: step async for step in CONNECTOR.check(vendor)}

    checked = await steps()
    assert all(step.ok for step in checked.values()), checked
    assert {"mailbox", "scan_service"} <= set(checked)
    sandbox.division.licence = sandbox.division.licence - {"mailbox"}
    checked = await steps()
    assert not checked["mailbox"].ok
    assert checked["mailbox"].problem.code == "mailbox_missing"
    missing = await CONNECTOR.missing_rights(vendor)
    assert any("MailMessagesSent" in right for right in missing)
    assert not any("SalesEntries" in right for right in missing)


async def test_an_entry_and_a_message_are_read_back_side_by_side(vendor: DirectVendor, sandbox: Sandbox) -> None:
    mailed = await sent(vendor, delivery(vendor))
    entered = context_of(vendor, sample(NAME, "purchase_invoice"))
    entered.delivery = replace(entered.delivery, target=ENTRY)
    booked = await sent(vendor, entered)
    results = await CONNECTOR.read_back(vendor, [mailed, booked])
    assert isinstance(results[mailed.delivery.id], NotBooked)
    assert isinstance(results[booked.delivery.id], Booked)


async def test_a_mailbox_may_come_as_an_object(vendor: DirectVendor, sandbox: Sandbox) -> None:
    def the_object_itself(answer: VariedAnswer) -> None:
        if answer.resource.startswith("read/mailbox/"):
            answer.body = {"d": next(iter(answer.rows), {"ID": None})}

    async with VariantServer(sandbox.base_url, the_object_itself) as server:
        vendor.application = replace(vendor.application, base_url=server.url)
        assert (await ask_mailboxes(Exact(vendor), "mailbox", "sale"))["SenderMailboxID"]
        assert (await ask_mailboxes(Exact(vendor), "scan_service", "purchase"))["Operation"] == 2
        sandbox.division.tables["Mailboxes"].clear()
        with pytest.raises(ActionRequired, match="mailbox_missing"):
            await ask_mailboxes(Exact(vendor), "mailbox", "sale")

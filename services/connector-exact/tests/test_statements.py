"""Bank statements: each goes to the digital mailbox as one message, once, and a file that cannot go is refused."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from connector_exact.profile import STATEMENT
from koppel_connector.contract import (
    ActionRequired,
    Booked,
    Found,
    NotBooked,
    NotFound,
    OutcomeUnknown,
)
from koppel_sandbox.exact import mailbox as boxes
from koppel_sandbox.exact.seed import BANK_ACCOUNT
from koppel_sandbox.faults import Fault

from .direct_vendor import CONNECTOR, DirectVendor
from .harness import DIVISION, SETTINGS, Sandbox
from .statements import coda, delivery

OTHER_ACCOUNT = "BE71096123456769"


@pytest.fixture
async def vendor(sandbox: Sandbox) -> AsyncIterator[DirectVendor]:
    opened = await sandbox.vendor({**SETTINGS, "send_coda": True})
    await opened.import_all()
    yield opened
    await opened.close()


def table(sandbox: Sandbox, name: str) -> list[Any]:
    return list(sandbox.division.tables[name].values())


async def test_a_statement_is_a_message_with_its_file_as_it_came(vendor: DirectVendor, sandbox: Sandbox) -> None:
    content = coda(7)
    context = delivery(vendor, content, STATEMENT)
    await vendor.send(context)
    (message,) = table(sandbox, "MailMessagesSent")
    assert (message["Type"], message["BankAccount"], message["ForDivision"]) == (boxes.BANK, BANK_ACCOUNT, DIVISION)
    (file,) = table(sandbox, "MailMessageAttachments")
    assert (file["Type"], file["@content"]) == (boxes.BANK_FILE, content)
    assert file["AttachmentFileName"] == f"{BANK_ACCOUNT}-2026-007.cod"
    assert context.progress.get("warnings", []) == []


async def test_a_statement_that_was_imported_stays_exported(vendor: DirectVendor, sandbox: Sandbox) -> None:
    """Exact shows no entry of it: the accountant checks or processes the lines (R081)."""
    context = delivery(vendor, coda(), STATEMENT)
    sent = await vendor.send(context)
    (message,) = table(sandbox, "MailMessagesSent")
    boxes.process(sandbox.division, message, boxes.PROCESSED)
    context.delivery = replace(context.delivery, remote_id=sent.remote_id)
    (result,) = (await CONNECTOR.read_back(vendor, [context])).values()
    assert isinstance(result, NotBooked)
    assert not isinstance(result, Booked)


async def test_an_account_that_no_journal_has_is_warned_of(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = delivery(vendor, coda(iban=OTHER_ACCOUNT), STATEMENT)
    await vendor.send(context)
    assert context.progress["warnings"] == [{"code": "bank_not_linked", "detail": OTHER_ACCOUNT}]


@pytest.mark.parametrize("kind", ["reset_after_commit", "reset_before"])
async def test_after_a_lost_answer_it_goes_once(vendor: DirectVendor, sandbox: Sandbox, kind: str) -> None:
    sandbox.state.faults.append(Fault(kind=kind, method="POST", path="MailMessagesSent"))
    context = delivery(vendor, coda(), STATEMENT)
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    assert isinstance(await CONNECTOR.lookup(context), NotFound)
    await vendor.send(context)
    assert len(table(sandbox, "MailMessagesSent")) == len(table(sandbox, "MailMessageAttachments")) == 1
    assert isinstance(await CONNECTOR.lookup(context), Found)


async def test_a_company_without_a_mailbox_says_so(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.division.licence = sandbox.division.licence - {"mailbox"}
    with pytest.raises(ActionRequired) as refused:
        await vendor.send(delivery(vendor, coda(), STATEMENT))
    assert refused.value.problem is not None
    assert refused.value.problem.code == "mailbox_missing"


async def test_what_is_no_coda_is_refused(vendor: DirectVendor, sandbox: Sandbox) -> None:
    with pytest.raises(Exception, match="document_unreadable"):
        await vendor.send(delivery(vendor, b"geen coda", STATEMENT))
    assert table(sandbox, "MailMessagesSent") == []

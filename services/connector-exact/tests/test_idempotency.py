"""Nothing is created twice: whatever answer is lost, and however long a search does not show what was created."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from connector_exact.answers import AlreadyExists
from koppel_connector.contract import (
    ActionRequired,
    Booked,
    CannotTell,
    DeliveryContext,
    Found,
    NotFound,
    OutcomeUnknown,
    RetryLater,
)
from koppel_sandbox.faults import Fault

from .direct_vendor import CONNECTOR, DirectVendor, context_of, prepare, sample
from .harness import Sandbox

LAG_S = 90.0
NEW_PARTY = {"BE0000000295": "BE0403170701", ">0000000295<": ">0403170701<"}
CREATIONS = [
    ("crm/Accounts", 0),
    ("documents/Documents$", 0),
    ("documents/DocumentAttachments", 0),
    ("documents/DocumentAttachments", 1),
    ("salesentry/SalesEntries", 0),
]


async def deliver(
    vendor: DirectVendor, sandbox: Sandbox, context: DeliveryContext, *, settle_s: float = 30.0, rounds: int = 40
) -> str:
    """Take a delivery to its booking as the kit does: look up after doubt, send again after two searches in vain."""
    in_vain = None
    for _ in range(rounds):
        try:
            if in_vain is None or in_vain >= 2:
                sent = await CONNECTOR.send(context, await prepare(context))
                return sent.remote_id
            match await CONNECTOR.lookup(context):
                case Found(remote_id=remote_id, count=1, problem=None):
                    return remote_id
                case NotFound():
                    in_vain += 1
                case CannotTell():
                    pass
                case found:
                    raise AssertionError(found)
        except OutcomeUnknown:
            in_vain = 0
        except RetryLater:
            pass
        sandbox.state.clock.advance(settle_s)
        grow_older(context, settle_s)
        vendor.token = await sandbox.fresh_token()
    raise AssertionError("the delivery came to no end")


def grow_older(context: DeliveryContext, seconds: float) -> None:
    """Let the same time pass for what the delivery has noted as for the sandbox."""
    if note := context.progress.get("creating"):
        at = datetime.fromisoformat(note["at"]) - timedelta(seconds=seconds)
        context.progress["creating"] = {**note, "at": at.isoformat()}


def lose(sandbox: Sandbox, path: str, skip: int, times: int = 1) -> None:
    sandbox.state.faults.append(Fault("reset_after_commit", method="POST", path=path, skip=skip, times=times))


def held(sandbox: Sandbox) -> dict[str, Any]:
    """Return how many of each object Exact holds."""
    documents = sandbox.documents()
    return {
        "relations": sum(row.get("VATNumber") == "BE0403170701" for row in sandbox.relations()),
        "documents": len(documents),
        "attachments": [len(sandbox.attachments(document["ID"])) for document in documents],
        "entries": len(sandbox.entries()),
    }


ONE_OF_EACH = {"relations": 1, "documents": 1, "attachments": [2], "entries": 1}


@pytest.mark.parametrize(("path", "skip"), CREATIONS)
@pytest.mark.parametrize("settle_s", [1.0, 30.0])
async def test_a_lost_answer_and_a_lagging_search_create_nothing_twice(
    vendor: DirectVendor, sandbox: Sandbox, path: str, skip: int, settle_s: float
) -> None:
    sandbox.state.switches.minute_limit = 1_000
    sandbox.state.switches.search_lag_s = LAG_S
    lose(sandbox, path, skip)
    context = context_of(vendor, sample("01-invoice-ogm-pdf", replace=NEW_PARTY))
    await deliver(vendor, sandbox, context, settle_s=settle_s, rounds=200)
    assert held(sandbox) == ONE_OF_EACH
    sandbox.state.clock.advance(LAG_S)
    vendor.token = await sandbox.fresh_token()
    assert isinstance((await CONNECTOR.read_back(vendor, [context]))[context.delivery.id], Booked)


async def test_every_answer_lost_creates_nothing_twice(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.state.switches.search_lag_s = LAG_S
    lose(sandbox, ".*", 0, times=-1)
    await deliver(vendor, sandbox, context_of(vendor, sample("01-invoice-ogm-pdf", replace=NEW_PARTY)))
    assert held(sandbox) == ONE_OF_EACH


async def test_two_documents_of_a_new_party_make_one_relation(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.state.switches.search_lag_s = LAG_S
    lose(sandbox, "crm/Accounts", 0)
    purchase = context_of(
        vendor, sample("01-invoice-ogm-pdf", "purchase_invoice", replace={"BE0000000196": "BE0403170701"})
    )
    with pytest.raises(OutcomeUnknown):
        await prepare(purchase)
    sale = context_of(vendor, sample("01-invoice-ogm-pdf", replace=NEW_PARTY))
    await deliver(vendor, sandbox, sale)
    await deliver(vendor, sandbox, purchase)
    assert held(sandbox)["relations"] == 1
    assert held(sandbox)["entries"] == 2


async def test_an_entry_that_exists_is_not_sent_again_while_no_search_shows_it(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    sandbox.state.switches.search_lag_s = LAG_S
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    await CONNECTOR.send(context, await prepare(context))
    with pytest.raises(AlreadyExists):
        await CONNECTOR.send(context, await prepare(context))
    assert isinstance(await CONNECTOR.lookup(context), CannotTell)
    sandbox.state.clock.advance(LAG_S)
    assert isinstance(await CONNECTOR.lookup(context), Found)


@pytest.mark.parametrize(("path", "skip"), CREATIONS)
async def test_where_exact_gives_the_ids_a_lagging_search_is_waited_for(
    vendor: DirectVendor, sandbox: Sandbox, path: str, skip: int
) -> None:
    sandbox.state.switches.own_ids_kept = "entries"
    other = {"BE0000000295": "BE0404616494", ">0000000295<": ">0404616494<"}
    await deliver(vendor, sandbox, context_of(vendor, sample("01-invoice-ogm-pdf", replace=other)))
    sandbox.state.switches.search_lag_s = LAG_S
    lose(sandbox, path, skip)
    await deliver(vendor, sandbox, context_of(vendor, sample("01-invoice-ogm-pdf", replace=NEW_PARTY)))
    assert held(sandbox) == {"relations": 1, "documents": 2, "attachments": [2, 2], "entries": 2}


async def test_a_removed_document_is_made_again_under_another_id(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sandbox.deny("salesentry/SalesEntries", "POST")
    with pytest.raises(ActionRequired):
        await CONNECTOR.send(context, await prepare(context))
    first = sandbox.documents()[0]["ID"]
    sandbox.allow_everything()
    sandbox.remove_documents()
    with pytest.raises(ActionRequired):
        await CONNECTOR.send(context, await prepare(context))
    await CONNECTOR.send(context, await prepare(context))
    assert [document["ID"] != first for document in sandbox.documents()] == [True]

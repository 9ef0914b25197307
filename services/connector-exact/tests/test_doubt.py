"""After doubt: what was booked is found, what was not is distinguished from what may not be seen, and nothing is made twice."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from koppel_connector.contract import ActionRequired, Booked, Differs, Found, NotBooked, NotFound, OutcomeUnknown

from .direct_vendor import CONNECTOR, DirectVendor, book, context_of, prepare, sample
from .harness import Sandbox


async def refused_lookup(context: Any, resource: str) -> None:
    """Search, and report at once which right is missing: whoever can grant it need not wait until the search is given up."""
    with pytest.raises(ActionRequired) as caught:
        await CONNECTOR.lookup(context)
    assert caught.value.problem is not None
    assert caught.value.problem.code == "missing_right"
    assert resource in str(caught.value.problem.detail)


async def test_what_was_booked_is_found_by_our_id(vendor: DirectVendor) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sent, _ = await book(vendor, context)
    again = context_of(vendor, sample("01-invoice-ogm-pdf"), progress=context.progress, remote_uuid=context.remote_uuid)
    found = await CONNECTOR.lookup(again)
    assert isinstance(found, Found)
    assert (found.remote_id, found.count, found.problem) == (sent.remote_id, 1, None)


async def test_the_same_entry_sent_twice_is_one_entry(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    prepared = await prepare(context)
    await CONNECTOR.send(context, prepared)
    with pytest.raises(OutcomeUnknown):
        await CONNECTOR.send(context, prepared)
    assert len(sandbox.entries()) == 1


async def test_somebody_elses_entry_with_our_number_goes_to_a_person(vendor: DirectVendor) -> None:
    theirs = context_of(vendor, sample("01-invoice-ogm-pdf"))
    await book(vendor, theirs)
    progress = {name: theirs.progress[name] for name in ("side", "your_ref", "relation_id", "expected")}
    found = await CONNECTOR.lookup(context_of(vendor, sample("01-invoice-ogm-pdf"), progress=progress))
    assert isinstance(found, Found)
    assert found.problem is not None
    assert found.problem.code == "entry_already_exists"


async def test_what_went_no_other_way_costs_no_search(vendor: DirectVendor) -> None:
    await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    assert [call.operation for call in vendor.calls if call.method == "GET"].count("salesentry/SalesEntries") == 1


async def test_nothing_found_without_the_right_to_read_proves_nothing(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    await book(vendor, context)
    sandbox.deny("salesentry/SalesEntries", "GET")
    await refused_lookup(context, "salesentry/SalesEntries")
    context.delivery = type(context.delivery)(**{**vars(context.delivery), "remote_id": str(context.remote_uuid)})
    with pytest.raises(ActionRequired) as caught:
        await CONNECTOR.read_back(vendor, [context])
    assert caught.value.problem is not None
    assert caught.value.problem.code == "missing_right"


@pytest.mark.parametrize("resource", ["documents/Documents", "documents/DocumentAttachments"])
async def test_files_that_may_not_be_read_are_not_made_twice(
    vendor: DirectVendor, sandbox: Sandbox, resource: str
) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sandbox.deny("salesentry/SalesEntries", "POST")
    with pytest.raises(ActionRequired):
        await book(vendor, context)
    sandbox.deny(resource, "GET")
    context.progress.clear()
    await refused_lookup(context, resource)


async def test_a_document_made_in_doubt_is_found_and_used(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sandbox.deny("documents/DocumentAttachments", "POST")
    with pytest.raises(ActionRequired):
        await book(vendor, context)
    sandbox.allow_everything()
    context.progress.clear()
    assert isinstance(await CONNECTOR.lookup(context), NotFound)
    _, result = await book(vendor, context)
    assert isinstance(result, Booked)
    assert len(sandbox.documents()) == 1


async def test_an_entry_not_there_stays_open_and_a_changed_one_differs(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sent, _ = await book(vendor, context)
    sandbox.tamper(sent.remote_id, Decimal("0.01"))
    result = (await CONNECTOR.read_back(vendor, [context]))[context.delivery.id]
    assert isinstance(result, Differs)
    assert result.problem.code == "totals_differ"
    gone = context_of(vendor, sample("01-invoice-ogm-pdf"), progress=context.progress, remote_uuid=uuid4())
    assert isinstance((await CONNECTOR.read_back(vendor, [gone]))[gone.delivery.id], NotBooked)

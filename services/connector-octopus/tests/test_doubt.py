"""After a booking: what stands in the books, what was changed or deleted, and what nobody answered."""

from decimal import Decimal
from typing import Any

import pytest

from koppel_connector import Booked, Differs, Found, NotFound, Vanished

from .documents import delivery
from .harness import CONNECTOR, Sandbox, Vendor


async def test_a_changed_booking_differs_and_a_deleted_one_has_vanished(vendor: Vendor, sandbox: Sandbox) -> None:
    first, second = delivery(vendor), delivery(vendor, swaps={"2026-0001": "2026-0002"})
    for context in (first, second):
        await vendor.send(context)
    sandbox.tamper("3/V1/1", Decimal("0.01"))
    sandbox.remove("3/V1/2")
    seen = await CONNECTOR.read_back(vendor, [first, second])
    differs = seen[first.delivery.id]
    assert isinstance(differs, Differs)
    assert "amount 582.78, sent 582.77" in (differs.problem.detail or "")
    assert seen[second.delivery.id] == Vanished()


async def test_a_number_given_to_another_document_means_that_ours_was_deleted(vendor: Vendor, sandbox: Sandbox) -> None:
    first, second = delivery(vendor), delivery(vendor, swaps={"2026-0001": "2026-0002"})
    await vendor.send(first)
    sandbox.remove("3/V1/1")
    await vendor.memory.forget("next_number 3 V1")
    await vendor.send(second)
    seen = await CONNECTOR.read_back(vendor, [first, second])
    assert (seen[first.delivery.id], type(seen[second.delivery.id])) == (Vanished(), Booked)


async def test_what_was_booked_is_found_and_what_was_not_is_not(vendor: Vendor, sandbox: Sandbox) -> None:
    context = delivery(vendor)
    sent = await vendor.send(context)
    assert await CONNECTOR.lookup(context) == Found(sent.remote_id, sent.entry_number, sent.entry_url)
    sandbox.remove("3/V1/1")
    assert isinstance(await CONNECTOR.lookup(context), NotFound)


async def test_somebody_elses_booking_of_the_document_goes_to_a_person(vendor: Vendor, sandbox: Sandbox) -> None:
    context = delivery(vendor)
    await vendor.send(context)
    theirs = {**sandbox.booking("3/V1/1"), "documentSequenceNr": 2, "orderReference": ""}
    sandbox.remove("3/V1/1")
    sandbox.books.put(sandbox.books.bookings, "3/V1/2", theirs)
    found = await CONNECTOR.lookup(context)
    assert isinstance(found, Found)
    assert found.problem is not None
    assert found.problem.code == "entry_already_exists"


# ── a feed that leaves open what it may ──


@pytest.mark.parametrize("reference", [None, "", "absent"])
@pytest.mark.parametrize("relation", [None, {"relationKey": None}, "told"])
async def test_a_booking_at_our_place_that_does_not_tell_our_reference_is_ours(
    vendor: Vendor, sandbox: Sandbox, reference: str | None, relation: Any
) -> None:
    context = delivery(vendor)
    sent = await vendor.send(context)
    row = sandbox.booking("3/V1/1")
    if relation != "told":
        row["relationIdentificationServiceData"] = relation
    if reference == "absent":
        del row["orderReference"]
    else:
        row["orderReference"] = reference
    seen = await CONNECTOR.read_back(vendor, [context])
    assert isinstance(seen[context.delivery.id], Booked)
    assert await CONNECTOR.lookup(context) == Found(sent.remote_id, sent.entry_number, sent.entry_url)


@pytest.mark.parametrize("change", [{"comment": "2026-0009"}, {"orderReference": "KPL-another"}])
async def test_another_booking_at_our_place_is_not_ours(
    vendor: Vendor, sandbox: Sandbox, change: dict[str, Any]
) -> None:
    context = delivery(vendor)
    await vendor.send(context)
    sandbox.booking("3/V1/1").update({"orderReference": None, **change})
    seen = await CONNECTOR.read_back(vendor, [context])
    assert seen[context.delivery.id] == Vanished()

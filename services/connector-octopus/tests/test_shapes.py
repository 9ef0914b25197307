"""Answers in shapes that no source rules out: a key written otherwise, null for what is absent, a row that nobody understands."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from koppel_connector import Vanished
from koppel_connector.contract import EntryChanged
from koppel_mesh.clock import utc_now

from .documents import delivery
from .harness import CONNECTOR, Sandbox, Vendor

DELETED = {"bookyearKey": {"id": 3}, "journalType": 2, "journalSequenceNr": 1, "documentSequenceNr": 1}


def told(logs: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Return what was logged as not understood."""
    return [(each["what"], each["count"]) for each in logs if each["event"] == "rows of Octopus that cannot be read"]


def have_answered(sandbox: Sandbox, path: str, body: Any) -> None:
    sandbox.control("faults", kind="status", method="GET", path=path, status=200, body=json.dumps(body), times=-1)


# ── deleted bookings ──


@pytest.mark.parametrize("key", ["booking", "without_bookyear", "document"])
async def test_a_deletion_is_seen_however_it_is_written(vendor: Vendor, sandbox: Sandbox, key: str) -> None:
    sandbox.control("switches", deleted_key=key)
    context = delivery(vendor)
    await vendor.send(context)
    sandbox.remove("3/V1/1")
    changes = await CONNECTOR.changes_in_books(vendor, utc_now() - timedelta(hours=1))
    assert changes == [EntryChanged(remote_id="3/V1/1")]
    assert await CONNECTOR.read_back(vendor, [context]) == {context.delivery.id: Vanished()}


@pytest.mark.parametrize(
    "row",
    [
        {"documentKey": {**DELETED, "bookyearKey": None}},
        {"documentKey": {**DELETED, "journalType": None}},
        {**DELETED, "bookyearKey": 3, "documentSequenceNr": "1"},
        {"bookyearKey": None, "journalKey": "V1", "documentSequenceNr": 1.0},
        {"buySellBookingServiceData": {"journalKey": "V1", "documentSequenceNr": 1}},
        {"buySellBookingServiceData": None, "journalKey": "V1", "documentSequenceNr": 1},
    ],
)
async def test_a_deletion_that_nobody_understands_hides_no_other_and_is_logged(
    vendor: Vendor, sandbox: Sandbox, row: Mapping[str, Any]
) -> None:
    rows = [
        None,
        "V1/1",
        {"journalKey": "V1"},
        {"journalType": 9, "journalSequenceNr": 1, "documentSequenceNr": 1},
        row,
    ]
    have_answered(sandbox, "bookyears/3/bookings/modified", {"modifiedBookings": None, "deletedBookings": rows})
    with capture_logs() as logs:
        changes = await CONNECTOR.changes_in_books(vendor, utc_now())
    assert EntryChanged(remote_id="3/V1/1") in changes
    assert {change.remote_id for change in changes if isinstance(change, EntryChanged)} <= {"3/V1/1", "3/A1/1"}
    assert ("deleted bookings", 4) in told(logs)


async def test_null_is_no_deletion(vendor: Vendor, sandbox: Sandbox) -> None:
    have_answered(sandbox, "bookings/modified", {"modifiedBookings": None, "deletedBookings": None})
    assert await CONNECTOR.changes_in_books(vendor, utc_now()) == []

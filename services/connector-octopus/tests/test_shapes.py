"""Answers in shapes that no source rules out: a key written otherwise, null for what is absent, a row that nobody understands."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from koppel_connector import Booked, DeliveryContext, Found, NotFound, Vanished
from koppel_connector.contract import EntryChanged
from koppel_mesh.clock import utc_now

from .documents import delivery
from .harness import CONNECTOR, Row, Sandbox, Vendor

FEED = "buysellbookings/modified"
DELETED = {"bookyearKey": {"id": 3}, "journalType": 2, "journalSequenceNr": 1, "documentSequenceNr": 1}


def told(logs: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Return what was logged as not understood."""
    return [(each["what"], each["count"]) for each in logs if each["event"] == "rows of Octopus that cannot be read"]


def handle_url(seen: Any) -> str:
    assert isinstance(seen, Booked)
    return seen.entry_url or ""


def have_answered(sandbox: Sandbox, path: str, body: Any) -> None:
    sandbox.control("faults", clear=path)
    sandbox.control(
        "faults", kind="status", method="GET", path=path, status=200, body=json.dumps(body, default=float), times=-1
    )


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


# ── bookings ──


async def two_sent(vendor: Vendor, sandbox: Sandbox) -> tuple[list[DeliveryContext], list[Row]]:
    """Book two documents; return them, and their rows as the feed tells them."""
    contexts = [delivery(vendor), delivery(vendor, swaps={"2026-0001": "2026-0002"})]
    for context in contexts:
        await vendor.send(context)
    return contexts, [{name: row[name] for name in row if not name.startswith("@")} for row in sandbox.bookings()]


@pytest.mark.parametrize(
    "change",
    [
        {"bookingLines": None},
        {"amount": None},
        {"amount": "582.77"},
        {"bookyearPeriodeNr": None, "currencyCode": None, "documentDate": None, "reference": None},
        {"bookyearPeriodeNr": "202601"},
        {"bookyearPeriodeNr": 202601.0, "documentSequenceNr": "1", "bookyearKey": 3},
        {"relationIdentificationServiceData": None},
        {"relationIdentificationServiceData": 88},
        {"journalKey": {"id": "V1"}},
        {"documentKey": DELETED, "journalKey": None, "bookyearKey": None, "documentSequenceNr": None},
    ],
)
async def test_a_booking_is_read_back_in_any_of_these_shapes(
    vendor: Vendor, sandbox: Sandbox, change: Mapping[str, Any]
) -> None:
    contexts, rows = await two_sent(vendor, sandbox)
    have_answered(sandbox, FEED, [{**rows[0], **change}, rows[1]])
    seen = await CONNECTOR.read_back(vendor, contexts)
    assert [type(seen.get(context.delivery.id)) for context in contexts] == [Booked, Booked]
    assert await CONNECTOR.lookup(contexts[0]) == Found(
        "3/V1/1", "V1/2026/1", handle_url(seen[contexts[0].delivery.id])
    )


async def test_keys_in_lines_may_be_objects(vendor: Vendor, sandbox: Sandbox) -> None:
    contexts, rows = await two_sent(vendor, sandbox)
    for line in rows[0]["bookingLines"]:
        line.update({"accountKey": {"id": line["accountKey"]}, "vatCodeKey": {"id": line["vatCodeKey"]}})
    have_answered(sandbox, FEED, rows)
    seen = await CONNECTOR.read_back(vendor, contexts)
    assert [type(seen.get(context.delivery.id)) for context in contexts] == [Booked, Booked]


@pytest.mark.parametrize("change", [{"bookingLines": ["x"]}, {"bookingLines": 2}, {"documentSequenceNr": None}])
async def test_a_booking_that_cannot_be_read_hides_no_other(
    vendor: Vendor, sandbox: Sandbox, change: Mapping[str, Any]
) -> None:
    contexts, rows = await two_sent(vendor, sandbox)
    have_answered(sandbox, FEED, [None, {**rows[0], **change}, rows[1]])
    with capture_logs() as logs:
        seen = await CONNECTOR.read_back(vendor, contexts)
    assert not isinstance(seen.get(contexts[0].delivery.id), Booked | Vanished), "nobody says that it is gone"
    assert isinstance(seen[contexts[1].delivery.id], Booked)
    assert len(logs) == 1


async def test_a_booking_with_our_reference_is_ours_wherever_it_says_it_stands(
    vendor: Vendor, sandbox: Sandbox
) -> None:
    contexts, rows = await two_sent(vendor, sandbox)
    have_answered(sandbox, FEED, [{**rows[0], "bookyearKey": None}])
    found = await CONNECTOR.lookup(contexts[0])
    assert isinstance(found, Found)
    assert (found.remote_id, found.problem) == ("3/V1/1", None)


@pytest.mark.parametrize("wrapped", ["modified", "modifiedBookings"])
async def test_a_feed_may_be_wrapped(vendor: Vendor, sandbox: Sandbox, wrapped: str) -> None:
    contexts, rows = await two_sent(vendor, sandbox)
    have_answered(sandbox, FEED, {"modifiedTimeStamp": None, wrapped: rows, "timeStamp": "2026-01-15 10:00:00.000"})
    assert isinstance(await CONNECTOR.lookup(contexts[0]), Found)
    have_answered(sandbox, FEED, rows[0])
    assert isinstance(await CONNECTOR.lookup(contexts[0]), Found), "or be the one row itself"
    empty: list[Row] = [{wrapped: None}, {wrapped: []}, {}, {"modifiedBookings": None, "deletedBookings": None}]
    for nothing in empty:
        have_answered(sandbox, FEED, nothing)
        assert isinstance(await CONNECTOR.lookup(contexts[0]), NotFound)
        assert set(await CONNECTOR.read_back(vendor, contexts)) == {each.delivery.id for each in contexts}


# ── master data ──


@pytest.mark.parametrize(
    ("path", "keyed", "told"),
    [
        ("bookyears$", {"bookyearKey": 3}, {"startDate": None}),
        ("accounts$", {"accountKey": 700000, "description": "Verkopen"}, {"description": {"description_NL": "Geen"}}),
        ("journals$", {"journalKey": {"id": "V1"}, "name": None}, {"journalKey": None, "name": "Geen"}),
        ("vatcodes$", {"code": "21", "basePercentage": "21", "type": "2"}, {"code": "", "description": "Geen"}),
        (
            "relations$",
            {"relationKey": {"id": 88}, "name": "A"},
            {"relationIdentificationServiceData": None, "name": "B"},
        ),
    ],
)
async def test_an_import_reads_what_has_a_key_and_logs_the_rest(
    vendor: Vendor, sandbox: Sandbox, path: str, keyed: Mapping[str, Any], told: Mapping[str, Any]
) -> None:
    have_answered(sandbox, path, [keyed, told, {}])
    with capture_logs() as logs:
        data = await CONNECTOR.import_master_data(vendor)
    kind = {"bookyears$": "bookyear", "accounts$": "ledger_account", "vatcodes$": "vat_code"}.get(path, path[:-2])
    codes = {record.code for record in data.lines() if record.kind == kind}
    assert codes == {"bookyears$": {"3"}, "accounts$": {"700000"}, "journals$": {"V1"}, "vatcodes$": {"21"}}.get(
        path, {"88"}
    )
    assert {each["count"] for each in logs} == {2}


async def test_a_relation_is_found_beside_one_that_cannot_be_read(vendor: Vendor, sandbox: Sandbox) -> None:
    made = sandbox.add_relation("Exemple Conseil SRL", vatNr="BE0000000295", client=True)
    before = len(sandbox.relations())
    row = {name: made[name] for name in made if not name.startswith("@")}
    have_answered(sandbox, "relations$", [{"name": "Exemple Conseil SRL"}, row])
    await vendor.book(delivery(vendor))
    assert len(sandbox.relations()) == before
    assert sandbox.relation_of(sandbox.bookings()[0]) == made

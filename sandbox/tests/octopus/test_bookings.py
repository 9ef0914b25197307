"""Behaviours 24 to 35, 38 and 44: buy and sell bookings, what is checked of them, and the feeds that show them."""

import base64
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from koppel_sandbox.octopus.seed import BAKERY

from .conftest import LONG_AGO, YEAR, Login, line, purchase, refused, sale

SYNC = "/octopus-filesync-api/v1"
PDF = {"fileName": "F2026-0311.pdf", "fileData": base64.b64encode(b"%PDF-1.4").decode()}
CREDIT: dict[str, Any] = {"amount": -355.0}


def control(octopus: Login, action: str, **body: Any) -> Any:
    return octopus.server.control(action, dossier=BAKERY, **body)


def switch(octopus: Login, **switches: Any) -> None:
    octopus.server.control("switches", **switches)


def moment(octopus: Login, ahead_s: float = 0) -> str:
    """Return a moment as ``modifiedTimeStamp`` names it, in Brussels."""
    here = octopus.state.clock.now().astimezone(ZoneInfo("Europe/Brussels")) + timedelta(seconds=ahead_s)
    return here.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def test_24_a_booking_is_stored_and_visible_in_both_feeds(octopus: Login) -> None:
    answer = octopus.book()
    assert (answer.status_code, answer.content) == (201, b"")
    (booking,) = octopus.feed().json()
    assert booking["comment"] == "F2026-0311"
    assert booking["reference"] == "+++202/6000/01711+++"
    assert (booking["amount"], booking["bookyearPeriodeNr"]) == (355.0, 202602)
    assert [row["vatAmount"] for row in booking["bookingLines"]] == [52.5, 2.97]
    other = octopus.rows(f"/bookyears/{YEAR}/bookings/modified", journalTypeId=1, modifiedTimeStamp=LONG_AGO)
    assert other == {"modifiedBookings": [booking], "deletedBookings": []}


def test_24_a_sale(octopus: Login) -> None:
    assert octopus.book(sale()).status_code == 201
    assert octopus.feed(journalKey="V1").json()[0]["amount"] == 121.0


@pytest.mark.parametrize("number", [0, 2, -1, "1", None])
def test_25_only_the_next_number(octopus: Login, number: Any) -> None:
    assert refused(octopus.book(documentSequenceNr=number)) == (500, -13)
    switch(octopus, wrong_number_status=400)
    assert refused(octopus.book(documentSequenceNr=number)) == (400, -13)


def test_25_a_number_is_taken_once_and_gaps_are_a_switch(octopus: Login) -> None:
    assert octopus.book().status_code == 201
    assert refused(octopus.book()) == (500, -13)
    switch(octopus, gaps_allowed=True)
    assert octopus.book(documentSequenceNr=7).status_code == 201
    assert refused(octopus.book(documentSequenceNr=6)) == (500, -13)
    assert octopus.journal("A1")["lastBookedDocumentNr"] == 7


def test_26_a_closed_bookyear_or_journal(octopus: Login) -> None:
    assert refused(octopus.book(bookyearKey={"id": 1}, bookyearPeriodeNr=202402)) == (403, -11)
    control(octopus, "journal", journal="A1", closed=True)
    assert refused(octopus.book()) == (403, -11)
    switch(octopus, closed_status=500)
    assert refused(octopus.book()) == (500, -11)
    control(octopus, "journal", journal="A1", closed=False)
    assert octopus.book().status_code == 201


@pytest.mark.parametrize("field", ["protectedPeriod", "closedPeriod"])
def test_26_only_periods_above_the_protected_one(octopus: Login, field: str) -> None:
    control(octopus, "journal", journal="A1", **{field: 202602})
    assert refused(octopus.book()) == (403, -15)
    switch(octopus, protected_period_status=500)
    assert refused(octopus.book()) == (500, -15)
    assert octopus.book(bookyearPeriodeNr=202603).status_code == 201


@pytest.mark.parametrize("period", [202605, 202502, None])
def test_26_an_unknown_period(octopus: Login, period: Any) -> None:
    assert refused(octopus.book(bookyearPeriodeNr=period)) == (500, -14)
    switch(octopus, unknown_period_status=400)
    assert refused(octopus.book(bookyearPeriodeNr=period)) == (400, -14)


def test_27_a_journal_held_by_a_user(octopus: Login) -> None:
    control(octopus, "journal", journal="A1", held_by="An Peeters")
    answer = octopus.book()
    assert refused(answer) == (403, -12)
    assert "An Peeters" in answer.json()["errorMessage"]
    assert octopus.book(sale()).status_code == 201
    control(octopus, "journal", journal="A1", held_by=None)
    assert octopus.book().status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bookyearKey": {"id": 9}}, -9),
        ({"journalKey": "A9"}, -10),
        ({"relationIdentificationServiceData": {"relationKey": {"id": 99}}}, -16),
        ({"relationIdentificationServiceData": None}, -16),
        ({"documentDate": None}, -17),
        ({"expiryDate": ""}, -18),
        ({"currencyCode": "XXX"}, -19),
        ({"exchangeRate": 0}, -20),
        ({"exchangeRate": -1.5}, -20),
        ({"bookingLines": [line(accountKey=799999)]}, -21),
        ({"bookingLines": [line(vatCodeKey="X9")]}, -22),
        ({"bookingLines": [line(vatRecupPercentage=101)]}, -30),
        ({"bookingLines": [line(costCentreKey={"id": 2})]}, -40),
        ({"bookingLines": []}, -24),
    ],
)
def test_28_unknown_things(octopus: Login, change: dict[str, Any], code: int) -> None:
    assert refused(octopus.book(**change)) == (500, code)
    switch(octopus, data_error_status=400)
    assert refused(octopus.book(**change)) == (400, code)
    assert octopus.feed().status_code == 404
    assert octopus.book().status_code == 201, "a refused booking takes no number"


def test_28_the_side_of_a_relation_is_a_switch(octopus: Login) -> None:
    client = {"relationKey": {"id": 1}}
    assert octopus.book(relationIdentificationServiceData=client).status_code == 201
    switch(octopus, relation_side_checked=True)
    assert refused(octopus.book(relationIdentificationServiceData=client, documentSequenceNr=2)) == (500, -16)


def test_28_a_relation_by_its_external_number(octopus: Login) -> None:
    keys = {"externalRelationId": 500017}
    octopus.call("PUT", "/relations", json={"name": "Zuid", "vatType": 10, "relationIdentificationServiceData": keys})
    assert octopus.book(relationIdentificationServiceData=keys).status_code == 201
    stored = octopus.feed().json()[0]["relationIdentificationServiceData"]
    assert stored == {"relationKey": {"id": 6}, "externalRelationId": 500017}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"buySellBookingServiceData": 3}'])
def test_28_no_booking_at_all(octopus: Login, body: bytes) -> None:
    assert refused(octopus.call("POST", "/buysellbookings", content=body)) == (400, -79)


@pytest.mark.parametrize("nonsense", [None, [], {}, "x", True, -1])
def test_28_nonsense_is_refused_with_an_error_body(octopus: Login, nonsense: Any) -> None:
    kept = {"paymentMethod", "comment", "reference", "orderReference"}
    for name in purchase().keys() - kept:
        status, code = refused(octopus.book(**{name: nonsense}))
        assert status in {400, 500} and code < 0, name
    for name in ("accountKey", "baseAmount", "vatAmount", "vatCodeKey", "costCentreKey", "vatRecupPercentage"):
        if nonsense is not None or name not in {"vatCodeKey", "costCentreKey"}:
            assert octopus.book(bookingLines=[line(**{name: nonsense})]).json()["errorCode"] < 0, name
    assert octopus.feed().status_code == 404


@pytest.mark.parametrize(("base", "vat"), [(100, -21), (-100, 21)])
def test_29_base_and_vat_share_a_sign(octopus: Login, base: int, vat: int) -> None:
    lines = [line(baseAmount=base, vatAmount=vat), line(baseAmount=276, vatAmount=0)]
    assert refused(octopus.book(bookingLines=lines)) == (500, -23)


def test_29_no_vat_is_fine(octopus: Login) -> None:
    assert octopus.book(amount=100, bookingLines=[line(baseAmount=100, vatAmount=0)]).status_code == 201


def test_30_a_total_that_the_lines_do_not_make(octopus: Login) -> None:
    assert refused(octopus.book(amount=355.01)) == (500, -24)
    assert refused(octopus.book(amount=-354.99)) == (500, -24)
    switch(octopus, sums_checked=False)
    assert octopus.book(amount=355.01).status_code == 201


def test_30_sums_are_exact(octopus: Login) -> None:
    tenths = [line(baseAmount=0.1, vatAmount=0.0) for _ in range(3)]
    assert octopus.book(amount=0.3, bookingLines=tenths).status_code == 201


def test_31_a_credit_note_is_negative_with_positive_lines(octopus: Login) -> None:
    assert octopus.book(**CREDIT).status_code == 201
    assert octopus.ledger()["bookings"][0]["creditNote"] is True


def test_31_a_line_against_the_direction_of_its_booking_is_negative(octopus: Login) -> None:
    discount = line(baseAmount=-50, vatAmount=-10.5)
    assert octopus.book(amount=242, bookingLines=[line(), discount]).status_code == 201
    assert octopus.book(amount=-242, bookingLines=[line(), discount], documentSequenceNr=2).status_code == 201


def test_31_negative_twice_is_a_switch(octopus: Login) -> None:
    lines = [line(baseAmount=-250, vatAmount=-52.5)]
    assert refused(octopus.book(amount=-302.5, bookingLines=lines)) == (500, -24)
    switch(octopus, sums_checked=False)
    assert refused(octopus.book(amount=-302.5, bookingLines=lines)) == (500, -24)
    switch(octopus, negative_credit_lines_refused=False, sums_checked=True)
    assert octopus.book(amount=-302.5, bookingLines=lines).status_code == 201


def test_32_codes_and_journals_of_the_wrong_kind(octopus: Login) -> None:
    assert refused(octopus.book(bookingLines=[line(vatCodeKey="21")])) == (500, -75)
    assert refused(octopus.book(sale(bookingLines=[line(accountKey=700000)]))) == (500, -75)
    assert refused(octopus.book(sale(journalKey="V9"))) == (500, -29)
    assert refused(octopus.book(bookingLines=[line(accountKey=600)])) == (500, -50)
    assert refused(octopus.book(journalKey="D1")) == (500, -38)


def test_33_attachments_are_stored_and_listed(octopus: Login) -> None:
    ubl = {"fileName": "F2026-0311.xml", "fileData": base64.b64encode(b"<Invoice/>").decode()}
    assert octopus.book(attachments=[PDF, ubl]).status_code == 201
    listed = octopus.call("GET", "/bookingfiles", api=SYNC, params={"modifiedTimeStamp": LONG_AGO}).json()
    key = {"bookyearKey": {"id": YEAR}, "journalType": 1, "journalSequenceNr": 1, "documentSequenceNr": 1}
    assert listed[0] == {"documentKey": key, "fileName": "F2026-0311.pdf", "fileSubDirectoryList": ["2026"]}
    assert octopus.call("POST", "/bookingfiles", api=SYNC, json=listed[1]).content == b"<Invoice/>"
    one = {"modifiedTimeStamp": LONG_AGO, "documentSequenceNr": 2}
    assert refused(octopus.call("GET", "/bookingfiles", api=SYNC, params=one)) == (404, -45)
    assert [file["fileName"] for file in octopus.ledger()["bookings"][0]["files"]] == [PDF["fileName"], ubl["fileName"]]


def test_33_switched_files_are_not_listed(octopus: Login) -> None:
    octopus.book(attachments=[PDF])
    switch(octopus, files_listed=False)
    since = {"modifiedTimeStamp": LONG_AGO}
    assert refused(octopus.call("GET", "/bookingfiles", api=SYNC, params=since)) == (404, -45)
    assert octopus.ledger()["bookings"][0]["files"]


def test_33_what_is_not_base64_is_refused_with_the_booking(octopus: Login) -> None:
    assert refused(octopus.book(attachments=[{"fileName": "a.pdf", "fileData": "?"}])) == (400, -79)
    assert octopus.feed().status_code == 404


def test_33_attached_later(octopus: Login) -> None:
    octopus.book()
    key = {"bookyearKey": {"id": YEAR}, "journalType": 1, "journalSequenceNr": 1, "documentSequenceNr": 1}
    body = {"documentKey": key, "attachments": [PDF]}
    assert octopus.call("POST", f"/bookyears/{YEAR}/bookings/attachements", json=body).status_code == 201
    assert octopus.ledger()["bookings"][0]["files"][0]["size_bytes"] == 8
    body["documentKey"] = key | {"documentSequenceNr": 9}
    assert refused(octopus.call("POST", f"/bookyears/{YEAR}/bookings/attachements", json=body)) == (404, -34)


def test_34_the_feed_narrows_by_moment_year_and_journal(octopus: Login) -> None:
    octopus.book()
    octopus.book(sale())
    assert len(octopus.feed().json()) == 2
    assert [one["journalKey"] for one in octopus.feed(journalKey="V1").json()] == ["V1"]
    one_year = {"bookyearId": 2, "modifiedTimeStamp": LONG_AGO}
    assert refused(octopus.get("/buysellbookings/modified", **one_year)) == (404, -33)
    assert len(octopus.feed(moment(octopus, -60)).json()) == 2
    assert refused(octopus.feed(moment(octopus, 60))) == (404, -33)
    assert refused(octopus.feed("yesterday")) == (400, -79)
    assert refused(octopus.get("/buysellbookings/modified", modifiedTimeStamp=LONG_AGO)) == (400, -79)


def test_34_the_zone_of_the_moment_is_a_switch(octopus: Login) -> None:
    octopus.book()
    assert octopus.feed(moment(octopus, -60)).status_code == 200
    switch(octopus, feed_time_zone="America/New_York")
    assert octopus.feed(moment(octopus, -60)).status_code == 404


def test_34_the_feed_may_lag(octopus: Login) -> None:
    switch(octopus, feed_lag_s=90)
    octopus.book()
    assert octopus.feed().status_code == 404
    octopus.server.control("clock", advance_s=91)
    assert octopus.feed().status_code == 200


@pytest.mark.parametrize(
    ("spelled", "year", "number", "status"),
    [
        ("both", "bookyearId", "documentSeqNr", 200),
        ("both", "bookyearKeyId", "documentSequenceNr", 200),
        ("2020", "bookyearKeyId", "documentSequenceNr", 400),
        ("2026", "bookyearKeyId", "documentSequenceNr", 200),
        ("2026", "bookyearId", "documentSeqNr", 400),
    ],
)
def test_34_the_list_read_in_two_spellings(octopus: Login, spelled: str, year: str, number: str, status: int) -> None:
    octopus.book()
    switch(octopus, booking_read_parameters=spelled)
    answer = octopus.get("/buysellbookings", **{year: YEAR, "journalKey": "A1", number: 1})
    assert answer.status_code == status
    assert status == 400 or answer.json()[0]["comment"] == "F2026-0311"


def test_35_the_other_feed_tells_deletions(octopus: Login) -> None:
    octopus.book()
    octopus.book(sale())
    control(octopus, "record", table="bookings", where={"journalKey": "A1"}, delete=True)
    path = f"/bookyears/{YEAR}/bookings/modified"
    key = {"bookyearKey": {"id": YEAR}, "journalKey": "A1", "documentSequenceNr": 1}
    bought = octopus.rows(path, journalTypeId=1, modifiedTimeStamp=LONG_AGO)
    assert bought == {"modifiedBookings": [], "deletedBookings": [key]}
    sold = octopus.rows(path, journalTypeId=2, modifiedTimeStamp=LONG_AGO)
    assert (len(sold["modifiedBookings"]), sold["deletedBookings"]) == (1, [])
    assert octopus.journal("A1")["lastBookedDocumentNr"] == 0
    assert refused(octopus.get(path, journalTypeId=3, modifiedTimeStamp=LONG_AGO)) == (400, -79)


@pytest.mark.parametrize(
    ("switched", "key"),
    [
        ("without_bookyear", {"journalKey": "A1", "documentSequenceNr": 1}),
        (
            "document",
            {
                "documentKey": {
                    "bookyearKey": {"id": YEAR},
                    "journalType": 1,
                    "journalSequenceNr": 1,
                    "documentSequenceNr": 1,
                }
            },
        ),
    ],
)
def test_35_a_deletion_is_named_as_switched(octopus: Login, switched: str, key: dict[str, Any]) -> None:
    octopus.book()
    control(octopus, "record", table="bookings", where={"journalKey": "A1"}, delete=True)
    switch(octopus, deleted_key=switched)
    path = f"/bookyears/{YEAR}/bookings/modified"
    assert octopus.rows(path, journalTypeId=1, modifiedTimeStamp=LONG_AGO)["deletedBookings"] == [key]


def test_35_nothing_changed_is_an_empty_object_unless_switched(octopus: Login) -> None:
    path = f"/bookyears/{YEAR}/bookings/modified"
    nothing: dict[str, Any] = {"modifiedBookings": [], "deletedBookings": []}
    assert octopus.rows(path, journalTypeId=1, modifiedTimeStamp=LONG_AGO) == nothing
    switch(octopus, empty_object_feed_is_404=True)
    assert refused(octopus.get(path, journalTypeId=1, modifiedTimeStamp=LONG_AGO)) == (404, -33)


def test_38_bookings_are_not_deleted_unless_switched(octopus: Login) -> None:
    octopus.book()
    octopus.book(documentSequenceNr=2)

    def delete(number: int) -> httpx2.Response:
        params = {"bookyearId": YEAR, "journalKey": "A1", "documentSeqNr": number}
        answer: httpx2.Response = octopus.call("DELETE", "/buysellbookings", params=params)
        return answer

    assert refused(delete(2)) == (405, -79)
    switch(octopus, delete_allowed=True)
    assert refused(delete(1)) == (500, -24)
    assert delete(2).status_code == 204
    assert [one["documentSequenceNr"] for one in octopus.feed().json()] == [1]


def test_44_put_changes_a_booking(octopus: Login) -> None:
    octopus.book()
    answer = octopus.call("PUT", "/buysellbookings", json=purchase(comment="F2026-0312"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert [one["comment"] for one in octopus.feed().json()] == ["F2026-0312"]
    assert octopus.journal("A1")["lastBookedDocumentNr"] == 1
    unknown = purchase(documentSequenceNr=2)
    assert refused(octopus.call("PUT", "/buysellbookings", json=unknown)) == (404, -34)
    switch(octopus, unknown_booking_status=500)
    assert refused(octopus.call("PUT", "/buysellbookings", json=unknown)) == (500, -34)
    assert refused(octopus.call("PUT", "/buysellbookings", json=purchase(amount=1))) == (500, -24)


def test_a_missing_right_to_book(octopus: Login) -> None:
    octopus.server.control("user", user="B012345", deny=[[BAKERY, "buysellbookings"]])
    assert refused(octopus.book()) == (403, -3)
    octopus.server.control("user", user="B012345", allow=[[BAKERY, "buysellbookings"]])
    assert octopus.book().status_code == 201


def test_the_ledger_shows_vat_by_code(octopus: Login) -> None:
    octopus.book(bookingLines=[line(), line(baseAmount=49.53, vatAmount=2.97)])
    (booking,) = octopus.ledger()["bookings"]
    assert {name: Decimal(value) for name, value in booking["vatByCode"]["D21"].items()} == {
        "base": Decimal("299.53"),
        "vat": Decimal("55.47"),
    }
    assert booking["relation"]["name"] == "Drukkerij Vlaskaai NV"

"""The driver does at Octopus what the story and the promises ask of every sandbox."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from koppel_sandbox.driver import Entry, LostAnswer
from koppel_sandbox.octopus.driver import OctopusDriver
from koppel_sandbox.octopus.seed import BAKERY

from .conftest import YEAR, Login, line, purchase, refused, sale

FILE = {"fileName": "a.pdf", "fileData": "JVBERi0="}
COMPANY = OctopusDriver.companies[0]


@pytest.fixture
def driver(octopus: Login) -> Iterator[OctopusDriver]:
    with closing(OctopusDriver(octopus.server.url)) as driver:
        yield driver


def test_entries_are_bookings_as_people_know_them(octopus: Login, driver: OctopusDriver) -> None:
    octopus.book(sale(comment="2026-0001"), attachments=[FILE])
    octopus.book(sale(journalKey="V2", comment="2026-0002", amount=-121.0, reference=""))
    assert driver.entries(COMPANY) == [
        Entry("2026-0001", "V1/2026/1", "V1", Decimal(121), "202600001711", has_files=True),
        Entry("2026-0002", "V2/2026/1", "V2", Decimal(-121), "", has_files=False),
    ]
    assert driver.entries(OctopusDriver.companies[1]) == []


def test_what_an_accountant_does(octopus: Login, driver: OctopusDriver) -> None:
    day = date(2026, 5, 4)
    driver.close_period(COMPANY, day)
    assert refused(octopus.book(sale())) == (403, -15)
    driver.open_period(COMPANY, day)
    driver.deny_booking(COMPANY)
    assert refused(octopus.book(sale())) == (403, -3)
    driver.allow_booking(COMPANY)
    assert octopus.book(sale(comment="2026-0001")).status_code == 201
    driver.change_total(COMPANY, "2026-0001", Decimal("100.00"))
    assert octopus.feed().json()[0]["amount"] == 100.0
    driver.delete_entry(COMPANY, "2026-0001")
    assert octopus.feed().status_code == 404


def test_what_the_sandbox_saw(octopus: Login, driver: OctopusDriver) -> None:
    octopus.feed()
    assert driver.read_count(COMPANY) == 0
    octopus.book()
    octopus.feed()
    assert driver.read_count(COMPANY) == 1
    calls = driver.call_count()
    octopus.rows("/bookyears")
    assert driver.call_count() == calls + 1
    assert driver.is_booking("POST", "/octopus-rest-api/v1/dossiers/1/buysellbookings")
    assert not driver.is_booking("GET", "/octopus-rest-api/v1/dossiers/1/buysellbookings")


@pytest.mark.parametrize("how", list(LostAnswer))
def test_answers_get_lost(octopus: Login, driver: OctopusDriver, how: LostAnswer) -> None:
    driver.lose_answers(how, times=1)
    octopus.http.timeout = httpx2.Timeout(0.5)
    if how is LostAnswer.UNREADABLE:
        assert octopus.book().text.startswith("<html>")
    else:
        with pytest.raises(httpx2.TransportError):
            octopus.book()
    assert octopus.journal("A1", YEAR)["lastBookedDocumentNr"] == 1


def test_faults_of_a_company_begin_and_end(octopus: Login, driver: OctopusDriver) -> None:
    octopus.book()
    driver.fail_reading(COMPANY)
    assert octopus.feed().status_code == 502
    octopus.rows("/relations")
    driver.clear_faults()
    driver.throttle(COMPANY, times=1, retry_after_s=7)
    answer = octopus.feed()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    driver.slow_down(COMPANY, 0.4)
    assert octopus.feed().elapsed.total_seconds() >= 0.4
    driver.clear_faults()
    octopus.server.control("switches", daily_limits=True, feed_limit=0)
    driver.lift_limits()
    assert octopus.feed().status_code == 200


def test_a_company_without_rights_is_listed_and_cannot_be_connected(octopus: Login) -> None:
    number = int(OctopusDriver.company_without_rights)
    assert refused(octopus.connect(number)) == (403, -3)
    assert octopus.connect(BAKERY).status_code == 200


def test_a_company_of_one_test_and_what_goes_wrong_in_it(octopus: Login, driver: OctopusDriver) -> None:
    company = driver.open_company("0000000196")
    assert octopus.connect(int(company.remote_id)).status_code == 200
    assert octopus.book(sale(comment="2026-0001")).status_code == 201
    assert driver.change(company, "accounts", {"@header": False}, set={"@header": True}) > 1
    assert refused(octopus.book(sale(documentSequenceNr=2))) == (500, -50)
    driver.spoil(company, "status", "vatcodes|relations", status=403, body="{}")
    assert octopus.get("/vatcodes").status_code == 403
    driver.spoil(driver.open_company("0000000197"), "html_502")
    driver.repair(company)
    octopus.rows("/vatcodes")
    assert len(octopus.state.faults) == 1, "the other dossier's stays"
    driver.renumber(company, "0000000295")
    assert octopus.state.tables["dossiers"][company.remote_id]["vatNr"] == "BE0000000295"


@pytest.mark.parametrize(
    ("booked", "boxes"),
    [
        (sale(), {"03": "100.00", "54": "21.00"}),
        (sale(amount=-121.0), {"49": "100.00", "64": "21.00"}),
        (purchase(), {"81": "49.53", "82": "250.00", "59": "55.47"}),
        (purchase(amount=-355.0), {"81": "-49.53", "82": "-250.00", "63": "55.47", "85": "299.53"}),
        (
            purchase(amount=250.0, bookingLines=[line(vatCodeKey="ICD21", vatAmount=0)]),
            {"82": "250.00", "88": "250.00", "55": "52.50", "59": "52.50"},
        ),
        (purchase(amount=302.5, bookingLines=[line(vatRecupPercentage=50)]), {"82": "276.25", "59": "26.25"}),
    ],
)
def test_the_vat_return_of_a_booking(
    octopus: Login, driver: OctopusDriver, booked: dict[str, Any], boxes: dict[str, str]
) -> None:
    assert octopus.book(booked, attachments=[FILE]).status_code == 201
    number = booked["comment"]
    assert driver.vat_boxes(COMPANY, number) == {box: Decimal(amount) for box, amount in boxes.items()}
    assert driver.files(COMPANY, number) == ["a.pdf"]

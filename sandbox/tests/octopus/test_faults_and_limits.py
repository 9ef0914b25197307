"""Behaviours 37 and 41: limits of a day, bad gateways, answers that get lost after the work was done."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from koppel_sandbox.faults import Fault
from koppel_sandbox.octopus import create_app, seeded
from koppel_sandbox.octopus.seed import BAKERY, STUDIO

from .conftest import REST, Login, refused, sale

BOOKINGS = "buysellbookings"


def test_37_no_limit_by_default(octopus: Login) -> None:
    assert [octopus.feed().status_code for _ in range(60)] == [404] * 60


def test_37_feeds_are_limited_each_by_itself_a_day(octopus: Login) -> None:
    octopus.server.control("switches", daily_limits=True)
    for _ in range(48):
        octopus.feed()
    assert refused(octopus.feed()) == (429, -51)
    since = "2000-01-01 00:00:00.000"
    assert octopus.get("/relations/modified", modifiedTimeStamp=since).status_code == 200
    octopus.server.control("switches", limit_status=403, limit_code=-3)
    assert refused(octopus.feed()) == (403, -3)
    here = octopus.state.clock.now().astimezone(ZoneInfo("Europe/Brussels"))
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=1)
    octopus.server.control("clock", advance_s=(midnight - here).total_seconds() + 1)
    octopus.log_in().connect(BAKERY)
    assert octopus.feed().status_code == 404, "the day of Brussels begins anew"


def test_37_writes_are_limited_by_operation(octopus: Login) -> None:
    octopus.server.control("switches", daily_limits=True, write_limit=2)
    assert octopus.book().status_code == 201
    assert refused(octopus.book()) == (500, -13), "a refused write counts"
    assert refused(octopus.book(documentSequenceNr=2)) == (429, -51)
    assert octopus.call("PUT", "/relations", json={"name": "Zuid", "vatType": 10}).status_code == 201


@pytest.mark.parametrize(("scope", "shared"), [("dossier", False), ("user", True), ("software_house", True)])
def test_37_whose_limit_it_is_is_a_switch(octopus: Login, scope: str, shared: bool) -> None:
    octopus.server.control("switches", daily_limits=True, write_limit=1, limit_scope=scope)
    assert octopus.book().status_code == 201
    octopus.connect(STUDIO)
    answer = octopus.book(sale(bookyearPeriodeNr=202605))
    assert answer.status_code == (429 if shared else 201)


@pytest.mark.parametrize(
    ("kind", "acts", "error"),
    [
        ("reset_before", False, httpx2.TransportError),
        ("reset_after_commit", True, httpx2.TransportError),
        ("half_answer_after_commit", True, httpx2.RemoteProtocolError),
        ("hang", False, httpx2.ReadTimeout),
        ("hang_after_commit", True, httpx2.ReadTimeout),
    ],
)
def test_41_processed_but_the_connection_dropped(octopus: Login, kind: str, acts: bool, error: type[Exception]) -> None:
    octopus.server.control("faults", kind=kind, path=BOOKINGS, seconds=1)
    octopus.http.timeout = httpx2.Timeout(0.5)
    with pytest.raises(error):
        octopus.book()
    assert octopus.journal("A1")["lastBookedDocumentNr"] == int(acts), "after_commit acts first, the others never"
    assert octopus.book(documentSequenceNr=1 + acts).status_code == 201, "one fault meets one request"


@pytest.mark.parametrize(
    ("kind", "status", "acts"),
    [("html_502", 502, False), ("html_503", 503, False), ("throttle", 429, False), ("html_after_commit", 200, True)],
)
def test_41_pages_of_a_gateway(octopus: Login, kind: str, status: int, acts: bool) -> None:
    octopus.server.control("faults", kind=kind, path=BOOKINGS, headers={"Retry-After": "2"})
    answer = octopus.book()
    assert answer.status_code == status
    assert kind == "throttle" or answer.headers["content-type"].startswith("text/html")
    assert octopus.journal("A1")["lastBookedDocumentNr"] == int(acts)


def test_41_bad_gateways_at_random(octopus: Login) -> None:
    octopus.server.control("faults", kind="html_502", method="GET", path="vatcodes", times=-1, chance=0.5)
    seen = {octopus.get("/vatcodes").status_code for _ in range(60)}
    assert seen == {200, 502}
    octopus.server.control("faults", clear=True)
    assert octopus.get("/vatcodes").status_code == 200


def test_41_every_step_of_the_login_can_fail(octopus: Login) -> None:
    for path in (r"v1/authentication$", r"v1/dossiers$", "octopus-oauth/token"):
        octopus.server.control("faults", kind="html_502", method="POST", path=path)
    assert octopus.authenticate().status_code == 502
    assert octopus.connect(BAKERY).status_code == 502
    assert octopus.http.post("/octopus-oauth/token", data={}).status_code == 502
    assert octopus.authenticate().status_code == 200


def test_41_a_fault_of_one_dossier(octopus: Login) -> None:
    octopus.server.control("faults", kind="status", path=f"/dossiers/{STUDIO}/", status=500, times=-1)
    octopus.rows("/bookyears")
    octopus.connect(STUDIO)
    answer: Any = octopus.get("/bookyears")
    assert (answer.status_code, "errorCode" in answer.json()) == (500, False)


def test_41_one_booking_that_the_feeds_show_late(octopus: Login) -> None:
    octopus.server.control("faults", kind="index_late", path=BOOKINGS, method="POST", seconds=60)
    assert octopus.book().status_code == 201
    assert octopus.book(documentSequenceNr=2).status_code == 201
    assert [row["documentSequenceNr"] for row in octopus.feed().json()] == [2]
    octopus.server.control("clock", advance_s=61)
    assert len(octopus.feed().json()) == 2


async def test_41_below_a_prefix_paths_are_the_same() -> None:
    state = seeded()
    app = Starlette(routes=[Mount("/sandbox/octopus", create_app(state))])
    state.faults.append(Fault("html_502", path=rf"^{REST}/authentication$"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://here/sandbox/octopus") as http:
        answers = [await http.post(f"{REST}/authentication", json={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [502, 401]
    assert [line.path for line in state.log] == [f"{REST}/authentication"] * 2


def test_an_unknown_action_or_switch_is_refused(octopus: Login) -> None:
    assert octopus.http.post("/_control/switches", json={"nothing": 1}).status_code == 400
    assert octopus.http.post("/_control/nothing", json={}).status_code == 404
    assert octopus.http.get(f"{REST}/nothing").status_code == 404

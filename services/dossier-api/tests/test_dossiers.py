"""Dossiers: refusals, lists, changes."""

import pytest

from koppel_mesh.ids import new_id
from koppel_mesh.messages import DossierChanged

from .conftest import OTHER_FIRM, Desk
from .papers import OURS, PDF, THEIRS, invoice

GOOD = {"name": "Bakkerij", "enterprise_number": OURS}


@pytest.mark.parametrize(
    "change",
    [
        {"enterprise_number": "0793904122"},
        {"enterprise_number": "0759529999"},
        {"enterprise_number": "NL123456789B01"},
        {"enterprise_number": ""},
        {"enterprise_number": 793904121},
        {"name": ""},
        {"name": "a\u0000b"},
        {"name": "x" * 201},
        {"language": "de"},
        {"email": "nobody"},
        {"export": {"frequency": "hourly"}},
        {"unheard_of": True},
        {"firm_id": str(OTHER_FIRM)},
    ],
)
async def test_a_dossier_that_cannot_be_is_refused(desk: Desk, change: dict[str, object]) -> None:
    answer = await desk.call("POST", "/dossiers", json=GOOD | change)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await desk.told() == []


async def test_lone_surrogates_and_broken_json_are_the_callers_fault(desk: Desk) -> None:
    for body in (b'{"name": "\\ud800", "enterprise_number": "0793904121"}', b"{", b"\xff", b"null", b"[" * 50_000):
        answer = await desk.call("POST", "/dossiers", content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, (body[:20], answer.text)


async def test_a_token_bound_to_no_firm_names_one(desk: Desk) -> None:
    answer = await desk.call("POST", "/dossiers", firm=None, json=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (422, "firm_id_required")
    made = await desk.dossier(firm=None, firm_id=str(OTHER_FIRM))
    assert made["firm_id"] == str(OTHER_FIRM)


async def test_a_dossier_is_made_and_announced(desk: Desk) -> None:
    made = await desk.dossier(enterprise_number="BE 0793.904.121", export={"frequency": "last_month"})
    assert made["enterprise_number"] == OURS
    assert made["export"] == {"frequency": "last_month", "approval_required": False, "lock_after_export": False}
    (told,) = await desk.told()
    assert isinstance(told, DossierChanged)
    assert (str(told.dossier_id), told.enterprise_number, told.version) == (made["id"], OURS, 1)
    assert told.export.frequency == "last_month"
    twin = await desk.dossier()
    assert twin["id"] != made["id"]


async def test_changed_rules_are_announced_and_the_rest_stays(desk: Desk) -> None:
    made = await desk.dossier(export={"frequency": "last_month", "lock_after_export": True}, email="a@b.be")
    await desk.told()
    changed = await desk.call("PATCH", f"/dossiers/{made['id']}", json={"export": {"approval_required": True}})
    assert changed.json()["export"] == {
        "frequency": "last_month",
        "approval_required": True,
        "lock_after_export": True,
    }
    assert changed.json()["email"] == "a@b.be"
    (told,) = await desk.told()
    assert (told.version, told.export.approval_required) == (2, True)
    await desk.call("PATCH", f"/dossiers/{made['id']}", json={"export": {"approval_required": True}})
    assert await desk.told() == []
    cleared = await desk.call("PATCH", f"/dossiers/{made['id']}", json={"email": None})
    assert cleared.json()["email"] is None
    for body in (
        {"name": None},
        {"enterprise_number": "1"},
        {"export": {"frequency": None}},
        {"firm_id": str(new_id())},
    ):
        assert (await desk.call("PATCH", f"/dossiers/{made['id']}", json=body)).status_code == 422


async def test_the_enterprise_number_stays_once_documents_were_filed(desk: Desk) -> None:
    made = await desk.dossier()
    path = f"/dossiers/{made['id']}"
    assert (await desk.call("PATCH", path, json={"enterprise_number": THEIRS})).json()["enterprise_number"] == THEIRS
    await desk.call("PATCH", path, json={"enterprise_number": OURS})
    await desk.filed(made["id"], invoice())
    answer = await desk.call("PATCH", path, json={"enterprise_number": THEIRS})
    assert (answer.status_code, answer.json()["code"]) == (409, "enterprise_number_in_use")
    assert (await desk.call("PATCH", path, json={"enterprise_number": OURS, "name": "Nieuw"})).json()["name"] == "Nieuw"


async def test_the_list_finds_by_name_reference_and_number(desk: Desk) -> None:
    await desk.dossier(name="Café 100% Zoet", reference="K-17")
    await desk.dossier(name="Slagerij", enterprise_number=THEIRS)
    for q, expected in (
        ("zoet", 1),
        ("100%", 1),
        ("%", 1),
        ("_", 0),
        ("k-17", 1),
        ("BE 0836.836.222", 1),
        ("0836", 1),
        ("", 2),
        ("niets", 0),
    ):
        answer = await desk.call("GET", "/dossiers", params={"q": q})
        assert len(answer.json()["items"]) == expected, q
    assert (await desk.call("GET", "/dossiers", params={"q": "a\0b"})).status_code == 422


async def test_pending_shows_only_who_has_papers_waiting(desk: Desk) -> None:
    entry, ready, held, _empty = [await desk.dossier() for _ in range(4)]
    await desk.call("PATCH", f"/dossiers/{held['id']}", json={"export": {"approval_required": True}})
    await desk.filed(entry["id"], PDF, "application/pdf")
    await desk.filed(ready["id"], invoice())
    await desk.filed(held["id"], invoice())
    shown = (await desk.call("GET", "/dossiers?pending=true")).json()["items"]
    assert [each["id"] for each in shown] == [entry["id"], ready["id"]]


async def test_lists_come_in_pages_that_neither_skip_nor_repeat(desk: Desk) -> None:
    made = [(await desk.dossier())["id"] for _ in range(5)]
    seen: list[str] = []
    query = "?limit=2"
    while query:
        page = (await desk.call("GET", f"/dossiers{query}")).json()
        seen += [each["id"] for each in page["items"]]
        query = f"?limit=2&after={page['next']}" if page["next"] else ""
    assert seen == made
    for query in ("?limit=201", "?limit=0", "?after=xx", "?after=WyJ4Il0"):
        assert (await desk.call("GET", f"/dossiers{query}")).status_code == 422

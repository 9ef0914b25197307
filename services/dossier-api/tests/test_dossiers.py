"""Dossiers: refusals, lists, changes."""

import pytest

from koppel_mesh.ids import new_id
from koppel_mesh.messages import DossierChanged

from .conftest import OTHER_FIRM, DossierClient
from .document_samples import OURS, PDF, THEIRS, invoice

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
async def test_a_dossier_that_cannot_be_is_refused(client: DossierClient, change: dict[str, object]) -> None:
    answer = await client.call("POST", "/dossiers", json=GOOD | change)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await client.take_events() == []


async def test_lone_surrogates_and_broken_json_are_the_callers_fault(client: DossierClient) -> None:
    for body in (b'{"name": "\\ud800", "enterprise_number": "0793904121"}', b"{", b"\xff", b"null", b"[" * 50_000):
        answer = await client.call("POST", "/dossiers", content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, (body[:20], answer.text)


async def test_a_token_bound_to_no_firm_names_one(client: DossierClient) -> None:
    answer = await client.call("POST", "/dossiers", firm=None, json=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (422, "firm_id_required")
    made = await client.dossier(firm=None, firm_id=str(OTHER_FIRM))
    assert made["firm_id"] == str(OTHER_FIRM)


async def test_a_dossier_is_made_and_announced(client: DossierClient) -> None:
    made = await client.dossier(enterprise_number="BE 0793.904.121", export={"frequency": "last_month"})
    assert made["enterprise_number"] == OURS
    assert made["export"] == {"frequency": "last_month", "approval_required": False, "lock_after_export": False}
    (event,) = await client.take_events()
    assert isinstance(event, DossierChanged)
    assert (str(event.dossier_id), event.enterprise_number, event.version) == (made["id"], OURS, 1)
    assert event.export.frequency == "last_month"
    twin = await client.dossier()
    assert twin["id"] != made["id"]


async def test_changed_rules_are_announced_and_the_rest_stays(client: DossierClient) -> None:
    made = await client.dossier(export={"frequency": "last_month", "lock_after_export": True}, email="a@b.be")
    await client.take_events()
    changed = await client.call("PATCH", f"/dossiers/{made['id']}", json={"export": {"approval_required": True}})
    assert changed.json()["export"] == {
        "frequency": "last_month",
        "approval_required": True,
        "lock_after_export": True,
    }
    assert changed.json()["email"] == "a@b.be"
    (event,) = await client.take_events()
    assert (event.version, event.export.approval_required) == (2, True)
    await client.call("PATCH", f"/dossiers/{made['id']}", json={"export": {"approval_required": True}})
    assert await client.take_events() == []
    cleared = await client.call("PATCH", f"/dossiers/{made['id']}", json={"email": None})
    assert cleared.json()["email"] is None
    for body in (
        {"name": None},
        {"enterprise_number": "1"},
        {"export": {"frequency": None}},
        {"firm_id": str(new_id())},
    ):
        assert (await client.call("PATCH", f"/dossiers/{made['id']}", json=body)).status_code == 422


async def test_the_enterprise_number_stays_once_documents_were_filed(client: DossierClient) -> None:
    made = await client.dossier()
    path = f"/dossiers/{made['id']}"
    assert (await client.call("PATCH", path, json={"enterprise_number": THEIRS})).json()["enterprise_number"] == THEIRS
    await client.call("PATCH", path, json={"enterprise_number": OURS})
    await client.filed(made["id"], invoice())
    answer = await client.call("PATCH", path, json={"enterprise_number": THEIRS})
    assert (answer.status_code, answer.json()["code"]) == (409, "enterprise_number_in_use")
    assert (await client.call("PATCH", path, json={"enterprise_number": OURS, "name": "Nieuw"})).json()[
        "name"
    ] == "Nieuw"


async def test_the_list_finds_by_name_reference_and_number(client: DossierClient) -> None:
    await client.dossier(name="Café 100% Zoet", reference="K-17")
    await client.dossier(name="Slagerij", enterprise_number=THEIRS)
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
        answer = await client.call("GET", "/dossiers", params={"q": q})
        assert len(answer.json()["items"]) == expected, q
    assert (await client.call("GET", "/dossiers", params={"q": "a\0b"})).status_code == 422


async def test_pending_shows_only_who_has_documents_waiting(client: DossierClient) -> None:
    entry, ready, held, _empty = [await client.dossier() for _ in range(4)]
    await client.call("PATCH", f"/dossiers/{held['id']}", json={"export": {"approval_required": True}})
    await client.filed(entry["id"], PDF, "application/pdf")
    await client.filed(ready["id"], invoice())
    await client.filed(held["id"], invoice())
    shown = (await client.call("GET", "/dossiers?pending=true")).json()["items"]
    assert [each["id"] for each in shown] == [entry["id"], ready["id"]]


async def test_lists_come_in_pages_that_neither_skip_nor_repeat(client: DossierClient) -> None:
    made = [(await client.dossier())["id"] for _ in range(5)]
    seen: list[str] = []
    query = "?limit=2"
    while query:
        page = (await client.call("GET", f"/dossiers{query}")).json()
        seen += [each["id"] for each in page["items"]]
        query = f"?limit=2&after={page['next']}" if page["next"] else ""
    assert seen == made
    for query in ("?limit=201", "?limit=0", "?after=xx", "?after=WyJ4Il0"):
        assert (await client.call("GET", f"/dossiers{query}")).status_code == 422

"""Relations and ledger accounts in bulk, and recognising a counterparty by them."""

import asyncio
import time
from typing import Any

import pytest

from .conftest import DossierClient
from .document_samples import THEIRS, invoice


async def put(
    client: DossierClient, dossier: dict[str, Any], what: str, items: list[dict[str, Any]], **more: Any
) -> Any:
    return await client.call("PUT", f"/dossiers/{dossier['id']}/{what}", json={"items": items, **more})


async def listed(client: DossierClient, dossier: dict[str, Any], what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = "?limit=200"
    while query:
        page = (await client.call("GET", f"/dossiers/{dossier['id']}/{what}{query}")).json()
        found += page["items"]
        query = f"?limit=200&after={page['next']}" if page["next"] else ""
    return found


@pytest.mark.parametrize("items", [[{"name": "no code"}], [{"code": ""}], [{"code": "a\0b"}], [{"code": 7}], "x", [1]])
@pytest.mark.parametrize("what", ["relations", "ledger-accounts"])
async def test_lines_without_a_code_are_refused(client: DossierClient, what: str, items: Any) -> None:
    dossier = await client.dossier()
    assert (await put(client, dossier, what, items)).status_code == 422
    assert await listed(client, dossier, what) == []


async def test_one_odd_name_does_not_stop_an_import(client: DossierClient) -> None:
    dossier = await client.dossier()
    odd = [{"code": "1", "name": ""}, {"code": "2", "name": "a\0\nb" + "x" * 500}, {"code": "2", "name": "last wins"}]
    assert (await put(client, dossier, "ledger-accounts", odd)).json() == {"stored": 2, "removed": 0}
    assert [each["name"] for each in await listed(client, dossier, "ledger-accounts")] == ["1", "last wins"]


@pytest.mark.parametrize("what", ["relations", "ledger-accounts"])
async def test_thousands_of_lines_twice_are_there_once(client: DossierClient, what: str) -> None:
    dossier = await client.dossier()
    items = [{"code": f"{number:06}", "name": f"Name {number}", "unheard_of": 1} for number in range(5000)]
    began_at = time.monotonic()
    assert (await put(client, dossier, what, items)).json()["stored"] == 5000
    assert time.monotonic() - began_at < 20
    again = await asyncio.gather(*(put(client, dossier, what, items[:500]) for _ in range(4)))
    assert [answer.status_code for answer in again] == [200] * 4
    assert [each["code"] for each in await listed(client, dossier, what)] == [each["code"] for each in items]


async def test_a_complete_list_takes_away_what_is_not_in_it_of_its_own_source(client: DossierClient) -> None:
    dossier = await client.dossier()
    await put(client, dossier, "relations", [{"code": "1"}, {"code": "2"}], source="exact")
    await put(client, dossier, "relations", [{"code": "1"}], source="octopus")
    answer = await put(client, dossier, "relations", [{"code": "2", "name": "B"}], source="exact", replace=True)
    assert answer.json() == {"stored": 1, "removed": 1}
    left = [(each["source"], each["code"]) for each in await listed(client, dossier, "relations")]
    assert sorted(left) == [("exact", "2"), ("octopus", "1")]


async def test_the_counterparty_is_recognised_by_number_before_name(client: DossierClient) -> None:
    dossier = await client.dossier()
    await put(
        client,
        dossier,
        "relations",
        [
            {"code": "1", "name": "Koper NV", "vat_number": "BE0831797467", "is_customer": True},
            {"code": "2", "name": "Andere naam", "vat_number": f"BE {THEIRS[:4]}.{THEIRS[4:]}", "journal": "702"},
        ],
    )
    filed = await client.filed(dossier["id"], invoice())
    assert (filed["relation"]["code"], filed["relation"]["journal"]) == ("2", "702")
    # a changed mapping is for what comes in later (R146)
    await put(
        client,
        dossier,
        "relations",
        [{"code": "2", "name": "Andere naam", "vat_number": f"BE{THEIRS}", "journal": "9"}],
    )
    assert (await client.document(filed["id"]))["relation"]["journal"] == "702"
    assert (await client.filed(dossier["id"], invoice("2026-0002")))["relation"]["journal"] == "9"


async def test_a_name_alone_recognises_only_who_has_no_other_number(client: DossierClient) -> None:
    dossier = await client.dossier()
    await put(client, dossier, "relations", [{"code": "1", "name": "koper  nv", "vat_number": "BE0831797467"}])
    assert (await client.filed(dossier["id"], invoice("A")))["relation"] is None
    await put(client, dossier, "relations", [{"code": "1", "name": "koper  nv"}])
    assert (await client.filed(dossier["id"], invoice("B")))["relation"]["code"] == "1"


@pytest.mark.parametrize(
    ("relations", "code"),
    [
        ([("1", "NL001234567B01", THEIRS), ("2", f"BE{THEIRS}", None)], "2"),
        ([("1", "NL001234567B01", THEIRS)], None),
        ([("1", None, THEIRS), ("2", f"BE{THEIRS}", None)], "2"),
        ([("1", None, THEIRS)], "1"),
    ],
    ids=["VAT number before enterprise number", "another VAT number", "both fit", "enterprise number alone"],
)
async def test_a_relation_is_recognised_as_the_connector_does(
    client: DossierClient, relations: list[tuple[str, str | None, str | None]], code: str | None
) -> None:
    dossier = await client.dossier()
    items = [
        {"code": number, "name": f"Relatie {number}", "vat_number": vat, "enterprise_number": enterprise}
        for number, vat, enterprise in relations
    ]
    await put(client, dossier, "relations", items)
    filed = await client.filed(dossier["id"], invoice())
    assert (filed["relation"] or {}).get("code") == code


# ── what people choose of a relation ──


async def test_a_list_leaves_the_journal_that_people_chose(client: DossierClient) -> None:
    """R142: the accountant picks the journal of the receipts' customer; the next import must not undo it."""
    dossier = await client.dossier()
    await put(client, dossier, "relations", [{"code": "DR", "name": "Dagontvangsten"}], source="exact")
    [known] = await listed(client, dossier, "relations")
    path = f"/dossiers/{dossier['id']}/relations/{known['id']}"
    chosen = await client.call("PATCH", path, json={"journal": "720"})
    assert (chosen.status_code, chosen.json()["journal"], chosen.json()["name"]) == (200, "720", "Dagontvangsten")
    await put(
        client, dossier, "relations", [{"code": "DR", "name": "Dagontvangsten Gent"}], source="exact", replace=True
    )
    [after] = await listed(client, dossier, "relations")
    assert (after["journal"], after["name"]) == ("720", "Dagontvangsten Gent")
    cleared = await client.call("PATCH", path, json={"journal": None})
    assert cleared.json()["journal"] is None


@pytest.mark.parametrize("body", [{"name": "Other"}, {"journal": ""}, {"journal": 7}, []])
async def test_only_what_people_choose_is_changed_of_a_relation(client: DossierClient, body: Any) -> None:
    dossier = await client.dossier()
    await put(client, dossier, "relations", [{"code": "DR"}])
    [known] = await listed(client, dossier, "relations")
    assert (
        await client.call("PATCH", f"/dossiers/{dossier['id']}/relations/{known['id']}", json=body)
    ).status_code == 422
    assert await listed(client, dossier, "relations") == [known]


async def test_a_relation_is_found_by_code_name_and_number(client: DossierClient) -> None:
    dossier = await client.dossier()
    await put(
        client,
        dossier,
        "relations",
        [{"code": "1", "name": "Café Peeters BV", "vat_number": "BE 0404.616.494"}, {"code": "2", "name": "Klant"}],
    )

    async def found(query: str) -> list[str]:
        answer = await client.call("GET", f"/dossiers/{dossier['id']}/relations?{query}")
        return [each["code"] for each in answer.json()["items"]]

    assert await found("code=2") == ["2"] and await found("code=3") == []
    assert await found("name=b.v. CAFÉ PEETERS") == ["1"] and await found("name=Peeters") == []
    assert await found("number=0404616494") == ["1"] and await found("number=exempt") == []

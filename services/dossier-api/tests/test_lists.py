"""Lists of documents: filters and pages."""

import pytest

from .conftest import DossierClient
from .document_samples import OURS, PDF, THEIRS, invoice


@pytest.mark.parametrize(
    "query",
    [
        "?state=lost",
        "?kind=letter",
        "?from=yesterday",
        "?to=2026-13-01",
        "?from=86400",
        "?from=2026-11-03T00:00:00",
        "?dossier_id=1",
        "?after=WyJ4Il0",
        "?limit=-1",
    ],
)
async def test_filters_that_are_none_are_refused(client: DossierClient, query: str) -> None:
    assert (await client.call("GET", f"/documents{query}")).status_code == 422


async def test_a_cursor_belongs_to_its_list_and_its_filters(client: DossierClient) -> None:
    dossier = await client.dossier()
    for number in range(3):
        await client.filed(dossier["id"], invoice(f"N-{number}"))
    cursor = (await client.call("GET", "/documents?limit=1")).json()["next"]
    assert (await client.call("GET", f"/documents?limit=1&from=2026-01-01&after={cursor}")).status_code == 422
    for other in ("/dossiers", "/problems", f"/dossiers/{dossier['id']}/relations"):
        answer = await client.call("GET", f"{other}?after={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_filters_and_pages(client: DossierClient) -> None:
    dossier, other = await client.dossier(), await client.dossier()
    days = ["2026-10-30", "2026-11-02", "2026-11-02", "2026-11-30", "2026-12-01"]
    made = [(await client.filed(dossier["id"], invoice(f"N-{at}", day=day)))["id"] for at, day in enumerate(days)]
    bought = (await client.filed(dossier["id"], invoice("P", seller=THEIRS, buyer=OURS, day="2026-11-05")))["id"]
    paper = (await client.filed(dossier["id"], PDF, "application/pdf"))["id"]
    await client.filed(other["id"], invoice())

    async def walked(query: str) -> list[str]:
        seen: list[str] = []
        after = ""
        while True:
            page = (await client.call("GET", f"/documents?dossier_id={dossier['id']}&limit=2{query}{after}")).json()
            seen += [each["id"] for each in page["items"]]
            if not page["next"]:
                return seen
            after = f"&after={page['next']}"

    assert await walked("") == [paper, bought, *reversed(made)]
    assert await walked("&kind=purchase_invoice") == [bought]
    assert await walked("&state=awaiting_entry") == [paper]
    assert await walked("&from=2026-11-01&to=2026-11-30") == [made[3], bought, made[2], made[1]]
    assert await walked("&to=2026-10-31") == [made[0]]
    assert await walked("&from=2027-01-01") == []

"""A statement that comes again is held, and one that only looks like another is not."""

from typing import Any

import pytest
from sqlalchemy import text

from .conftest import DossierClient
from .document_samples import OURS
from .test_statements import BANK, CODA


async def store_as_before(client: DossierClient, document: dict[str, Any], closed_on: str) -> None:
    """Make a document what Koppel stored when statements told no separate application, and their key neither."""
    [one] = document["statements"]
    opening, closing = one["opening"].removesuffix(".00"), one["closing"].removesuffix(".00")
    key = f"statement {one['account']} EUR - {one['opened_on']} {opening} {closed_on} {closing}"
    async with client.context.database.transaction() as tx:
        changed = await tx.execute(
            text("""
                UPDATE document SET business_keys = ARRAY[:key], detail = detail #- '{statements,0,separate_application}'
                WHERE id = :id
            """),
            {"id": document["id"], "key": key},
        )
        assert changed.rowcount == 1


@pytest.mark.parametrize(
    "again",
    [
        BANK.replace(b"\r\n", b"\n") + b"\n",
        BANK.replace(BANK[:128], BANK[:16] + b"D" + BANK[17:128], 1),
    ],
    ids=["other line ends", "marked as a duplicate"],
)
async def test_a_statement_that_comes_again_is_held(client: DossierClient, again: bytes) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], BANK, CODA)
    assert again != BANK
    second = await client.filed(dossier["id"], again, CODA)
    assert (second["state"], second["questions"][0]["other_document_id"]) == ("held", first["id"])


def quiet(day: int, *, short: bool = True) -> bytes:
    """Return the statement of a day without movements since the 2nd, from a bank that gives no numbers."""
    header, opening, *_, closing, _ = BANK.decode().splitlines()
    balance = opening[42:58]
    lines = [
        f"{header[:5]}{day:02d}1126{header[11:]}",
        f"{opening[:125]}000",
        *([] if short else [f"{closing[:41]}{balance}{day:02d}1126{closing[63:]}"]),
        f"9{'':15}{1 if short else 2:06d}{0:030d}{'':75}2",
    ]
    return "\r\n".join(lines).encode()


def part(application: str, amount: str = "512300") -> bytes:
    """Return an extract of the day, whose balances mean nothing."""
    header, opening, *movements, closing, trailer = BANK.replace(b"512300", amount.encode()).decode().splitlines()
    lines = [
        f"{header[:83]}{application}{header[88:]}",
        f"{opening[:42]}{0:016d}{opening[58:125]}000",
        *movements,
        f"8000{closing[4:41]}{0:016d}{closing[57:]}",
        trailer,
    ]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("short", [True, False], ids=["short", "with record 8"])
async def test_days_without_movements_are_statements_of_their_own(client: DossierClient, short: bool) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    days = [await client.filed(dossier["id"], quiet(day, short=short), CODA) for day in (6, 7)]
    assert [(one["state"], one["questions"]) for one in days] == [("filed", [])] * 2
    assert [one["statements"][0]["closed_on"] for one in days] == ["2026-11-06", "2026-11-07"]
    again = await client.filed(dossier["id"], quiet(7, short=short).replace(b"\r", b""), CODA)
    assert (again["state"], again["questions"][0]["other_document_id"]) == ("held", days[1]["id"])


async def test_extracts_of_one_day_are_statements_of_their_own(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    parts = [await client.filed(dossier["id"], part(application), CODA) for application in ("00001", "00002")]
    assert [(one["state"], one["questions"]) for one in parts] == [("filed", [])] * 2
    assert [one["statements"][0]["separate_application"] for one in parts] == ["00001", "00002"]
    again = await client.filed(dossier["id"], part("00001").replace(b"\r", b""), CODA)
    assert (again["state"], again["questions"][0]["other_document_id"]) == ("held", parts[0]["id"])


@pytest.mark.parametrize(
    ("data", "closed_on"),
    [(quiet(6), "None"), (part("00001"), "2026-11-03")],
    ids=["a day without movements", "an extract"],
)
async def test_what_was_stored_under_an_earlier_key_is_found_by_its_copy(
    client: DossierClient, data: bytes, closed_on: str
) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await client.filed(dossier["id"], data, CODA)
    await store_as_before(client, first, closed_on)
    later = await client.filed(dossier["id"], quiet(7), CODA)
    assert (later["state"], later["questions"]) == ("filed", [])
    again = await client.filed(dossier["id"], data.replace(b"\r", b""), CODA)
    assert (again["state"], again["questions"][0]["other_document_id"]) == ("held", first["id"])

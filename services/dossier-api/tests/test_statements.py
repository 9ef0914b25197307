"""Bank and cash-book statements come in as CODA: one file, one document, whatever it holds."""

from pathlib import Path

import pytest

from .conftest import DossierClient
from .document_samples import OURS, THEIRS

SAMPLES = Path(__file__).parent / "samples"
BANK = (SAMPLES / "bank.cod").read_bytes()
CASH_BOOK = (SAMPLES / "cash-book.cod").read_bytes()
CODA = "text/plain; charset=utf-8"

REFUSED = {
    "no coda": (b"Beste klant, in bijlage uw uittreksel.\n", "not_coda"),
    "an invoice": (b"<?xml version='1.0'?><Invoice/>", None),
    "unknown version": (BANK.replace(b"  2\r\n", b"  7\r\n", 1).replace(b"  2\n", b"  7\n", 1), None),
    "half a file": (BANK[:700], None),
    "an amount that is none": (BANK.replace(b"0000000000512300", b"00000000005I2300", 1), "amount"),
    "nothing but blanks": (b" " * 128 + b"\n", None),
}


@pytest.mark.parametrize("name", list(REFUSED))
async def test_what_cannot_be_read_as_coda_is_refused_with_the_place(client: DossierClient, name: str) -> None:
    data, rule = REFUSED[name]
    dossier = await client.dossier(enterprise_number=OURS)
    answer = await client.hand_in(dossier["id"], data, CODA)
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["code"] in {"unreadable_document", "empty_body"}
    if rule is not None:
        assert body["errors"][0]["rule"] == rule
    if body["code"] == "unreadable_document":
        assert "line" in body["errors"][0]["message"]


async def test_a_bank_statement_is_filed_with_its_balance(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    document = await client.filed(dossier["id"], BANK, CODA)
    assert (document["kind"], document["state"], document["number"]) == ("bank_statement", "filed", "214")
    assert document["issue_date"] == "2026-11-03"
    assert document["total"] == {"amount": "1427.60", "currency": "EUR"}
    assert document["findings"] == []
    assert document["statements"] == [
        {
            "account": "BE68539007547034",
            "currency": "EUR",
            "number": 214,
            "opened_on": "2026-11-02",
            "opening": "1000.00",
            "closed_on": "2026-11-03",
            "closing": "1427.60",
            "movements": 2,
            "separate_application": None,
        }
    ]


async def test_the_bytes_come_back_and_the_same_file_is_the_same_document(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    document = await client.filed(dossier["id"], BANK, CODA)
    again = await client.hand_in(dossier["id"], BANK, CODA)
    assert (again.status_code, again.json()["id"]) == (200, document["id"])
    content = await client.call("GET", f"/documents/{document['id']}/content/coda")
    assert content.content == BANK
    assert content.headers["content-disposition"].endswith('"214.cod"')


async def test_a_cash_book_is_known_by_the_marks_on_every_line(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    assert (await client.filed(dossier["id"], CASH_BOOK, CODA))["kind"] == "cash_statement"
    mixed = CASH_BOOK.replace(b"CB/CABA/afstorting", b"afstorting        ")
    assert (await client.filed(dossier["id"], mixed, CODA))["kind"] == "bank_statement"


async def test_several_accounts_in_one_file_have_no_common_balance(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    document = await client.filed(dossier["id"], BANK + CASH_BOOK, CODA)
    assert (document["number"], document["total"]) == (None, None)
    assert [one["account"] for one in document["statements"]] == ["BE68539007547034", "BE18001234567865"]
    assert document["currency"] == "EUR"


async def test_a_file_in_several_currencies_is_in_none_of_them(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    document = await client.filed(dossier["id"], BANK + CASH_BOOK.replace(b"EUR", b"USD"), CODA)
    assert (document["total"], document["currency"]) == (None, None)
    assert [one["currency"] for one in document["statements"]] == ["EUR", "USD"]


async def test_an_iban_with_blanks_is_the_same_account(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    blanks = BANK.replace(b"BE68539007547034   ", b"BE68 5390 0754 7034")
    assert blanks.count(b"BE68 5390 0754 7034") == 2
    document = await client.filed(dossier["id"], blanks + BANK, CODA)
    assert {one["account"] for one in document["statements"]} == {"BE68539007547034"}
    assert document["total"] == {"amount": "1427.60", "currency": "EUR"}


@pytest.mark.parametrize(
    "entry",
    [
        {"number": "X"},
        {"kind": "miscellaneous"},
        {"issue_date": "2026-01-01"},
        {"total": {"amount": "1.00", "currency": "EUR"}},
        {"lines": [{"id": "1", "net": "1.00"}]},
    ],
)
async def test_nobody_enters_what_a_statement_tells_itself(client: DossierClient, entry: dict[str, object]) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    document = await client.filed(dossier["id"], BANK, CODA)
    answer = await client.call("PATCH", f"/documents/{document['id']}", json={**entry, "journal": "B1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "told_by_document")
    assert await client.document(document["id"]) == document


async def test_a_currency_in_small_letters_is_shown_in_capitals(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    document = await client.filed(dossier["id"], BANK.replace(b"EUR", b"eur"), CODA)
    assert document["total"] == {"amount": "1427.60", "currency": "EUR"}


async def test_another_holder_is_worth_knowing_and_no_reason_to_refuse(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=THEIRS)
    document = await client.filed(dossier["id"], BANK, CODA)
    (finding,) = document["findings"]
    assert (finding["rule"], finding["severity"]) == ("other_account_holder", "warning")
    assert OURS in finding["message"]["nl"]


async def test_what_the_reader_put_up_with_travels_along(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    other_application = BANK.replace(b"53905", b"53906", 1)
    document = await client.filed(dossier["id"], other_application, CODA)
    assert document["total"] == {"amount": "1427.60", "currency": "EUR"}
    (finding,) = document["findings"]
    assert (finding["rule"], finding["severity"], finding["line"]) == ("CODA-08", "warning", 1)

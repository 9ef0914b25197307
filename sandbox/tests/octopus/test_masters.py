"""Behaviours 16 to 23, 36 and 43: bookyears, journals, accounts, VAT codes, relations."""

from typing import Any

import pytest

from koppel_sandbox.octopus.seed import BAKERY, OLD_YEAR, STUDIO

from .conftest import LONG_AGO, YEAR, Login, refused

RELATION = {"name": "Slagerij Zuid BV", "country": "BE", "vatNr": "BE0876543270", "vatType": 1, "supplier": True}


def put(octopus: Login, body: dict[str, Any]) -> Any:
    return octopus.call("PUT", "/relations", json=body)


def keys(number: int = 0, external: int = 0) -> dict[str, Any]:
    return {"relationIdentificationServiceData": {"relationKey": {"id": number}, "externalRelationId": external}}


def test_16_bookyears_have_small_ids_and_periods_to_look_up(octopus: Login) -> None:
    years = octopus.rows("/bookyears")
    assert [(year["bookyearKey"]["id"], year["closed"]) for year in years] == [(1, True), (2, False), (3, False)]
    period = {"bookyearPeriod": 202602, "startDate": "2026-04-01", "endDate": "2026-06-30"}
    assert years[2]["periods"][1] == period
    assert [one["bookyearPeriod"] for one in years[2]["periods"]] == [202601, 202602, 202603, 202604]
    octopus.connect(STUDIO)
    assert octopus.rows(f"/bookyears/{YEAR}")["periods"][11]["bookyearPeriod"] == 202612
    octopus.connect(OLD_YEAR)
    assert [year["startDate"] for year in octopus.rows("/bookyears")] == ["2000-01-01"]


def test_17_journals_carry_number_and_periods(octopus: Login) -> None:
    octopus.server.control("journal", dossier=BAKERY, journal="A1", protectedPeriod=202601, closedPeriod=202600)
    journal = octopus.journal("A1")
    assert {name: journal[name] for name in ("protectedPeriod", "closedPeriod", "insertionType", "currencyCode")} == {
        "protectedPeriod": 202601,
        "closedPeriod": 202600,
        "insertionType": 1,
        "currencyCode": "EUR",
    }
    assert journal["bookyearKey"] == {"id": YEAR}
    for number in (1, 2):
        assert journal["lastBookedDocumentNr"] == number - 1
        assert octopus.book(documentSequenceNr=number).status_code == 201
        journal = octopus.journal("A1")
    assert journal["lastBookedDocumentNr"] == 2
    assert octopus.journal("A1", year=2)["lastBookedDocumentNr"] == 0
    assert refused(octopus.get("/bookyears/9/journals")) == (404, -9)


def test_18_accounts_are_of_a_bookyear(octopus: Login) -> None:
    rows = octopus.rows("/accounts", bookyearId=YEAR)
    fees = next(row for row in rows if row["accountKey"]["id"] == 613200)
    assert fees["accountKey"] == {"bookyearKey": {"id": YEAR}, "id": 613200}
    assert fees["description"]["description_FR"] == "Honoraires"
    assert fees["purchaseVatCode"] == "D21"
    assert "salesVatCode" not in fees
    assert refused(octopus.get("/accounts")) == (400, -79)
    assert refused(octopus.get("/accounts", bookyearId="x")) == (400, -79)
    octopus.server.control("switches", missing_parameter_status=500, missing_parameter_code=-44)
    assert refused(octopus.get("/accounts")) == (500, -44)


def test_19_vat_codes(octopus: Login) -> None:
    codes = {row["code"]: row for row in octopus.rows("/vatcodes")}
    assert codes["21"] == {
        "code": "21",
        "description": "Verkopen 21 %",
        "type": 2,
        "basePercentage": 21.0,
        "defaultSellBookingAccountNr": 700000,
    }
    assert {codes[code]["type"] for code in ("H21", "D21", "I21", "H00")} == {1}


def test_20_relations_and_their_filters(octopus: Login) -> None:
    put(octopus, {**RELATION, **keys(external=500017)})
    every = octopus.rows("/relations")
    assert len(every) == 6
    (found,) = octopus.rows("/relations", extRelationId=500017)
    number = found["relationIdentificationServiceData"]["relationKey"]["id"]
    assert octopus.rows("/relations", relationId=number) == [found]
    assert octopus.rows("/relations", name="slagerij zuid bv") == [found]
    for filtered in ({"relationId": 99}, {"extRelationId": 99}, {"name": "Nobody"}, {"vatNr": "BE0000000097"}):
        assert refused(octopus.get("/relations", **filtered)) == (404, -16)


def test_21_the_vat_filter_ignores_dots_unless_strict(octopus: Login) -> None:
    (found,) = octopus.rows("/relations", vatNr="BE0403227515")
    assert found["vatNr"] == "BE0403.227.515"
    octopus.server.control("switches", strict_vat_filter=True)
    assert refused(octopus.get("/relations", vatNr="BE0403227515")) == (404, -16)
    assert octopus.rows("/relations", vatNr="BE0403.227.515") == [found]


def test_22_put_makes_or_changes_a_relation(octopus: Login) -> None:
    made = put(octopus, {**RELATION, **keys(external=500017)})
    assert made.status_code == 201
    identity = {"relationKey": {"id": 6}, "externalRelationId": 500017}
    assert made.json()["relationIdentificationServiceData"] == identity
    by_key = put(octopus, {**RELATION, **keys(6), "name": "Slagerij Noord BV"})
    assert (by_key.status_code, by_key.content) == (204, b"")
    by_external = put(octopus, {**RELATION, **keys(external=500017), "client": True, "name": "Slagerij West BV"})
    assert (by_external.status_code, by_external.content) == (204, b"")
    (changed,) = octopus.rows("/relations", relationId=6)
    assert (changed["name"], changed["client"]) == ("Slagerij West BV", True)
    assert changed["relationIdentificationServiceData"] == identity


@pytest.mark.parametrize(
    ("switched", "body"),
    [
        ("numbers", b'{"relationKey": {"id": 6}, "externalRelationId": 0}'),
        ("key", b'{"id": 6}'),
        ("number", b"6"),
        ("nothing", b""),
    ],
)
def test_22_a_new_relation_is_answered_as_switched(octopus: Login, switched: str, body: bytes) -> None:
    octopus.server.control("switches", new_relation_answer=switched)
    made = put(octopus, RELATION)
    assert (made.status_code, made.content) == (201, body)


def test_22_a_sparse_put_blanks_unless_switched(octopus: Login) -> None:
    put(octopus, {**RELATION, "email": "a@zuid.example"})
    put(octopus, {**RELATION, **keys(6)})
    assert octopus.rows("/relations", relationId=6)[0]["email"] == ""
    octopus.server.control("switches", sparse_put_blanks=False)
    put(octopus, {**keys(6), "email": "b@zuid.example"})
    assert octopus.rows("/relations", relationId=6)[0]["name"] == RELATION["name"]


def test_22_another_casing_loses_the_value(octopus: Login) -> None:
    record = put(octopus, {**RELATION, "firstname": "An", "contactperson": "Bo", "contactPerson": "Co"}).json()
    assert (record["firstName"], record["contactPerson"]) == ("", "Co")
    assert "firstname" not in record


@pytest.mark.parametrize(
    "change", [{"country": ""}, {"name": ""}, {"vatType": 0}, {"vatType": 3}, {"vatNr": "BE0876543271"}]
)
def test_23_a_bad_relation(octopus: Login, change: dict[str, Any]) -> None:
    assert refused(put(octopus, {**RELATION, **change})) == (400, -7)
    octopus.server.control("switches", bad_relation_status=500)
    assert refused(put(octopus, {**RELATION, **change})) == (500, -7)


def test_23_an_absent_country_is_taken(octopus: Login) -> None:
    without = {name: value for name, value in RELATION.items() if name != "country"}
    assert put(octopus, without).status_code == 201


def test_23_switched_vat_type_and_number_are_not_checked(octopus: Login) -> None:
    octopus.server.control("switches", vat_type_mandatory=False, vat_numbers_checked=False)
    assert put(octopus, {"name": "Zonder"}).status_code == 201
    assert put(octopus, {**RELATION, "vatNr": "BE0876543271"}).status_code == 201


def test_36_list_reads_refused_while_feeds_work(octopus: Login) -> None:
    octopus.book()
    octopus.server.control("dossier", dossier=BAKERY, lists_refused=True)
    for path in ("/relations", f"/accounts?bookyearId={YEAR}", f"/bookyears/{YEAR}/journals", "/buysellbookings"):
        assert refused(octopus.call("GET", path)) == (400, -79), path
    for path in ("/relations/modified", "/accounts/modified", "/journals/modified"):
        assert len(octopus.rows(path, modifiedTimeStamp=LONG_AGO)) >= 5, path
    assert len(octopus.feed().json()) == 1
    octopus.server.control("dossier", dossier=BAKERY, lists_refused=False)
    octopus.rows("/relations")


def test_36_the_feed_of_accounts_as_an_object(octopus: Login) -> None:
    rows = octopus.rows("/accounts/modified", modifiedTimeStamp=LONG_AGO)
    octopus.server.control("switches", accounts_feed_as_object=True)
    assert octopus.rows("/accounts/modified", modifiedTimeStamp=LONG_AGO) == {"modified": rows}


def test_43_a_new_journal_hides_until_synchronised(octopus: Login) -> None:
    octopus.server.control("journal", dossier=BAKERY, journal="A7", name="Koppel")
    listed = octopus.rows(f"/bookyears/{YEAR}/journals")
    assert "A7" not in [journal["journalKey"] for journal in listed]
    assert refused(octopus.book(journalKey="A7")) == (500, -10)
    octopus.server.control("synchronise", dossier=BAKERY)
    assert octopus.journal("A7")["name"] == "Koppel"
    assert octopus.book(journalKey="A7").status_code == 201


def test_a_financial_journal_has_a_balance_and_an_account(octopus: Login) -> None:
    assert octopus.rows(f"/bookyears/{YEAR}/journals/F1")["balance"] == 1000.0
    assert octopus.rows(f"/bookyears/{YEAR}/journals/F/1")["ibanAccountNr"] == "BE68539007547034"
    assert refused(octopus.get(f"/bookyears/{YEAR}/journals/A1")) == (500, -38)
    assert refused(octopus.get(f"/bookyears/{YEAR}/journals/A9")) == (404, -10)


def test_a_bookyear_opens_on_request(octopus: Login) -> None:
    octopus.server.control("bookyear", dossier=BAKERY, bookyear=4, year=2027, months=1)
    assert octopus.rows("/bookyears/4")["periods"][0]["bookyearPeriod"] == 202701
    assert octopus.journal("V1", year=4)["lastBookedDocumentNr"] == 0


def test_a_bookyear_that_comes_back_goes_on_with_its_numbers(octopus: Login) -> None:
    octopus.book()
    octopus.server.control("bookyear", dossier=BAKERY, bookyear=YEAR, delete=True)
    assert refused(octopus.get(f"/bookyears/{YEAR}/journals")) == (404, -9)
    assert refused(octopus.book(documentSequenceNr=2)) == (500, -9)
    octopus.server.control("bookyear", dossier=BAKERY, bookyear=YEAR, year=2026)
    assert octopus.book(documentSequenceNr=2).status_code == 201

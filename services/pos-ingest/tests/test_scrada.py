"""Scrada's API: a till that speaks it finds its calls, its spellings, its errors and its limits."""

import time
from typing import Any

import pytest

from pos_ingest.scrada import keys

from .conftest import OTHER_FIRM, Till
from .scrada_client import Vendor, is_scradas
from .test_tickets import registered
from .ticket_samples import line, ticket

VAT_21, VAT_6 = "8424d909-78b9-483c-9b1d-4584fb537846", "7befe0fc-7131-4b15-9fe6-ca4b9280b63c"


@pytest.fixture
def vendor(till: Till) -> Vendor:
    return Vendor(till)


@pytest.fixture
def journal(till: Till, vendor: Vendor) -> str:
    book = registered(till)
    return f"/journal/{book.rpartition('/')[2]}"


def lines(*amounts: tuple[str, float], **changes: Any) -> dict[str, Any]:
    given = [{"lineType": 1, "vatTypeID": vat, "amount": amount} for vat, amount in amounts]
    return {"date": "2026-03-19", "lines": given} | changes


def test_without_the_right_key_nothing_is_told(till: Till, vendor: Vendor) -> None:
    for headers in (
        {"x-password": "wrong"},
        {"x-api-key": "wrong"},
        {"x-password": ""},
        {"x-api-key": "x" * 5000},
    ):
        assert vendor.error("GET", "", 401, headers=headers)["errorType"] == 2
    other = Vendor(till)
    till.dossier(firm_id=OTHER_FIRM)
    stranger = till.call("POST", "/scrada-keys", json={"name": "x"}, firm=OTHER_FIRM).json()
    assert vendor.error("GET", "", 401, company=stranger["company_id"]) == vendor.error("GET", "", 401, company="none")
    assert other.call("GET", "").status_code == 200


def test_a_revoked_key_opens_nothing(till: Till, vendor: Vendor) -> None:
    listed = till.call("GET", "/scrada-keys").json()["items"]
    assert [each["api_key"] for each in listed] == [vendor.key["api_key"]]
    assert "password" not in listed[0]
    assert till.sql("SELECT password_hash FROM scrada_key")[0]["password_hash"] != vendor.key["password"].encode()
    assert till.call("DELETE", f"/scrada-keys/{vendor.key['id']}", firm=OTHER_FIRM).status_code == 404
    assert till.call("DELETE", f"/scrada-keys/{vendor.key['id']}").status_code == 204
    vendor.error("GET", "", 401)


def test_a_key_is_made_once_for_an_idempotency_key(till: Till) -> None:
    asked = {"json": {"name": "Kassa"}, "headers": {"Idempotency-Key": "key-1"}}
    first, again = (till.call("POST", "/scrada-keys", **asked) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(till.call("GET", "/scrada-keys").json()["items"]) == 1
    other = till.call("POST", "/scrada-keys", **(asked | {"json": {"name": "Toog"}}))
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    kept = [bytes(row["body"]) for row in till.sql("SELECT body FROM idempotency_key WHERE key = 'key-1'")]
    assert kept and all(first.json()["password"].encode() not in body for body in kept)


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("POST", "/pos/receipts")])
def test_a_body_that_says_that_it_is_no_json_is_refused(vendor: Vendor, method: str, path: str) -> None:
    error = vendor.error(method, path, 415, content="{}", headers={"content-type": "text/xml"})
    assert (error["errorCode"], error["errorType"]) == (2008, 1)


def test_a_body_that_says_nothing_of_itself_is_taken_for_json(vendor: Vendor) -> None:
    for media_type in ("application/x-www-form-urlencoded", "text/json; charset=utf-8", "application/json"):
        error = vendor.error("POST", "/pos/receipts", 400, content="{", headers={"content-type": media_type})
        assert error["errorCode"] != 2008, media_type


def test_a_call_that_is_not_known_is_an_error_of_scradas(vendor: Vendor) -> None:
    for method, path in (("GET", "/nothing"), ("DELETE", "/journal"), ("POST", "/peppol/lookup"), ("GET", "/%00")):
        assert vendor.error(method, path, 404)["errorCode"] == 1002
    answer = vendor.till.run(vendor.till.http.request("GET", "/scrada/v1/elsewhere"))
    assert answer.status_code == 404
    is_scradas(answer.json())


def test_errors_are_in_the_language_asked_for(vendor: Vendor) -> None:
    texts = {vendor.error("GET", "/x", 404, headers={"language": each})["defaultFormat"] for each in ("EN", "nl", "FR")}
    assert len(texts) == 3
    assert vendor.error("GET", "/x", 404, headers={"language": "DE"})["defaultFormat"] in texts


def test_ten_calls_in_ten_seconds_and_sixty_a_minute(till: Till, vendor: Vendor) -> None:
    assert vendor.call("GET", "").headers["x-ratelimit-remaining"] == "9"
    for _ in range(9):
        assert vendor.call_again("GET", "").status_code == 200
    refused = vendor.call_again("GET", "")
    assert refused.status_code == 429
    is_scradas(refused.json())
    assert 0 < int(refused.headers["x-ratelimit-reset"]) - time.time() <= 11
    till.sql("UPDATE scrada_window SET short_from = short_from - interval '10 s'")
    assert vendor.call_again("GET", "").status_code == 200
    till.sql("UPDATE scrada_window SET short_from = short_from - interval '10 s', minute_calls = 60")
    refused = vendor.call_again("GET", "")
    assert refused.status_code == 429
    assert 30 < int(refused.headers["x-ratelimit-reset"]) - time.time() <= 61
    till.sql("UPDATE scrada_window SET minute_from = minute_from - interval '60 s'")
    assert vendor.call_again("GET", "").status_code == 200


def test_a_company_has_master_data(vendor: Vendor) -> None:
    found = vendor.call("GET", "").json()
    assert (found["name"], found["vatNumber"]) == ("Bakkerij Peeters", "BE0000000196")
    assert vendor.call("PUT", "", json={"city": "Gent", "vatNumber": "BE 0000.000.196"}).status_code == 200
    assert vendor.error("PUT", "", 400, json={"vatNumber": "NL0000000196"})["errorCode"] == 2004
    assert vendor.call("GET", "").json()["city"] == "Gent"
    assert vendor.error("PUT", "", 400, json={"vatNumber": "BE0831797467"})["errorCode"] == 2004
    for content in (b"", b"[1]", b"{", b'{"city": 1}', b'{"city": "\\u0000"}'):
        vendor.error("PUT", "", 400, content=content)


def test_lines_go_into_the_sealed_book(till: Till, vendor: Vendor, journal: str) -> None:
    methods = {each["type"]: each["id"] for each in vendor.call("GET", f"{journal}/paymentMethod").json()}
    paid = [{"paymentMethodID": methods[5], "amount": 248.0}, {"paymentMethodID": methods[2], "amount": 100}]
    answer = vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, 106.0), (VAT_21, 242), paymentMethods=paid))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["journalLines"]) == 2 and answer.json()["cashBookLines"] == []
    (entry,) = till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")
    assert entry["running_totals"] == {"S:21": "242.00", "S:6": "106.00"}
    assert {each["method"]: each["amount"] for each in entry["content"]["payments"]} == {
        "debit_card": "248.00",
        "cash": "100.00",
    }
    shown = vendor.call("GET", journal).json()
    assert shown["lastLineID"] == answer.json()["journalLines"][-1]
    assert (shown["minimumPossibleLineDate"][:10], shown["maximumPossibleLineDate"][:10]) == (
        "2026-03-19",
        "2026-03-20",
    )
    assert vendor.call("GET", "/journal").json() == [shown]
    again = lines((VAT_6, 1.06), lastJournalLineID=str(vendor.key["id"]))
    assert vendor.error("PUT", f"{journal}/lines", 409, json=again)["parameters"] == [shown["lastLineID"]]
    assert (
        vendor.call("PUT", f"{journal}/lines", json=again | {"lastJournalLineID": shown["lastLineID"]}).status_code
        == 200
    )


def test_more_given_back_than_sold_is_a_refund(till: Till, vendor: Vendor, journal: str) -> None:
    answer = vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, -5.3), (VAT_21, 12.1)))
    assert answer.status_code == 200, answer.text
    (entry,) = till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")
    kept = [(line["item"], line["amount"]) for line in entry["content"]["lines"]]
    assert kept == [("refund", "-5.30"), ("sale", "12.10")]


def test_a_till_that_got_no_answer_sends_the_same_again(till: Till, vendor: Vendor, journal: str) -> None:
    last = vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, 1.06))).json()["journalLines"][-1]
    asked = lines((VAT_6, 2.12), lastJournalLineID=last, externalReference="Z-9")
    first, again = (vendor.call("PUT", f"{journal}/lines", json=asked) for _ in range(2))
    assert (first.status_code, again.json()) == (200, first.json())
    assert len(till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")) == 2
    asked["externalReference"] = "Z-10"
    assert vendor.error("PUT", f"{journal}/lines", 409, json=asked)["errorType"] == 5


def test_a_dossier_has_so_many_keys_and_shows_them_all(
    till: Till, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "KEYS_MAX", 3)
    answers = [till.call("POST", "/scrada-keys", json={"name": str(number)}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert answers[-1].json()["code"] == "too_many_keys"
    assert len(till.call("GET", "/scrada-keys").json()["items"]) == 3


def test_a_journal_without_lines_takes_days_before_it_was_made(till: Till, vendor: Vendor, journal: str) -> None:
    first = vendor.call("GET", journal).json()["minimumPossibleLineDate"]
    assert first == "2000-01-01T00:00:00Z"
    assert vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, 1.06), date=first)).status_code == 200


def test_a_correction_names_the_invoice_that_was_made_later(till: Till, vendor: Vendor, journal: str) -> None:
    assert vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, 106.0))).status_code == 200
    named = {"number": "2026-7", "issue_date": "2026-03-20", "customer": {"name": "Jan"}}
    sold = named | {"lines": [{"name": "Brood", "price": "100.00", "vat_rate": "6"}]}
    invoice = till.call("POST", "/sales-invoices", json=sold).json()
    corrected = {
        "lineType": 3,
        "vatTypeID": VAT_6,
        "amount": -1.06,
        "remark": "Factuur",
        "correctionDate": "2026-03-19",
    }
    given = [{"invoiceID": invoice["id"]}, {"invoiceNumber": "F-1"}, {"invoiceReference": "F-2"}]
    body = lines(lines=[corrected | each for each in given])
    answer = vendor.call("PUT", f"{journal}/lines", json=body)
    assert answer.status_code == 200, answer.text
    kept = till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")[-1]["content"]["lines"]
    assert [line["invoice_number"] for line in kept] == ["2026-7", "F-1", "F-2"]
    unknown = lines(lines=[corrected | {"invoiceID": VAT_6}])
    assert vendor.error("PUT", f"{journal}/lines", 400, json=unknown)["parameters"][0] == "lines.0.invoiceID"


def test_an_invoice_that_we_do_not_have_is_named_by_its_number(till: Till, vendor: Vendor, journal: str) -> None:
    assert vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, 106.0))).status_code == 200
    corrected = {"lineType": 3, "vatTypeID": VAT_6, "amount": -1.06, "remark": "F", "correctionDate": "2026-03-19"}
    named = [{"invoiceID": VAT_6, "invoiceNumber": "F-1"}, {"invoiceID": VAT_6, "invoiceReference": "F-2"}]
    named += [{"invoiceID": "", "invoiceNumber": "F-3"}, {"invoiceID": "", "invoiceNumber": ""}]
    answer = vendor.call("PUT", f"{journal}/lines", json=lines(lines=[corrected | each for each in named]))
    assert answer.status_code == 200, answer.text
    kept = till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")[-1]["content"]["lines"]
    assert [line.get("invoice_number") for line in kept] == ["F-1", "F-2", "F-3", None]


@pytest.mark.parametrize("wrong", [True, "x", -1, 1.5, 10**30, {}, "7befe0fc"])
def test_a_wrong_vat_type_is_told_by_its_name(vendor: Vendor, journal: str, wrong: Any) -> None:
    error = vendor.error("PUT", f"{journal}/lines", 400, json=lines(lines=[{"vatTypeID": wrong, "amount": 1}]))
    assert [each["parameters"][0] for each in error["innerErrors"]] == ["lines.0.vatTypeID"]


@pytest.mark.parametrize(
    "ending",
    ["", "T00:00", " 00:00:00", "T00:00:00+01:00", "T00:00:00.0000000+0100", "T00:00:00Z", "T00:00:00-05:00"],
)
def test_a_day_may_be_written_as_its_midnight(till: Till, vendor: Vendor, journal: str, ending: str) -> None:
    body = lines((VAT_6, 1.06), date=f"2026-03-19{ending}")
    assert vendor.call("PUT", f"{journal}/lines", json=body).status_code == 200
    assert till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")[-1]["date"] == "2026-03-19"


@pytest.mark.parametrize("ending", ["T12:00:00Z", "T00:00:00+1", "T00:00:00Zx", "T00:00:00\n", " "])
def test_a_day_is_no_other_moment(vendor: Vendor, journal: str, ending: str) -> None:
    vendor.error("PUT", f"{journal}/lines", 400, json=lines((VAT_6, 1.06), date=f"2026-03-19{ending}"))


def test_vat_types_may_be_numbers(till: Till, vendor: Vendor, journal: str) -> None:
    given = [(1, 21), (1, 6), (2, None), (3, None), (53, None), (54, 0), (99, None)]
    body = lines(lines=[{"vatTypeID": kind, "vatPerc": rate, "amount": 1} for kind, rate in given])
    answer = vendor.call("PUT", f"{journal}/lines", json=body)
    assert answer.status_code == 200, answer.text
    kept = till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")[-1]["content"]["lines"]
    assert [(line["vat_category"], line["vat_rate"], line.get("exemption")) for line in kept] == [
        ("S", "21", None),
        ("S", "6", None),
        ("Z", "0", None),
        ("E", "0", None),
        ("S", "21", None),
        ("E", "0", "VATEX-EU-F"),
        ("O", "0", None),
    ]
    for kind, rate, field in ((1, None, "vatPerc"), (1, 20, "vatPerc"), (98, 0, "vatTypeID"), (70, 20, "vatTypeID")):
        wrong = lines(lines=[{"vatTypeID": kind, "vatPerc": rate, "amount": 1}])
        assert vendor.error("PUT", f"{journal}/lines", 400, json=wrong)["parameters"][0] == f"lines.0.{field}"
    wrong = lines(lines=[{"vatTypeID": 50, "amount": 1}])
    assert "needs_invoice" in str(vendor.error("PUT", f"{journal}/lines", 400, json=wrong))


def test_a_closed_period_is_invoiced_and_no_line_goes_into_it(till: Till, vendor: Vendor, journal: str) -> None:
    assert vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, 106.0))).status_code == 200
    till.close(f"/receipt-books/{journal.rpartition('/')[2]}", "2026-03-19")
    shown = vendor.call("GET", journal).json()
    assert [shown[name][:10] for name in ("invoicedTill", "minimumPossibleLineDate")] == ["2026-03-19", "2026-03-20"]
    assert (
        vendor.error("PUT", f"{journal}/lines", 400, json=lines((VAT_6, 1.06)))["innerErrors"][0]["parameters"][0]
        == "date"
    )
    assert vendor.call("PUT", f"{journal}/lines", json=lines((VAT_6, 1.06), date="2026-03-20")).status_code == 200


def test_lines_that_the_book_refuses_name_their_field(vendor: Vendor, journal: str) -> None:
    wrong = [
        lines((VAT_6, 106.0), date="2026-03-21"),
        lines((VAT_6, 106.0), paymentMethods=[]),
        lines(("5d348dc4-4d2d-4cb9-972e-4f14233d67f0", 1)),
        lines((VAT_6, 1), lines=[{"amount": 1}]),
        lines((VAT_6, 1), lines=[{"vatTypeID": VAT_6, "vatPerc": 21, "amount": 1}]),
        lines((VAT_6, 1), lines=[{"vatTypeID": VAT_6, "amount": 1.001}]),
        lines((VAT_6, 1), paymentMethods=[{"paymentMethodID": VAT_6, "amount": 1}]),
        lines(),
        {},
    ]
    for body in wrong:
        assert vendor.error("PUT", f"{journal}/lines", 400, json=body)["errorType"] == 1
    assert vendor.call("GET", journal).json()["lastLineID"] is None
    third = [{"vatTypeID": VAT_6, "amount": 1, "remark": remark} for remark in ("bread", "cake", " ")]
    (inner,) = vendor.error("PUT", f"{journal}/lines", 400, json=lines((VAT_6, 1), lines=third))["innerErrors"]
    assert inner["parameters"][0] == "lines.2.remark", inner


def test_a_journal_of_another_company_is_not_there(till: Till, vendor: Vendor, journal: str) -> None:
    till.dossier()
    other = Vendor(till)
    for method, path in (("GET", journal), ("GET", f"{journal}/paymentMethod")):
        assert other.error(method, path, 404)["errorType"] == 3
    assert other.error("PUT", f"{journal}/lines", 404, json=lines((VAT_6, 106.0)))["errorType"] == 3


def test_receipts_are_tickets(till: Till, vendor: Vendor, journal: str) -> None:
    good = ticket()
    assert vendor.call("POST", "/pos/receipts", json=[good]).json() == [
        {"receiptID": good["receiptID"], "status": "accepted"}
    ]
    bad = ticket(line("10.00", 21, vatPercentage=20))
    error = vendor.error("POST", "/pos/receipts", 400, json=[good, bad, ticket()])
    assert (error["parameters"], len(error["innerErrors"])) == (["1", "3"], 1)
    assert error["innerErrors"][0]["parameters"][0] == bad["receiptID"]
    assert till.sql("SELECT count(*) AS n FROM ticket WHERE dossier_id = :id", id=till.dossier_id) == [{"n": 2}]
    vendor.error("POST", "/pos/receipts", 400, content=b"{}")
    vendor.error("POST", "/pos/receipts", 413, content=b"[" + b" " * 10_000_000 + b"]")

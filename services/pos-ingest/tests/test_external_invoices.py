"""External invoices: JSON becomes UBL that keeps every rule, or a 422 that names term and line; numbers are used once."""

import asyncio
import base64
import json
import random
import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import koppel_ubl
from koppel_bookkeeping import fileable
from koppel_mesh.ids import new_id

from .conftest import OTHER_FIRM, OURS, Till

PEETERS = {"name": "Peeters BV", "enterprise_number": "0836.836.222", "vat_number": "BE 0836836222"}
BREAD = {"name": "Brood", "quantity": "2", "price": "53.00", "vat_rate": "6"}
CAKE = {"name": "Taart", "price": "242.00", "vat_rate": "21"}


def sale(number: str | None = "2026-1", *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base = {"issue_date": "2026-03-20", "customer": PEETERS, "lines": list(lines) or [BREAD, CAKE]}
    return base | ({"number": number} if number else {}) | changes


def post(till: Till, body: Any, **more: Any) -> Any:
    return till.call("POST", "/sales-invoices", json=body, **more)


def handed_in(till: Till, invoice: dict[str, Any]) -> Any:
    """Run the loop; return the UBL and metadata with which dossier-api got the invoice."""
    till.hand_in()
    parts = till.dossier_api.filed[f"sales_invoice-{invoice['id']}"].parts
    return parts["ubl"], json.loads(parts["metadata"])


def test_json_becomes_a_valid_document_of_the_dossier(till: Till) -> None:
    answer = post(till, sale(due_date="2026-04-19", payment={"iban": "BE68 5390 0754 7034"}, total="405.18"))
    assert answer.status_code == 201, answer.text
    ubl, metadata = handed_in(till, answer.json())
    read, report = koppel_ubl.read(ubl), koppel_ubl.check(ubl)
    assert report.valid, report.errors
    assert (read.number, read.seller.enterprise_number, read.buyer.enterprise_number) == ("2026-1", OURS, "0836836222")
    assert (read.totals.with_vat, answer.json()["total"]) == (Decimal("405.18"), "405.18")
    assert metadata == {"direction": "sale"}
    shown = till.call("GET", f"/sales-invoices/{answer.json()['id']}").json()
    assert shown["document_id"] is not None and shown["customer_name"] == "Peeters BV"
    assert [one["code"] for one in till.dossier_api.relations[str(till.dossier_id)]] == ["0836836222"]


def test_prices_that_include_vat_make_that_total_to_the_cent(till: Till) -> None:
    lines = [BREAD, CAKE | {"discount": "0.05"}, {"name": "Koekje", "quantity": "3", "price": "0.33", "vat_rate": "6"}]
    answer = post(till, sale("2026-1", *lines, prices_include_vat=True, total="348.94", paid="348.94"))
    assert answer.status_code == 201, answer.text
    read = koppel_ubl.read(handed_in(till, answer.json())[0])
    assert read.totals.payable == 0 and answer.json()["total"] == "348.94"


def test_a_customer_without_an_address_on_the_network_keeps_the_rules_of_the_standard(till: Till) -> None:
    answer = post(till, sale(customer={"name": "Jan Janssens", "code": "K12"}))
    ubl, _ = handed_in(till, answer.json())
    assert koppel_ubl.check(ubl, "en16931").valid and koppel_ubl.read(ubl).buyer.customer_number == "K12"


def test_a_credit_note_and_what_goes_along(till: Till) -> None:
    attachment = {
        "file_name": "bon.pdf",
        "media_type": "application/pdf",
        "content": base64.b64encode(b"%PDF-1.4 bon").decode(),
    }
    about = [{"number": "2026-1", "issue_date": "2026-03-19"}]
    body = sale("CN-1", is_credit_note=True, preceding_invoices=about, attachments=[attachment], note="Terug")
    ubl, _ = handed_in(till, post(till, body).json())
    read = koppel_ubl.read(ubl)
    assert isinstance(read, koppel_ubl.CreditNote) and koppel_ubl.check(ubl).valid
    assert read.billing_references[0].number == "2026-1" and read.attachments[0].content == b"%PDF-1.4 bon"


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"lines": [BREAD, CAKE | {"vat_category": "E", "vat_rate": "0"}]}, None, "BT-120"),
        ({"lines": [BREAD, CAKE | {"vat_category": "Z", "vat_rate": "21"}]}, "lines.1.vat_rate", "BT-152"),
        ({"lines": [BREAD, CAKE | {"unit": "ZZ9"}]}, "lines.1.unit", "BT-130"),
        ({"lines": [BREAD | {"total": "105.00"}]}, "lines.0.total", "BT-131"),
        ({"total": "405.00"}, "total", "BT-112"),
        ({"total_vat": "57.00"}, "total_vat", "BT-110"),
        ({"customer": PEETERS | {"peppol_id": "0000:x"}}, "customer.peppol_id", "BT-49"),
        ({"currency": "USD"}, "exchange_rate", "exchange rate"),
        ({"number": None}, "number", "BT-1"),
        ({"lines": []}, "lines", ""),
        ({"lines": [BREAD | {"price": 53.0}]}, "lines.0.price", "decimal strings"),
        ({"lines": [BREAD | {"discount": "107.00"}]}, None, "line 1"),
        ({"issue_date": "2026-02-30"}, "issue_date", ""),
        ({"issue_date": "0999-12-31"}, "issue_date", "2000"),
        (
            {"attachments": [{"file_name": "a.pdf", "media_type": "application/pdf", "content": "@@@@"}]},
            "attachments.0.content",
            "",
        ),
        ({"customer": PEETERS | {"enterprise_number": "1234567895"}}, "customer.enterprise_number", ""),
        ({"colour": "red"}, "colour", ""),
    ],
)
def test_what_breaks_a_rule_names_the_term_and_the_line_and_leaves_nothing(
    till: Till, changes: dict[str, Any], field: str | None, says: str
) -> None:
    body = {name: value for name, value in (sale() | changes).items() if value is not None}
    answer = post(till, body)
    assert answer.status_code == 422, answer.text
    errors = answer.json()["errors"]
    assert any(error.get("field") == field or field is None for error in errors), errors
    assert any(says in error["message"] for error in errors), errors
    assert till.call("GET", "/sales-invoices").json()["items"] == []
    assert post(till, sale()).status_code == 201, "the number is still free"


def test_a_number_is_used_once_however_it_is_spelled(till: Till) -> None:
    first = post(till, sale("F-2026/1"))
    assert post(till, sale("F-2026/1")).json() == first.json() and post(till, sale("F-2026/1")).status_code == 200
    other = post(till, sale("f2026 1", BREAD))
    assert (other.status_code, other.json()["code"]) == (409, "number_used")
    till.dossier()
    assert post(till, sale("F-2026/1")).status_code == 201


def test_no_number_that_a_book_gives_is_taken(till: Till) -> None:
    till.book(number_format="G-{InvoiceNumber:5}")
    answer = post(till, sale("dr-g-00007"))
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "number_of_a_book")
    assert post(till, sale("DR-G-7")).status_code == 201


def test_a_book_numbers_its_invoices_and_says_where_they_are_booked(till: Till) -> None:
    connection = str(new_id())
    given = {"name": "Web", "number_format": "W{Year}-{InvoiceNumber:3}", "journal": "701", "forward": False}
    made = till.call("POST", "/invoice-books", json=given | {"journals": {connection: "V1"}})
    assert made.status_code == 201, made.text
    book = made.json()
    invoices = [post(till, sale(None, book_id=book["id"])).json() for _ in range(2)]
    assert [one["number"] for one in invoices] == ["W2026-001", "W2026-002"]
    till.call("PATCH", f"/invoice-books/{book['id']}", json={"journal": "702", "journals": {}, "forward": True})
    later = post(till, sale(None, book_id=book["id"])).json()
    kept = {"direction": "sale", "reference": "Web", "journal": "701", "journals": {connection: "V1"}, "forward": False}
    assert handed_in(till, invoices[0])[1] == kept, "a changed book is for invoices that come later"
    assert handed_in(till, later)[1] == {"direction": "sale", "reference": "Web", "journal": "702"}


def test_books_of_both_kinds_never_give_one_number(till: Till) -> None:
    till.book(number_format="G-{InvoiceNumber:5}", number_prefix="")
    collides = {"name": "Web", "number_format": "g{InvoiceNumber:3}"}
    answer = till.call("POST", "/invoice-books", json=collides)
    assert (answer.status_code, answer.json()["code"]) == (422, "number_collision")
    assert (
        till.call("POST", "/invoice-books", json=collides | {"number_format": "W{InvoiceNumber:3}"}).status_code == 201
    )
    path = till.book(number_format="H-{InvoiceNumber:5}")
    changed = till.call("PATCH", path, json={"number_format": "W-{InvoiceNumber:3}", "number_prefix": ""})
    assert changed.json()["code"] == "number_collision"


def test_ubl_is_taken_as_it_is(till: Till) -> None:
    ubl, _ = handed_in(till, post(till, sale("U-1")).json())
    other = ubl.replace(b"U-1", b"U-2")
    xml = {"headers": {"content-type": "application/xml"}, "content": other}
    answers = [till.call("POST", "/sales-invoices", **xml) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200] and answers[0].json() == answers[1].json()
    assert handed_in(till, answers[0].json())[0] == other
    for wrong, code in (
        (other.replace(OURS.encode(), b"0404616494"), "invalid_invoice"),
        (b"<Invoice/>", "unreadable_document"),
        (other.replace(b"U-2", b"U 2").replace(b"Brood", b"Boord"), "number_used"),
    ):
        assert till.call("POST", "/sales-invoices", **(xml | {"content": wrong})).json()["code"] == code
    plain = {"headers": {"content-type": "text/plain"}, "content": b"x"}
    assert till.call("POST", "/sales-invoices", **plain).status_code == 415
    other_json = {"headers": {"content-type": "text/json"}, "content": json.dumps(sale("U-9"))}
    assert till.call("POST", "/sales-invoices", **other_json).status_code == 201


@pytest.mark.parametrize(
    ("change", "rule", "xpath"),
    [
        (lambda ubl: ubl.replace(b"U-2", b"U" * 201), "too_long", "Invoice/ID"),
        (lambda ubl: ubl.replace(b"U-2", random.Random(7).randbytes(20_000).hex().encode()), "too_long", "Invoice/ID"),
        (lambda ubl: ubl.replace(b"EUR</", b"EURO</"), "invalid_code", "Invoice/DocumentCurrencyCode"),
        (lambda ubl: moved_to_end(ubl, b"cbc:ID"), "KOPPEL-ORDER", "/Invoice/cbc:ID"),
        (lambda ubl: without(ubl, b"cac:AccountingCustomerParty"), "KOPPEL-MISSING", "/Invoice"),
        (lambda ubl: without(ubl, b"cbc:IssueDate"), "missing", "Invoice/IssueDate"),
    ],
)
def test_ubl_that_the_dossier_would_not_file_takes_no_number(
    till: Till, change: Callable[[bytes], bytes], rule: str, xpath: str
) -> None:
    ubl = handed_in(till, post(till, sale("U-1")).json())[0].replace(b"U-1", b"U-2")
    xml = {"content-type": "application/xml"}
    assert change(ubl) != ubl
    answer = till.call("POST", "/sales-invoices", content=change(ubl), headers=xml)
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_document")
    errors = answer.json()["errors"]
    assert (rule, xpath) in [(error["rule"], error["xpath"]) for error in errors], errors
    assert till.call("POST", "/sales-invoices", content=ubl, headers=xml).status_code == 201, "the number is still free"


def test_a_ubl_that_was_taken_gets_its_first_answer_whatever_is_refused_now(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    ubl = handed_in(till, post(till, sale("U-1")).json())[0].replace(b"U-1", b"U-2")
    asked: dict[str, Any] = {"content": ubl, "headers": {"content-type": "application/xml"}}
    with_key = asked | {"headers": asked["headers"] | {"idempotency-key": str(new_id())}}
    first = till.call("POST", "/sales-invoices", **with_key)
    assert first.status_code == 201, first.text

    def refuse(_: bytes) -> None:
        raise fileable.NotFileable([fileable.Fault("stricter", "Since an upgrade.")])

    monkeypatch.setattr(fileable, "read", refuse)
    again, without_key = till.call("POST", "/sales-invoices", **with_key), till.call("POST", "/sales-invoices", **asked)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (without_key.status_code, without_key.json()) == (200, first.json())
    other = till.call("POST", "/sales-invoices", **(with_key | {"content": ubl.replace(b"U-2", b"U-3")}))
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    new = till.call("POST", "/sales-invoices", **(asked | {"content": ubl.replace(b"U-2", b"U-3")}))
    assert (new.status_code, new.json()["code"]) == (422, "unreadable_document")


def test_ubl_is_read_one_at_a_time(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    ubl = handed_in(till, post(till, sale("U-1")).json())[0]
    read, reading, most = fileable.read, [], 0

    def slowly(data: bytes) -> fileable.Fileable:
        nonlocal most
        reading.append(data)
        most = max(most, len(reading))
        time.sleep(0.05)
        found = read(data)
        reading.remove(data)
        return found

    monkeypatch.setattr(fileable, "read", slowly)
    xml = {"content-type": "application/xml"}

    async def several() -> list[Any]:
        others = [ubl.replace(b"U-1", b"U-%d" % number) for number in range(2, 6)]
        return await asyncio.gather(
            *(till.acall("POST", "/sales-invoices", content=other, headers=xml) for other in others)
        )

    assert [answer.status_code for answer in till.run(several())] == [201] * 4
    assert most == 1


def without(ubl: bytes, element: bytes) -> bytes:
    return re.sub(rb"\s*<%s>.*?</%s>" % (element, element), b"", ubl, count=1, flags=re.DOTALL)


def moved_to_end(ubl: bytes, element: bytes) -> bytes:
    found = re.search(rb"<%s>.*?</%s>" % (element, element), ubl)
    assert found is not None
    return without(ubl, element).replace(b"</Invoice>", found[0] + b"</Invoice>")


def test_a_buyer_with_long_texts_is_handed_in_all_the_same(till: Till) -> None:
    ubl = handed_in(till, post(till, sale("U-1", customer=PEETERS | {"code": "K12"})).json())[0].replace(b"U-1", b"U-2")
    long = ubl.replace(b"Peeters BV", b"Peeters " + b"x" * 300).replace(b">K12<", b">" + b"K" * 70 + b"<")
    xml = {"content-type": "application/xml"}
    answer = till.call("POST", "/sales-invoices", content=long, headers=xml)
    assert answer.status_code == 201, answer.text
    assert handed_in(till, answer.json())[0] == long


def test_what_the_dossier_refuses_is_a_problem_and_can_be_tried_again(till: Till) -> None:
    invoice = post(till, sale()).json()
    till.dossier_api.refuses = (422, "not_this_dossier")
    till.hand_in()
    [work] = till.sql("SELECT problem FROM hand_in WHERE id = :id", id=invoice["id"])
    assert work["problem"]["code"] == "sales_invoice_refused" and set(work["problem"]["message"]) == {"nl", "fr", "en"}
    till.dossier_api.refuses = None
    assert till.call("POST", f"/v1/deliveries/{invoice['id']}/retry").status_code == 202
    till.hand_in()
    assert till.call("GET", f"/sales-invoices/{invoice['id']}").json()["document_id"] is not None


def test_the_same_request_at_once_makes_one_invoice(till: Till) -> None:
    async def both() -> list[Any]:
        return await asyncio.gather(*(till.acall("POST", "/sales-invoices", json=sale("2026-9")) for _ in range(5)))

    answers = till.run(both())
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_another_firm_sees_no_invoice_and_no_book(till: Till) -> None:
    invoice = post(till, sale()).json()
    book = till.call("POST", "/invoice-books", json={"name": "Web"}).json()
    for method, path, body in (
        ("GET", "/sales-invoices", None),
        ("GET", f"/sales-invoices/{invoice['id']}", None),
        ("POST", "/sales-invoices", sale("X-1")),
        ("GET", f"/invoice-books/{book['id']}", None),
        ("PATCH", f"/invoice-books/{book['id']}", {"name": "Taken over"}),
        ("POST", "/invoice-books", {"name": "Other"}),
    ):
        assert till.call(method, path, json=body, firm=OTHER_FIRM).status_code == 404, f"{method} {path}"

"""The entry's body to the digit, and what reading it back must show."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from connector_exact.mapping.entry import (
    Entry,
    differences,
    entry_number_of,
    expectation,
    line_of,
)
from koppel_bookkeeping import Booking, BookingLine, CannotBook, Party, VatAmount
from koppel_bookkeeping.accounts import insist_on_currency
from koppel_bookkeeping.booking import with_vat
from koppel_bookkeeping.lines import ChosenLine
from koppel_bookkeeping.terms import Terms
from koppel_connector.contract import to_json
from koppel_mesh.messages import DocumentKind

from .books import account, journal, vat

ENTRY_ID = UUID("c4d10000-0000-4000-8000-000000000001")
RELATION_ID = "9f1c0000-0000-4000-8000-000000000001"


def booking(
    kind: str = "sales_invoice", *, items: list[BookingLine], totals: list[VatAmount], total: str, **fields: Any
) -> Booking:
    given: dict[str, Any] = {
        "due_on": date(2026, 2, 14),
        "currency": "EUR",
        "payment_reference": "090933755493",
    } | fields
    return Booking(
        kind=DocumentKind(kind),
        number="F2026-0042",
        issued_on=date(2026, 1, 15),
        total=Decimal(total),
        party=Party("Bakkerij Demo"),
        lines=with_vat(items, totals),
        **given,
    )


def item(net: str, category: str = "S", rate: str | None = "21", line_id: str = "1") -> BookingLine:
    return BookingLine(line_id, Decimal(net), category, Decimal(rate) if rate else None, f"Line {line_id}")


def total(net: str, tax: str, category: str = "S", rate: str | None = "21") -> VatAmount:
    return VatAmount(category, Decimal(rate) if rate else None, Decimal(net), Decimal(tax))


def entry(of: Booking, side: str = "sale", code: str = "21", percentage: str = "21", **fields: Any) -> Entry:
    vat_code = vat(code, percentage, "S" if side == "sale" else "P", **fields)
    lines = tuple(line_of(of, ChosenLine(one, account("700000"), vat_code)) for one in of.lines)
    return Entry(of, Terms(due_on=of.due_on), journal("700" if side == "sale" else "600", 20), RELATION_ID, lines, None)


def test_a_sales_invoice_is_written_digit_for_digit() -> None:
    made = entry(booking(items=[item("1250.00")], totals=[total("1250.00", "262.50")], total="1512.50"))
    assert to_json(made.body(ENTRY_ID, "51aa")).replace(" ", "") == (
        '{"EntryID":"c4d10000-0000-4000-8000-000000000001","Customer":"9f1c0000-0000-4000-8000-000000000001","Journal":"700",'
        '"EntryDate":"2026-01-15","DueDate":"2026-02-14","YourRef":"F2026-0042","Description":"F2026-0042BakkerijDemo",'
        '"PaymentReference":"+++090/9337/55493+++","Currency":"EUR","Document":"51aa",'
        '"SalesEntryLines":[{"GLAccount":"00000000-0000-4000-8000-000000700000","AmountFC":1250.00,"VATCode":"21",'
        '"Description":"Line1","VATAmountFC":262.50}]}'
    )


def test_a_purchase_speaks_of_suppliers_and_its_own_lines() -> None:
    made = entry(
        booking("purchase_invoice", items=[item("80.00")], totals=[total("80.00", "16.80")], total="96.80"),
        "purchase",
        "P21",
    )
    body = made.body(ENTRY_ID, None)
    assert body["Supplier"] == RELATION_ID
    assert body["PurchaseEntryLines"][0]["VATAmountFC"] == Decimal("16.80")
    assert "Customer" not in body
    assert "Document" not in body


@pytest.mark.parametrize("kind", ["sales_credit_note", "purchase_credit_note"])
def test_a_credit_note_is_negative_on_every_line(kind: str) -> None:
    side = "sale" if kind.startswith("sales") else "purchase"
    made = entry(
        booking(
            kind, items=[item("100.00"), item("50.00", line_id="2")], totals=[total("150.00", "31.50")], total="181.50"
        ),
        side,
    )
    lines = made.body(ENTRY_ID, None)["SalesEntryLines" if side == "sale" else "PurchaseEntryLines"]
    assert [line["AmountFC"] for line in lines] == [Decimal("-100.00"), Decimal("-50.00")]
    assert sum(line["VATAmountFC"] for line in lines) == Decimal("-31.50")
    assert expectation(made, None)["type"] == (21 if side == "sale" else 31)
    assert expectation(made, None)["total"] == "-181.50"


def test_a_negative_invoice_keeps_its_sign_and_no_type_is_expected() -> None:
    made = entry(booking(items=[item("-10.00")], totals=[total("-10.00", "-2.10")], total="-12.10"))
    assert made.body(ENTRY_ID, None)["SalesEntryLines"][0]["AmountFC"] == Decimal("-10.00")
    assert "type" not in expectation(made, None)


def test_reverse_charge_sends_no_vat_amount() -> None:
    made = entry(
        booking(
            "purchase_invoice",
            items=[item("500.00", "AE", "0")],
            totals=[total("500.00", "0.00", "AE", "0")],
            total="500.00",
        ),
        "purchase",
        "PM",
        charged=True,
    )
    assert "VATAmountFC" not in made.body(ENTRY_ID, None)["PurchaseEntryLines"][0]


def test_vat_under_a_code_that_takes_none_is_refused_before_exact_is_asked() -> None:
    of = booking(items=[item("100.00")], totals=[total("100.00", "21.00")], total="121.00")
    with pytest.raises(CannotBook) as caught:
        entry(of, percentage="0")
    assert caught.value.code == "vat_amount_not_allowed"


def test_a_document_that_does_not_add_up_is_refused() -> None:
    for totals, sum_ in (
        ([total("100.00", "21.00")], "121.01"),
        ([total("100.00", "21.00"), total("0.00", "6.00", "S", "6")], "127.00"),
    ):
        with pytest.raises(CannotBook) as caught:
            booking(items=[item("100.00")], totals=totals, total=sum_)
        assert caught.value.code == "document_totals_wrong"


def test_vat_per_rate_lands_on_the_lines_of_that_rate() -> None:
    of = booking(
        items=[item("0.11"), item("0.11", line_id="2"), item("1.00", "S", "6.0", "3"), item("0.11", line_id="4")],
        totals=[total("0.33", "0.07"), total("1.00", "0.06", "S", "6")],
        total="1.46",
    )
    assert [one.tax for one in of.lines] == [Decimal("0.03"), Decimal("0.02"), Decimal("0.06"), Decimal("0.02")]


def test_the_rate_goes_along_only_where_the_journal_takes_one() -> None:
    of = booking(
        items=[item("100.00")],
        totals=[total("100.00", "21.00")],
        total="121.00",
        currency="USD",
        exchange_rate=Decimal("0.9"),
    )
    made = entry(of)
    assert made.body(ENTRY_ID, None)["Rate"] == Decimal("0.9")
    assert "Rate" not in replace(made, journal=journal("700", 20, foreign=False)).body(ENTRY_ID, None)
    with pytest.raises(CannotBook) as caught:
        insist_on_currency(journal("700", 20, foreign=False), "USD")
    assert caught.value.code == "currency_not_allowed"


def test_only_a_proven_structured_reference_is_sent() -> None:
    made = entry(booking(items=[item("100.00")], totals=[total("100.00", "21.00")], total="121.00"))
    assert made.body(ENTRY_ID, None)["PaymentReference"] == "+++090/9337/55493+++"
    other = replace(made, booking=replace(made.booking, payment_reference="Invoice 42"))
    assert "PaymentReference" not in other.body(ENTRY_ID, None)


def test_texts_are_cut_where_exact_cuts() -> None:
    made = entry(booking(items=[item("100.00")], totals=[total("100.00", "21.00")], total="121.00"))
    long = replace(made, booking=replace(made.booking, number="A" * 20 + "-2026-00000000000042"))
    assert long.body(ENTRY_ID, None)["Description"] == "AAAAAAAAAAAAAAAAAAAA-2026-00000000000042 Bakkerij Demo"
    assert long.your_ref == "AAAAAAAAAA-2026-00000000000042"


def test_only_a_number_can_be_an_entry_number() -> None:
    assert entry_number_of("26700042") == 26700042
    for number in ("F2026-0042", "0", "99999999999", ""):
        with pytest.raises(CannotBook) as caught:
            entry_number_of(number)
        assert caught.value.code == "entry_number_not_numeric"


def read_back(made: Entry) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What Exact answers when everything is as it was sent: numbers with binary noise, codes padded."""
    noise = Decimal("0.000000000001")
    row = {
        "AmountFC": made.total + noise,
        "Journal": made.journal.code,
        made.family.party: RELATION_ID.upper(),
        "Document": "51AA",
        "Type": 20,
        "EntryNumber": 26700042,
    }
    lines = [
        {
            "GLAccount": line.account.id.upper(),
            "VATCode": line.vat.raw_code,
            "AmountFC": line.net - noise,
            "VATAmountFC": line.tax + noise,
        }
        for line in made.lines
    ]
    return row, lines


def test_a_number_exact_replaced_is_reported() -> None:
    made = replace(entry(booking(items=[item("100.00")], totals=[total("100.00", "21.00")], total="121.00")), number=42)
    row, lines = read_back(made)
    assert differences(expectation(made, "51aa"), row, lines) == ["entry number 26700042, asked 42"]


def test_an_entry_that_came_back_as_sent_does_not_differ() -> None:
    made = entry(
        booking(items=[item("100.00"), item("50.00", line_id="2")], totals=[total("150.00", "31.50")], total="181.50")
    )
    row, lines = read_back(made)
    assert differences(expectation(made, "51aa"), row, lines[::-1]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row, lines: row.update(AmountFC=Decimal("181.51")), "total 181.51, sent 181.50"),
        (lambda row, lines: row.update(Journal="710"), "journal 710"),
        (lambda row, lines: row.update(Customer=None), "another relation"),
        (lambda row, lines: row.update(Document=None), "document is not linked"),
        (lambda row, lines: row.update(Type=21), "type 21"),
        (lambda row, lines: lines[0].update(VATAmountFC=Decimal("21.01")), "21.01"),
        (lambda row, lines: lines[0].update(VATCode="6  "), "100.00 at VAT code 6"),
        (lambda row, lines: lines[0].update(GLAccount=None), "missing"),
        (lambda row, lines: lines.pop(), "missing"),
    ],
)
def test_each_difference_is_reported(change: Any, message: str) -> None:
    made = entry(
        booking(items=[item("100.00"), item("50.00", line_id="2")], totals=[total("150.00", "31.50")], total="181.50")
    )
    row, lines = read_back(made)
    change(row, lines)
    assert message in "; ".join(differences(expectation(made, "51aa"), row, lines))

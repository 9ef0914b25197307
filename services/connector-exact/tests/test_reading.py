"""Own sample invoices, one per VAT category that matters, read and made ready to book."""

from decimal import Decimal
from pathlib import Path

import pytest

from connector_exact.mapping.booking import Booking
from connector_exact.mapping.reading import booking
from connector_exact.mapping.refusal import CannotBook
from koppel_mesh.messages import DocumentKind

SAMPLES = Path(__file__).parent / "samples"


def read(name: str, kind: str = "sales_invoice") -> Booking:
    return booking((SAMPLES / f"own__be-{name}.xml").read_bytes(), DocumentKind(kind))


@pytest.mark.parametrize(
    ("name", "kind", "groups"),
    [
        ("01-invoice-ogm-pdf", "sales_invoice", {("S", "21"), ("S", "6")}),
        ("02-creditnote-ref", "sales_credit_note", {("S", "21")}),
        ("03-AE-cocontractor", "purchase_invoice", {("AE", "0")}),
        ("04-K-intracommunity-goods", "sales_invoice", {("K", "0")}),
        ("05-G-export", "sales_invoice", {("G", "0")}),
        ("06-E-small-business", "purchase_invoice", {("E", "0")}),
        ("08-O-outside-scope", "sales_invoice", {("O", "0")}),
        (
            "10-mixed-rates-allowance-charge",
            "sales_invoice",
            {("S", "21"), ("S", "12"), ("S", "6"), ("Z", "0"), ("E", "0")},
        ),
        ("11-USD-with-EUR-vat", "sales_invoice", {("S", "21")}),
        ("12-daily-receipts-endpoint-self", "daily_receipts", {("S", "21"), ("S", "12"), ("S", "6")}),
    ],
)
def test_every_category_adds_up_to_the_cent(name: str, kind: str, groups: set[tuple[str, str]]) -> None:
    made = read(name, kind)
    assert {(item.category, f"{item.rate or 0:f}".split(".")[0]) for item in made.items} == groups
    assert sum(item.net + item.tax for item in made.items) == made.total
    assert (made.total < 0) == (kind == "sales_credit_note")


def test_allowances_and_charges_of_the_document_are_lines_of_their_own() -> None:
    made = read("10-mixed-rates-allowance-charge")
    assert [(item.net, item.line_id) for item in made.items][-2:] == [
        (Decimal("-10.00"), None),
        (Decimal("12.40"), None),
    ]
    standard = [item for item in made.items if item.rate == 21]
    assert sum(item.tax for item in standard) == Decimal("21.50")
    assert sum(item.net for item in standard) == Decimal("102.40")


def test_the_counterparty_is_the_other_side() -> None:
    sale, purchase = read("01-invoice-ogm-pdf"), read("01-invoice-ogm-pdf", "purchase_invoice")
    assert sale.party.vat_number == "BE0000000295"
    assert purchase.party.vat_number == "BE0000000196"
    assert purchase.party.name == "Voorbeeld Drukkerij BV"
    assert purchase.party.country == "BE"


def test_daily_receipts_have_a_customer_without_a_number() -> None:
    made = read("12-daily-receipts-endpoint-self", "daily_receipts")
    assert made.party.name == "Diverse klanten (dagontvangsten)"
    assert made.party.vat_number == ""
    assert made.party.enterprise_number == ""
    assert made.total == Decimal("800.00")


def test_a_foreign_currency_brings_its_rate() -> None:
    made = read("11-USD-with-EUR-vat")
    assert made.currency == "USD"
    assert made.exchange_rate is not None
    assert Decimal("0.5") < made.exchange_rate < Decimal(2)
    assert read("01-invoice-ogm-pdf").exchange_rate is None


def test_a_currency_in_small_letters_is_the_same_one() -> None:
    ubl = (SAMPLES / "own__be-01-invoice-ogm-pdf.xml").read_bytes().replace(b"EUR", b"eur")
    assert booking(ubl, DocumentKind.SALES_INVOICE) == read("01-invoice-ogm-pdf")


def test_what_is_no_ubl_or_not_ours_to_book_is_a_problem() -> None:
    for data, code in (
        (b"%PDF-1.4", "document_unreadable"),
        (b"<a/>", "document_unreadable"),
        (b"", "document_unreadable"),
    ):
        with pytest.raises(CannotBook) as caught:
            booking(data, DocumentKind.SALES_INVOICE)
        assert caught.value.code == code
    with pytest.raises(CannotBook) as caught:
        booking(b"", DocumentKind.BANK_STATEMENT)
    assert caught.value.code == "kind_not_supported"

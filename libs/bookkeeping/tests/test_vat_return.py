"""Which boxes of the Belgian VAT return a document lands in: sales and purchases, invoices and credit notes, each situation."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from koppel_bookkeeping import Booking, BookingLine, Party
from koppel_bookkeeping.vat_return import vat_return
from koppel_mesh.messages import DocumentKind

from .books import sample

BE, DE, US = Party("A", "BE0404616494"), Party("B", "DE811907980"), Party("C", country="US")
XI, NOBODY = Party("D", "XI123456789", country="GB"), Party("E", country="BE")


def booked(kind: str, party: Party, category: str, rate: str | None = "0", name: str = "", code: str = "") -> Booking:
    rated = Decimal(rate) if rate else None
    tax = rated if rated and category not in {"AE", "K"} else Decimal(0)
    line = BookingLine("1", Decimal(100), category, rated, "", tax=tax, exemption_code=code, vat_name=name)
    return Booking(DocumentKind(kind), "1", date(2026, 11, 10), None, "EUR", Decimal(100) + tax, party, (line,))


def boxes(booking: Booking) -> str:
    """The boxes as a person writes them: ``03 100, 54 21``."""
    return ", ".join(
        f"{box} unknown" if amount is None else f"{box} {amount.normalize():f}"
        for box, amount in vat_return(booking).items()
    )


SALES = [
    # counterparty, category, rate, UBL.BE name, exemption code, invoice, credit note
    (BE, "S", "21", "", "", "03 100, 54 21", "49 100, 64 21"),
    (BE, "S", "12", "", "", "02 100, 54 12", "49 100, 64 12"),
    (BE, "S", "6", "", "", "01 100, 54 6", "49 100, 64 6"),
    (DE, "S", "21", "", "", "03 100, 54 21", "49 100, 64 21"),
    (DE, "S", "19", "", "", "47 100", "49 100"),
    (BE, "S", "17", "", "", "? 100", "? 100"),
    (BE, "L", "7", "", "", "47 100", "49 100"),
    (BE, "Z", "0", "", "", "00 100", "49 100"),
    (BE, "E", "0", "", "", "00 100", "49 100"),
    (BE, "E", "0", "00/44", "", "00 100", "49 100"),
    (BE, "E", "0", "", "VATEX-EU-132", "00 100", "49 100"),
    (BE, "E", "0", "", "VATEX-EU-135-1", "00 100", "49 100"),
    (BE, "E", "0", "MA", "", "00 100", "49 100"),
    (BE, "F", "0", "", "", "00 100", "49 100"),
    (BE, "E", "0", "SC", "", "00 100", "49 100"),
    (US, "E", "0", "", "VATEX-EU-146-1E", "47 100", "49 100"),
    (BE, "E", "0", "", "VATEX-EU-148-A", "47 100", "49 100"),
    (DE, "E", "0", "", "VATEX-EU-IC", "46 100", "48 100"),
    (BE, "E", "0", "", "VATEX-EU-79-C", "", ""),
    (BE, "AE", "0", "", "VATEX-EU-AE", "45 100", "49 100"),
    (DE, "AE", "0", "", "VATEX-EU-AE", "44 100", "48 100"),
    (DE, "AE", "0", "46/GO", "", "46 100", "48 100"),
    (US, "AE", "0", "", "VATEX-EU-AE", "47 100", "49 100"),
    (DE, "K", "0", "", "VATEX-EU-IC", "46 100", "48 100"),
    (DE, "K", "0", "44", "", "44 100", "48 100"),
    (DE, "K", "0", "46/GO", "", "46 100", "48 100"),
    (DE, "K", "0", "46/TR", "", "46 100", "48 100"),
    (US, "K", "0", "", "", "? 100", "? 100"),
    (US, "G", "0", "", "VATEX-EU-G", "47 100", "49 100"),
    (BE, "K", "0", "", "VATEX-EU-IC", "? 100", "? 100"),
    (DE, "K", "0", "47/DI", "", "47 100", "49 100"),
    (DE, "K", "0", "47/SE", "", "47 100", "49 100"),
    (NOBODY, "AE", "0", "", "", "? 100", "? 100"),
    (NOBODY, "K", "0", "", "", "? 100", "? 100"),
    (XI, "AE", "0", "", "VATEX-EU-AE", "47 100", "49 100"),
    (XI, "K", "0", "", "VATEX-EU-IC", "46 100", "48 100"),
    (DE, "S", "21", "OSS-G", "", "47 100", "49 100"),
    (DE, "Z", "0", "", "", "? 100", "? 100"),
    (US, "E", "0", "", "", "? 100", "? 100"),
    (BE, "S", "0", "", "", "? 100", "? 100"),
    (BE, "O", None, "", "", "", ""),
    (US, "O", None, "", "", "47 100", "49 100"),
    (BE, "none", None, "", "", "? 100", "? 100"),
    (BE, "AB", "0", "", "", "? 100", "? 100"),
]

PURCHASES = [
    (BE, "S", "21", "", "", "59 21, 81-83 100", "63 21, 81-83 -100, 85 100"),
    (BE, "S", "6", "", "", "59 6, 81-83 100", "63 6, 81-83 -100, 85 100"),
    (DE, "S", "19", "", "", "81-83 119", "81-83 -119, 85 119"),
    (DE, "S", "21", "", "", "81-83 121", "81-83 -121, 85 121"),
    (BE, "Z", "0", "", "", "81-83 100", "81-83 -100, 85 100"),
    (BE, "E", "0", "00/44", "", "81-83 100", "81-83 -100, 85 100"),
    (BE, "E", "0", "SC", "", "81-83 100", "81-83 -100, 85 100"),
    (BE, "E", "0", "", "VATEX-EU-F", "81-83 100", "81-83 -100, 85 100"),
    (BE, "E", "0", "", "VATEX-EU-79-C", "", ""),
    (BE, "AE", "0", "", "VATEX-EU-AE", "56 21, 59 21, 81-83 100, 87 100", "81-83 -100, 85 100, 87 -100"),
    (DE, "AE", "0", "", "VATEX-EU-AE", "55 21, 59 21, 81-83 100, 88 100", "81-83 -100, 84 100, 88 -100"),
    (US, "AE", "0", "", "VATEX-EU-AE", "56 21, 59 21, 81-83 100, 87 100", "81-83 -100, 85 100, 87 -100"),
    (DE, "K", "0", "", "VATEX-EU-IC", "55 21, 59 21, 81-83 100, 86 100", "81-83 -100, 84 100, 86 -100"),
    (DE, "K", "0", "44", "", "55 21, 59 21, 81-83 100, 88 100", "81-83 -100, 84 100, 88 -100"),
    (DE, "K", "0", "46/TR", "", "55 21, 59 21, 81-83 100, 86 100", "81-83 -100, 84 100, 86 -100"),
    (US, "K", "0", "", "", "? 100", "? 100"),
    (US, "G", "0", "", "VATEX-EU-G", "57 21, 59 21, 81-83 100, 87 100", "81-83 -100, 85 100, 87 -100"),
    (DE, "G", "0", "", "VATEX-EU-G", "81-83 100", "81-83 -100, 85 100"),
    (BE, "K", "0", "", "VATEX-EU-IC", "? 100", "? 100"),
    (NOBODY, "AE", "0", "", "", "? 100", "? 100"),
    (XI, "AE", "0", "", "VATEX-EU-AE", "56 21, 59 21, 81-83 100, 87 100", "81-83 -100, 85 100, 87 -100"),
    (XI, "K", "0", "", "VATEX-EU-IC", "55 21, 59 21, 81-83 100, 86 100", "81-83 -100, 84 100, 86 -100"),
    (US, "Z", "0", "", "", "? 100", "? 100"),
    (DE, "E", "0", "", "", "? 100", "? 100"),
    (DE, "E", "0", "", "VATEX-EU-135-1", "81-83 100", "81-83 -100, 85 100"),
    (BE, "S", "0", "", "", "? 100", "? 100"),
    (BE, "O", None, "", "", "", ""),
    (US, "O", None, "", "", "? 100", "? 100"),
    (BE, "none", None, "", "", "? 100", "? 100"),
]


@pytest.mark.parametrize(("party", "category", "rate", "name", "code", "invoice", "credit_note"), SALES)
def test_a_sale(
    party: Party, category: str, rate: str | None, name: str, code: str, invoice: str, credit_note: str
) -> None:
    assert boxes(booked("sales_invoice", party, category, rate, name, code)) == invoice
    assert boxes(booked("sales_credit_note", party, category, rate, name, code)) == credit_note


@pytest.mark.parametrize(("party", "category", "rate", "name", "code", "invoice", "credit_note"), PURCHASES)
def test_a_purchase(
    party: Party, category: str, rate: str | None, name: str, code: str, invoice: str, credit_note: str
) -> None:
    assert boxes(booked("purchase_invoice", party, category, rate, name, code)) == invoice
    assert boxes(booked("purchase_credit_note", party, category, rate, name, code)) == credit_note


def test_receipts_are_sales() -> None:
    assert boxes(booked("daily_receipts", Party("Diverse klanten"), "S", "6")) == "01 100, 54 6"


def test_an_import_paid_at_the_customs_owes_nothing_in_the_return() -> None:
    bought = booked("purchase_invoice", US, "G")
    assert vat_return(bought, import_deferred=False) == {"81-83": Decimal(100)}


def test_the_rate_that_the_buyer_owes_can_be_another() -> None:
    bought = booked("purchase_invoice", BE, "AE")
    assert vat_return(bought, rate_due=Decimal(6))["56"] == Decimal("6.00")


def test_vat_that_is_owed_is_rounded_once() -> None:
    bought = booked("purchase_invoice", DE, "AE")
    lines = tuple(replace(bought.lines[0], line_id=str(number), net=Decimal("0.12")) for number in range(10))
    many = replace(bought, lines=lines, total=Decimal("1.20"))
    assert vat_return(many) == {
        "55": Decimal("0.25"),
        "59": Decimal("0.25"),
        "81-83": Decimal("1.20"),
        "88": Decimal("1.20"),
    }


@pytest.mark.parametrize(
    ("account", "box"), [("604000", "81"), ("613200", "82"), ("240000", "83"), ("440000", "81-83"), (None, "81-83")]
)
def test_the_class_of_the_account_parts_purchases(account: str | None, box: str) -> None:
    found = vat_return(booked("purchase_invoice", BE, "S", "21"), account_of=lambda _: account)
    assert found == {box: Decimal(100), "59": Decimal(21)}


def test_vat_that_cannot_be_deducted_is_part_of_what_was_bought() -> None:
    car = booked("purchase_invoice", BE, "S", "21")
    half = replace(car, lines=(replace(car.lines[0], non_deductible_percent=Decimal(50)),))
    assert boxes(half) == "59 10.5, 81-83 110.5"
    leased_abroad = booked("purchase_invoice", DE, "AE")
    owed = replace(leased_abroad, lines=(replace(leased_abroad.lines[0], non_deductible_percent=Decimal(50)),))
    assert boxes(owed) == "55 21, 59 10.5, 81-83 110.5, 88 100"


def test_a_document_of_several_situations_lands_in_the_boxes_of_each() -> None:
    standard, zero = booked("sales_invoice", BE, "S", "21"), booked("sales_invoice", BE, "Z")
    assert boxes(replace(standard, lines=standard.lines + zero.lines, total=Decimal(221))) == "00 100, 03 100, 54 21"


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("reverse-charge-sale-to-germany", "sales_invoice", "44 480"),
        ("reverse-charge-purchase", "purchase_invoice", "56 131.37, 59 131.37, 81-83 625.55, 87 625.55"),
        ("lower-rate-category", "purchase_invoice", "59 16.5, 81-83 150"),
        ("charge-without-category", "purchase_invoice", "59 23.1, 81-83 110"),
        ("exempt-under-article-44", "sales_invoice", "00 75"),
        ("dollars-with-euro-vat", "sales_invoice", "03 925, 54 194.25"),
        ("negative-invoice", "sales_invoice", "03 -10, 54 -2.1"),
    ],
)
def test_a_file(name: str, kind: str, expected: str) -> None:
    assert boxes(sample(name, kind)) == expected


def in_dollars(made: Booking, vat_in_euros: str | None = None, rate: str | None = None) -> Booking:
    euros, exchange_rate = (Decimal(each) if each else None for each in (vat_in_euros, rate))
    return replace(made, currency="USD", vat_in_euros=euros, exchange_rate=exchange_rate)


@pytest.mark.parametrize(
    ("kind", "party", "category", "rate", "vat_in_euros", "exchange_rate", "expected"),
    [
        ("purchase_invoice", BE, "S", "21", "19.32", None, "59 19.32, 81-83 unknown"),
        ("purchase_credit_note", BE, "S", "21", "19.32", None, "63 19.32, 81-83 unknown, 85 unknown"),
        ("sales_invoice", BE, "S", "21", "19.32", None, "03 unknown, 54 19.32"),
        ("sales_credit_note", BE, "S", "21", "19.32", None, "49 unknown, 64 19.32"),
        ("sales_invoice", BE, "S", "21", None, None, "03 unknown, 54 unknown"),
        ("sales_invoice", BE, "S", "21", "19.32", "0.9", "03 90, 54 19.32"),
        ("sales_invoice", BE, "S", "21", None, "0.9", "03 90, 54 18.9"),
        ("purchase_invoice", DE, "S", "19", "17.48", None, "81-83 unknown"),
        ("purchase_invoice", DE, "S", "19", "17.48", "0.9", "81-83 107.48"),
        ("purchase_invoice", DE, "AE", "0", None, None, "55 unknown, 59 unknown, 81-83 unknown, 88 unknown"),
        ("purchase_invoice", DE, "AE", "0", "19.32", None, "55 unknown, 59 unknown, 81-83 unknown, 88 unknown"),
        ("purchase_invoice", DE, "AE", "0", None, "0.9", "55 18.9, 59 18.9, 81-83 90, 88 90"),
        ("sales_invoice", DE, "AE", "0", "0.00", None, "44 unknown"),
        ("sales_invoice", BE, "none", None, None, None, "? unknown"),
    ],
)
def test_dollars_never_stand_in_a_box(
    kind: str,
    party: Party,
    category: str,
    rate: str | None,
    vat_in_euros: str | None,
    exchange_rate: str | None,
    expected: str,
) -> None:
    assert boxes(in_dollars(booked(kind, party, category, rate), vat_in_euros, exchange_rate)) == expected


def test_the_vat_in_euros_is_of_all_lines_together() -> None:
    made = booked("purchase_invoice", BE, "S", "21")
    half = replace(made.lines[0], non_deductible_percent=Decimal(50))
    two = replace(made, lines=(made.lines[0], half), total=Decimal(242))
    assert boxes(in_dollars(two, "38.65")) == "59 28.99, 81-83 unknown"
    owed = booked("purchase_invoice", BE, "AE").lines
    mixed = replace(made, lines=made.lines + owed, total=Decimal(221))
    assert boxes(in_dollars(mixed, "19.32")) == "56 unknown, 59 unknown, 81-83 unknown, 87 unknown"


def test_vat_that_cancels_out_tells_no_euros_of_its_lines() -> None:
    made = booked("sales_invoice", BE, "S", "21")
    back = replace(booked("sales_invoice", BE, "S", "6").lines[0], net=Decimal(-350), tax=Decimal(-21))
    assert boxes(in_dollars(replace(made, lines=(*made.lines, back), total=Decimal(-250)), "0.00")) == (
        "01 unknown, 03 unknown"
    )

"""Sample invoices, read and made ready to book: one for each thing that makes a booking go wrong."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

import koppel_ubl
from koppel_bookkeeping import CannotBook, from_ubl
from koppel_bookkeeping.amounts import rounded
from koppel_bookkeeping.vat_categories import category_of
from koppel_bookkeeping.vat_situation import situation_of
from koppel_mesh.messages import DocumentKind
from koppel_ubl import AllowanceCharge
from koppel_ubl.model import Totals

from .books import SAMPLES, sample

KINDS = {
    "prepaid-and-rounded": "sales_invoice",
    "allowance-charge-four-rates": "sales_invoice",
    "creditnote-without-due-date": "sales_credit_note",
    "creditnote-with-terms": "purchase_credit_note",
    "reverse-charge-purchase": "purchase_invoice",
    "intra-community-purchase": "purchase_invoice",
    "dollars-with-euro-vat": "sales_invoice",
    "negative-invoice": "sales_invoice",
    "reverse-charge-sale-to-germany": "sales_invoice",
    "exempt-under-article-44": "sales_invoice",
    "lower-rate-category": "purchase_invoice",
    "charge-without-category": "purchase_invoice",
}


def test_there_is_a_case_for_every_sample() -> None:
    assert {path.stem for path in SAMPLES.glob("*.xml")} == set(KINDS)


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_lines_and_vat_make_the_total_of_the_document(name: str, kind: str) -> None:
    made = sample(name, kind)
    document = koppel_ubl.read((SAMPLES / f"{name}.xml").read_bytes())
    assert sum(line.net + line.tax for line in made.lines) == made.total == document.totals.with_vat
    assert {(each.category, each.rate, each.base, each.tax) for each in made.vat} == {
        (category_of(each.category, each.rate), each.rate, each.taxable, each.tax) for each in document.vat_breakdown
    }


def test_a_credit_note_stands_as_on_paper_and_its_kind_says_what_it_is() -> None:
    made = sample("creditnote-without-due-date", "sales_credit_note")
    assert (made.total, made.lines[0].net, made.lines[0].tax) == (Decimal("121.00"), Decimal(100), Decimal(21))
    assert made.is_credit_note and made.sign == -1
    assert made.due_on is None


def test_a_negative_invoice_is_an_invoice() -> None:
    made = sample("negative-invoice", "sales_invoice")
    assert made.total == Decimal("-12.10")
    assert not made.is_credit_note and made.sign == 1


def test_what_was_paid_or_rounded_is_no_part_of_the_entry() -> None:
    made = sample("prepaid-and-rounded", "sales_invoice")
    assert (made.total, made.prepaid, made.rounding) == (Decimal("161.33"), Decimal("100.00"), Decimal("0.02"))
    assert made.payable == Decimal("61.35")


def test_allowances_and_charges_of_the_document_are_lines_of_their_own() -> None:
    made = sample("allowance-charge-four-rates", "sales_invoice")
    assert [(line.line_id, line.net, line.text) for line in made.lines[-2:]] == [
        (None, Decimal("-1.50"), "Klantenkorting"),
        (None, Decimal("1.50"), "Verpakking"),
    ]
    assert {(each.rate, each.tax) for each in made.vat} == {
        (Decimal(21), Decimal("12.29")),
        (Decimal(6), Decimal("0.72")),
        (Decimal(12), Decimal("1.11")),
        (Decimal(0), Decimal("0.00")),
    }


def test_the_counterparty_is_the_other_side() -> None:
    sale = sample("prepaid-and-rounded", "sales_invoice")
    assert (sale.party.vat_number, sale.party.name) == ("BE0000000295", "Houthandel Staal NV")
    purchase = sample("prepaid-and-rounded", "purchase_invoice")
    assert (purchase.party.vat_number, purchase.party.city, purchase.party.country) == ("BE0000000196", "Gent", "BE")


def test_the_dossiers_own_number_on_the_other_side_identifies_nobody() -> None:
    ubl = (SAMPLES / "prepaid-and-rounded.xml").read_bytes().replace(b"0000000295", b"0000000196")
    party = from_ubl.booking(ubl, DocumentKind.DAILY_RECEIPTS).party
    assert (party.name, party.vat_number, party.enterprise_number) == ("Houthandel Staal NV", "", "")


def test_a_foreign_currency_brings_its_rate() -> None:
    made = sample("dollars-with-euro-vat", "sales_invoice")
    assert (made.currency, made.exchange_rate) == ("USD", Decimal("0.925000"))
    assert sample("prepaid-and-rounded", "sales_invoice").exchange_rate is None


@pytest.mark.parametrize("name", ["reverse-charge-purchase", "intra-community-purchase"])
def test_vat_that_the_buyer_owes_is_not_charged_and_is_known(name: str) -> None:
    bought, sold = sample(name, "purchase_invoice"), sample(name, "sales_invoice")
    assert all(line.tax == 0 and situation_of(bought, line).is_due_by_buyer for line in bought.lines)
    assert not any(situation_of(sold, line).is_due_by_buyer for line in sold.lines)


def test_a_currency_in_small_letters_is_the_same_one() -> None:
    ubl = (SAMPLES / "prepaid-and-rounded.xml").read_bytes().replace(b"EUR", b"eur")
    assert from_ubl.booking(ubl, DocumentKind.SALES_INVOICE) == sample("prepaid-and-rounded", "sales_invoice")


def test_amounts_in_another_currency_than_the_document_says_are_not_booked() -> None:
    ubl = (SAMPLES / "prepaid-and-rounded.xml").read_bytes()
    said = ubl.replace(b">EUR</cbc:DocumentCurrencyCode>", b">usd</cbc:DocumentCurrencyCode>")
    with pytest.raises(CannotBook) as caught:
        from_ubl.booking(said, DocumentKind.SALES_INVOICE)
    assert (caught.value.code, caught.value.detail) == ("document_currency_unclear", "document USD, amounts EUR")


def test_a_line_without_an_id_is_known_by_its_place_at_both_ends() -> None:
    ubl = (SAMPLES / "reverse-charge-purchase.xml").read_bytes()
    without = ubl.replace(b"<cbc:ID>2</cbc:ID>", b"")
    assert without != ubl
    made = from_ubl.booking(without, DocumentKind.PURCHASE_INVOICE)
    told = from_ubl.lines_of(koppel_ubl.read(without))
    assert [line.line_id for line in made.lines] == [line.id for line in told] == ["1", "2"]


@pytest.mark.parametrize("data", [b"%PDF-1.4", b"<a/>", b""])
def test_what_is_no_ubl_is_refused(data: bytes) -> None:
    with pytest.raises(CannotBook) as caught:
        from_ubl.booking(data, DocumentKind.SALES_INVOICE)
    assert caught.value.code == "document_unreadable"


def test_a_kind_that_is_no_invoice_is_refused() -> None:
    with pytest.raises(CannotBook) as caught:
        from_ubl.booking(b"", DocumentKind.BANK_STATEMENT)
    assert caught.value.code == "kind_not_supported"


def test_a_document_that_does_not_add_up_is_refused_with_both_amounts() -> None:
    ubl = (SAMPLES / "prepaid-and-rounded.xml").read_bytes()
    wrong = ubl.replace(b">161.33</cbc:TaxInclusiveAmount>", b">161.34</cbc:TaxInclusiveAmount>")
    assert wrong != ubl
    with pytest.raises(CannotBook) as caught:
        from_ubl.booking(wrong, DocumentKind.SALES_INVOICE)
    assert (caught.value.code, caught.value.detail) == (
        "document_totals_wrong",
        "lines and VAT make 161.33, the document says 161.34",
    )


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("charge-without-category", "<cbc:Percent>21</cbc:Percent>"),
        ("lower-rate-category", "<cbc:ID>S</cbc:ID>"),
    ],
)
def test_what_a_line_leaves_out_is_taken_from_the_only_vat_that_it_can_be(name: str, left_out: str) -> None:
    ubl = (SAMPLES / f"{name}.xml").read_text()
    start = ubl.rindex("<cac:ClassifiedTaxCategory>")
    short = ubl[:start] + ubl[start:].replace(left_out, "")
    assert short != ubl
    made = from_ubl.booking(short.encode(), DocumentKind.PURCHASE_INVOICE)
    assert made.lines == sample(name, "purchase_invoice").lines


@pytest.mark.parametrize(
    ("scheme", "address", "told"),
    [
        ("9930", "DE811907980", "DE811907980"),
        ("9932", "gb123456789", "GB123456789"),
        ("0088", "5412345000013", "n/a"),
        ("9930", "811907980", "n/a"),
    ],
)
def test_a_foreign_vat_number_stands_in_the_electronic_address_where_nothing_else_has_it(
    scheme: str, address: str, told: str
) -> None:
    ubl = (SAMPLES / "reverse-charge-sale-to-germany.xml").read_text()
    written = ubl.replace("<cbc:CompanyID>DE811907980<", "<cbc:CompanyID>n/a<").replace(
        '<cbc:EndpointID schemeID="9930">DE811907980<', f'<cbc:EndpointID schemeID="{scheme}">{address}<'
    )
    made = from_ubl.booking(written.encode(), DocumentKind.SALES_INVOICE)
    assert made.party.vat_number == told
    assert from_ubl.counterparty_of(koppel_ubl.read(written.encode()).buyer).vat_number == told


@pytest.mark.parametrize("name", ["lower-rate-category", "allowance-charge-four-rates"])
def test_without_a_breakdown_the_lines_tell_the_vat_that_makes_the_total(name: str) -> None:
    ubl = (SAMPLES / f"{name}.xml").read_text()
    bare = re.sub(r"<cac:TaxSubtotal>.*?</cac:TaxSubtotal>", "", ubl, flags=re.DOTALL)
    assert bare != ubl
    made = from_ubl.booking(bare.encode(), DocumentKind(KINDS[name]))
    whole = sample(name, KINDS[name])
    assert [(line.group, line.net, line.tax) for line in made.lines] == [
        (line.group, line.net, line.tax) for line in whole.lines
    ]


def test_a_cent_of_rounding_is_of_the_only_rate() -> None:
    ubl = (SAMPLES / "creditnote-without-due-date.xml").read_text()
    bare = re.sub(r"<cac:TaxSubtotal>.*?</cac:TaxSubtotal>", "", ubl, flags=re.DOTALL).replace(">121.00<", ">121.01<")
    made = from_ubl.booking(bare.encode(), DocumentKind.SALES_CREDIT_NOTE)
    assert [line.tax for line in made.lines] == [Decimal("21.01")]


def with_nets(nets: list[str], base: str, total: str, *, bare: bool = False) -> bytes:
    """Return a credit note at 21 % with a line for each net."""
    head, line, tail = re.split(
        "(<cac:CreditNoteLine>.*</cac:CreditNoteLine>)",
        (SAMPLES / "creditnote-without-due-date.xml").read_text(),
        flags=re.DOTALL,
    )
    lines = [
        line.replace(">1</cbc:ID>", f">{place}</cbc:ID>").replace(">100.00</cbc:LineEx", f">{net}</cbc:LineEx")
        for place, net in enumerate(nets, 1)
    ]
    told = head.replace(">100.00<", f">{base}<").replace(">121.00<", f">{total}<")
    told = told.replace(">21.00<", f">{Decimal(total) - Decimal(base)}<")
    if bare:
        told = re.sub(r"<cac:TaxSubtotal>.*?</cac:TaxSubtotal>", "", told, flags=re.DOTALL)
    return (told + "".join(lines) + tail).encode()


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(
    ("nets", "base", "total", "booked"),
    [
        (["3.3333", "3.3333", "3.3334"], "10.00", "12.10", ["3.33", "3.33", "3.34"]),
        (["3.3333", "3.3333", "3.3333"], "10.00", "12.10", ["3.34", "3.33", "3.33"]),
        (["3.335", "3.335", "3.33"], "10.00", "12.10", ["3.34", "3.33", "3.33"]),
        (["10.125", "-0.125"], "10.00", "12.10", ["10.13", "-0.13"]),
        (["0.004", "9.996"], "10.00", "12.10", ["0.00", "10.00"]),
        (["10.005", "10.005"], "20.02", "24.22", ["10.01", "10.01"]),  # each line rounded before they were added
        (["10.0000"], "10.0000", "12.1000", ["10.00"]),
        (["5.005", "-5.005"], "0.00", "0.00", ["5.01", "-5.01"]),
    ],
)
def test_lines_with_more_decimals_make_the_sum_that_the_document_states(
    nets: list[str], base: str, total: str, booked: list[str], bare: bool
) -> None:
    made = from_ubl.booking(with_nets(nets, base, total, bare=bare), DocumentKind.SALES_CREDIT_NOTE)
    assert [line.net for line in made.lines] == [Decimal(net) for net in booked]
    assert made.total == rounded(Decimal(total))


@pytest.mark.parametrize(
    ("nets", "base", "vat", "booked"),
    [
        # At 21 %, 21 %, 6 % and 6 %: each line rounded before they were added, and after.
        (["10.005", "10.005", "5.005", "5.005"], "30.04", "4.80", ["10.01", "10.01", "5.01", "5.01"]),
        (["10.005", "10.005", "5.005", "5.005"], "30.02", "4.80", ["10.01", "10.00", "5.01", "5.00"]),
        (["10.005", "10.005", "5.004", "5.004"], "30.02", "4.80", ["10.01", "10.00", "5.01", "5.00"]),
    ],
)
def test_lines_of_two_rates_without_a_breakdown_make_the_sum_that_the_document_states(
    nets: list[str], base: str, vat: str, booked: list[str]
) -> None:
    ubl = with_nets(nets, base, str(Decimal(base) + Decimal(vat)), bare=True).decode()
    head, *lines = ubl.split("<cac:CreditNoteLine>")
    lines[2:] = [line.replace("<cbc:Percent>21<", "<cbc:Percent>6<") for line in lines[2:]]
    made = from_ubl.booking("<cac:CreditNoteLine>".join([head, *lines]).encode(), DocumentKind.SALES_CREDIT_NOTE)
    assert [line.rate for line in made.lines] == [Decimal(rate) for rate in (21, 21, 6, 6)]
    assert [line.net for line in made.lines] == [Decimal(net) for net in booked]


def test_lines_with_more_decimals_that_do_not_add_up_are_refused_with_what_they_make() -> None:
    with pytest.raises(CannotBook) as caught:
        from_ubl.booking(with_nets(["3.3333", "3.3333", "3.3334"], "10.01", "12.11"), DocumentKind.SALES_CREDIT_NOTE)
    assert caught.value.detail == "lines and VAT make 12.10, the document says 12.11"


@pytest.mark.parametrize(("category", "told"), [("Z", "S"), ("E", "S"), ("O", "S"), ("AE", "AE"), ("K", "K")])
def test_vat_that_is_charged_under_a_category_of_none_is_of_the_standard_rate(category: str, told: str) -> None:
    ubl = (SAMPLES / "creditnote-without-due-date.xml").read_text()
    charged = ubl.replace("<cbc:ID>S</cbc:ID>", f"<cbc:ID>{category}</cbc:ID>")
    assert charged != ubl
    made = from_ubl.booking(charged.encode(), DocumentKind.SALES_CREDIT_NOTE)
    assert [(line.category, line.rate, line.tax) for line in made.lines] == [(told, Decimal(21), Decimal("21.00"))]


def test_the_vat_in_euros_has_the_sign_of_the_vat_in_the_currency_of_the_document() -> None:
    ubl = (SAMPLES / "dollars-with-euro-vat.xml").read_text()
    turned = re.sub(r'(currencyID="EUR">)(?=\d)', r"\1-", ubl)
    assert turned != ubl
    made, whole = (
        from_ubl.booking(turned.encode(), DocumentKind.SALES_INVOICE),
        sample("dollars-with-euro-vat", "sales_invoice"),
    )
    assert whole.vat_in_euros is not None
    assert (made.vat_in_euros, made.exchange_rate) == (whole.vat_in_euros, whole.exchange_rate)


def test_amounts_of_more_digits_than_python_keeps_are_booked_to_the_cent() -> None:
    """Half a cent is reached by none of these, though it is once they are cut to 28 digits."""
    under = "0.00499999999999999999999999999999999999"
    ubl = (SAMPLES / "creditnote-without-due-date.xml").read_text().replace(">100.00<", f">100{under[1:]}<")
    assert under[1:] in ubl
    for signs_reversed, sign in ((False, 1), (True, -1)):
        made = from_ubl.booking(ubl.encode(), DocumentKind.SALES_CREDIT_NOTE, signs_reversed=signs_reversed)
        assert [line.net for line in made.lines] == [sign * Decimal("100.00")]
    document = replace(koppel_ubl.read(ubl.encode()), totals=Totals(payable=Decimal("121.00"), rounding=Decimal(under)))
    assert str(from_ubl.total_of(document)) == "120.99500000000000000000000000000000000001"
    allowance = AllowanceCharge(is_charge=False, amount=Decimal(f"7{under[1:]}"))
    [*_, booked] = from_ubl._adjustments(replace(document, allowances_charges=(allowance,)))
    assert str(booked.net) == f"-7{under[1:]}"

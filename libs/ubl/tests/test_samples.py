"""Real-looking documents come out as what they say."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

import koppel_ubl

SAMPLES = Path(__file__).parent / "samples"
ALL = sorted(SAMPLES.glob("*/*.xml"))


def sample(name: str) -> koppel_ubl.Invoice | koppel_ubl.CreditNote:
    return koppel_ubl.read((SAMPLES / name).read_bytes())


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_sample_reads_without_leaving_anything_out(path: Path) -> None:
    document = koppel_ubl.read(path.read_bytes())
    assert document.number
    assert document.issue_date
    assert document.lines
    left_out = [path for path in document.unmapped if "/@" not in path]
    assert left_out == [], "older documents may name code lists in attributes; elements are all held"


@pytest.mark.parametrize("path", sorted((SAMPLES / "valid").glob("*.xml")), ids=lambda path: path.name)
def test_valid_samples_are_held_whole(path: Path) -> None:
    assert koppel_ubl.read(path.read_bytes()).unmapped == ()


@pytest.mark.parametrize("path", sorted((SAMPLES / "valid").glob("*.xml")), ids=lambda path: path.name)
def test_totals_and_breakdown_agree_with_an_independent_look(path: Path) -> None:
    document, root = koppel_ubl.read(path.read_bytes()), etree.parse(path).getroot()

    def numbers(expression: str) -> list[Decimal]:
        return [Decimal(str(found)) for found in root.xpath(expression)]

    def local(*names: str) -> str:
        return "/" + "/".join(f"*[local-name()='{name}']" for name in names)

    assert [document.totals.payable] == numbers(f"/*{local('LegalMonetaryTotal', 'PayableAmount')}/text()")
    assert [one.tax for one in document.vat_breakdown] == numbers(
        f"/*{local('TaxTotal', 'TaxSubtotal', 'TaxAmount')}/text()"
    )
    nets = numbers(
        "/*/*[contains(local-name(), 'Line') and *[local-name()='Item']]/*[local-name()='LineExtensionAmount']/text()"
    )
    assert [line.net for line in document.lines] == nets
    assert document.totals.lines == sum(nets)


def test_an_invoice_with_everything_a_belgian_one_has() -> None:
    invoice = sample("valid/own__be-01-invoice-ogm-pdf.xml")
    assert isinstance(invoice, koppel_ubl.Invoice)
    assert (invoice.number, invoice.issue_date, invoice.currency) == ("2026-0001", date(2026, 1, 15), "EUR")
    assert invoice.seller.enterprise_number == "0000000196"
    assert invoice.buyer.enterprise_number == "0000000295"
    assert invoice.structured_reference == "202600000192"
    assert {(one.category, one.rate) for one in invoice.vat_breakdown} == {("S", Decimal(21)), ("S", Decimal(6))}
    assert invoice.totals.with_vat == invoice.totals.without_vat + invoice.vat_total  # type: ignore[operator]
    assert invoice.pdf is not None
    assert invoice.pdf.is_pdf


def test_a_credit_note_keeps_positive_amounts_and_names_its_invoice() -> None:
    note = sample("valid/own__be-02-creditnote-ref.xml")
    assert isinstance(note, koppel_ubl.CreditNote)
    assert note.totals.payable == Decimal("151.86")
    assert note.billing_references[0].number
    assert note.due_date, "a credit note's due date stands with its payment means"


def test_foreign_currency_gives_the_rate_that_its_vat_totals_imply() -> None:
    invoice = sample("valid/own__be-11-USD-with-EUR-vat.xml")
    assert (invoice.currency, invoice.tax_currency) == ("USD", "EUR")
    assert invoice.vat_total is not None
    assert invoice.vat_total_in_tax_currency is not None
    assert invoice.exchange_rate == invoice.vat_total_in_tax_currency / invoice.vat_total


def test_e_fff_invoice_has_its_rate_beside_the_category_and_its_vat_in_the_line() -> None:
    invoice = sample("legacy/own__efff-v1-invoice.xml")
    assert [(one.category, one.rate) for one in invoice.vat_breakdown] == [("S", Decimal(21))]
    assert invoice.lines[0].vat.rate == Decimal(21)
    assert invoice.seller.name, "e-FFF has a PartyName instead of a registered name"


@pytest.mark.parametrize(
    ("subtotal", "category", "rate"),
    [
        ("<cbc:Percent>6</cbc:Percent><cac:TaxCategory><cbc:Name>03</cbc:Name></cac:TaxCategory>", "S", "6"),
        ("<cac:TaxCategory><cbc:Name>02</cbc:Name></cac:TaxCategory>", "S", "12"),
        ("<cac:TaxCategory><cbc:Percent>6</cbc:Percent></cac:TaxCategory>", "S", "6"),
        ("<cac:TaxCategory/>", "S", "21"),
    ],
)
def test_the_rate_is_looked_for_where_older_documents_have_it(subtotal: str, category: str, rate: str) -> None:
    amount = '<cbc:{0} currencyID="EUR">{1}</cbc:{0}>'.format
    parts = f"{amount('TaxableAmount', '100.00')}{amount('TaxAmount', '21.00')}{subtotal}"
    total = f"<cac:TaxTotal>{amount('TaxAmount', '21.00')}<cac:TaxSubtotal>{parts}</cac:TaxSubtotal>"
    text = (SAMPLES / "legacy/own__efff-v1-invoice.xml").read_text(encoding="utf-8")
    start = text.index("<cac:TaxTotal>")
    end = text.index("</cac:TaxTotal>", start)
    [vat] = koppel_ubl.read((text[:start] + total + text[end:]).encode()).vat_breakdown
    assert (vat.category, vat.rate) == (category, Decimal(rate))


def test_e_fff_credit_note_is_a_credit_note_though_its_root_says_invoice() -> None:
    assert isinstance(sample("legacy/own__efff-v1-creditnote-as-invoice-381.xml"), koppel_ubl.CreditNote)


@pytest.mark.parametrize(
    "name",
    ["iso-8859-1", "utf-16", "utf8-bom", "prefix-ns0-default-cbc", "sbdh-envelope", "comments-pi-cdata-whitespace"],
)
def test_the_form_does_not_change_what_is_read(name: str) -> None:
    plain, other = sample("valid/own__be-01-invoice-ogm-pdf.xml"), sample(f"legacy/own__{name}.xml")
    assert (other.number, other.totals.payable, len(other.lines)) == (
        plain.number,
        plain.totals.payable,
        len(plain.lines),
    )


def test_what_the_model_has_no_place_for_is_listed() -> None:
    data = (SAMPLES / "valid/own__be-01-invoice-ogm-pdf.xml").read_bytes()
    prefix = data.partition(b":IssueDate>")[0].rpartition(b"<")[2]
    extra = b"<" + prefix + b":LineCountNumeric>2</" + prefix + b":LineCountNumeric><" + prefix + b":BuyerReference>"
    changed = data.replace(b"<" + prefix + b":BuyerReference>", extra, 1)
    assert changed != data
    assert koppel_ubl.read(changed).unmapped == ("Invoice/LineCountNumeric",)


@pytest.mark.parametrize(
    ("path", "unmapped"),
    [
        ("<cac:Contact/>", False),
        ("<cac:Contact><cbc:Name> </cbc:Name></cac:Contact>", False),
        ("<cac:Contact><cbc:Telefax>1</cbc:Telefax></cac:Contact>", True),
    ],
)
def test_an_empty_group_is_an_absent_one(path: str, unmapped: bool) -> None:
    text = (SAMPLES / "valid" / "own__be-01-invoice-ogm-pdf.xml").read_text(encoding="utf-8")
    start, end = text.index("<cac:Contact>"), text.index("</cac:Contact>") + len("</cac:Contact>")
    document = koppel_ubl.read((text[:start] + path + text[end:]).encode())
    assert document.seller.contact is None
    assert bool(document.unmapped) is unmapped
    again = koppel_ubl.read(koppel_ubl.write(document))
    assert again.seller == document.seller


def test_an_empty_attribute_is_an_absent_one() -> None:
    text = (SAMPLES / "valid" / "own__be-01-invoice-ogm-pdf.xml").read_text(encoding="utf-8")
    document = koppel_ubl.read(text.replace('unitCode="C62"', 'unitCode=""').encode())
    assert {line.unit for line in document.lines} == {None}

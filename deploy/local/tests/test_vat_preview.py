"""``koppel vat-preview`` as a person types it: no mesh runs."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from koppel_local.cli import app

SAMPLES = Path(__file__).parents[3] / "libs" / "bookkeeping" / "tests" / "samples"
OURS = "0000000196"
SALE, PURCHASE = SAMPLES / "reverse-charge-sale-to-germany.xml", SAMPLES / "lower-rate-category.xml"


def previewed(*arguments: object, number: str = OURS) -> Result:
    return CliRunner().invoke(app, ["vat-preview", *map(str, arguments), "--enterprise-number", number])


def rows(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()[1:]]


def test_a_number_that_is_none_is_refused() -> None:
    result = previewed(SALE, number="1234567890")
    assert result.exit_code == 1
    assert "is not an enterprise number" in result.stderr


def test_a_file_of_somebody_else_or_without_ubl_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    bad.write_text("<a/>")
    result = previewed(bad, tmp_path / "absent.xml", SALE, number="0404616494")
    assert result.exit_code == 1
    assert "Neither the seller nor the buyer is 0404616494." in result.stdout
    assert "absent.xml" in result.stdout
    assert "bad.xml" in result.stdout


def test_each_box_of_each_file_is_shown_and_their_sums() -> None:
    result = previewed(SALE, PURCHASE)
    assert result.exit_code == 0
    assert rows(result) == [
        ["reverse-charge-sale-to-germany.xml", "V-901", "sales_invoice", "44", "480.00", "EUR"],
        ["lower-rate-category.xml", "L-902", "purchase_invoice", "59", "16.50", "EUR"],
        ["lower-rate-category.xml", "L-902", "purchase_invoice", "81-83", "150.00", "EUR"],
        ["all", "44", "480.00", "EUR"],
        ["all", "59", "16.50", "EUR"],
        ["all", "81-83", "150.00", "EUR"],
    ]


def test_a_pro_forma_invoice_lands_nowhere(tmp_path: Path) -> None:
    proforma = tmp_path / "proforma.xml"
    proforma.write_text(PURCHASE.read_text().replace(">380</cbc:InvoiceTypeCode>", ">325</cbc:InvoiceTypeCode>"))
    result = previewed(proforma)
    assert result.exit_code == 1
    assert "pro forma" in result.stdout
    assert "81-83" not in result.stdout


@pytest.mark.parametrize(("options", "vat"), [((), "131.37"), (("--rate-due", "6"), "37.53")])
def test_what_the_buyer_owes_is_computed_at_the_rate_that_is_given(options: tuple[str, ...], vat: str) -> None:
    result = previewed(SAMPLES / "reverse-charge-purchase.xml", *options)
    assert [(row[3], row[4]) for row in rows(result)] == [
        ("56", vat),
        ("59", vat),
        ("81-83", "625.55"),
        ("87", "625.55"),
    ]


def test_the_sign_of_a_negative_credit_note_is_not_certain(tmp_path: Path) -> None:
    negative = tmp_path / "negative.xml"
    positive = SAMPLES / "creditnote-without-due-date.xml"
    negative.write_text(re.sub(r"(Amount currencyID=\"EUR\">)(?=[1-9])", r"\1-", positive.read_text()))
    assert previewed(positive).exit_code == 0
    result = previewed(negative)
    assert result.exit_code == 1
    assert "a person says which sign is meant" in result.stdout


def test_another_currency_is_told_in_euros() -> None:
    result = previewed(SAMPLES / "dollars-with-euro-vat.xml")
    assert result.exit_code == 0
    assert {row[-1] for row in rows(result)} == {"EUR"}


def test_what_the_file_does_not_tell_is_asked(tmp_path: Path) -> None:
    unknown = tmp_path / "unknown.xml"
    unknown.write_bytes(
        PURCHASE.read_bytes().replace(b">AA<", b">XX<").replace(b">6<", b">0<").replace(b">6.00<", b">0.00<")
    )
    unknown.write_bytes(unknown.read_bytes().replace(b">166.50<", b">160.50<").replace(b">16.50<", b">10.50<"))
    result = previewed(unknown)
    assert result.exit_code == 1
    assert ["unknown.xml", "L-902", "purchase_invoice", "?", "100.00", "EUR"] in rows(result)


def test_an_amount_in_dollars_without_a_rate_is_never_told_as_euros(tmp_path: Path) -> None:
    dollars = tmp_path / "dollars.xml"
    dollars.write_text((SAMPLES / "dollars-with-euro-vat.xml").read_text().replace(">194.25<", ">193.16<"))
    result = previewed(dollars, PURCHASE)
    assert result.exit_code == 1
    shown = [row[3:6] for row in rows(result) if row[0] == "dollars.xml"]
    assert shown == [["03", "?", "EUR"], ["54", "193.16", "EUR"]]
    assert "tells no exact rate" in " ".join(result.stdout.split())
    assert ["all", "03", "?", "EUR"] in rows(result)
    assert ["all", "54", "193.16", "EUR"] in rows(result)

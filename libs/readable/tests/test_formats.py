"""Numbers, dates and references as people write them."""

from datetime import date
from decimal import Decimal

import pytest

from koppel_readable import Language
from koppel_readable.formats import (
    format_account,
    format_amount,
    format_date,
    format_money,
    format_number,
    format_percent,
    format_reference,
    format_vat_number,
)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("value", "language", "shown"),
    [
        ("1234567.5", "nl", "1.234.567,50"),
        ("-1234567.5", "fr", "-1 234 567,50"),
        ("1234.5678", "en", "1,234.5678"),
        ("0", "nl", "0,00"),
        *((zero, "nl", "0,00") for zero in ("0E-20", "0E-21", "0E-24", "0E-40", "0E+40")),
        ("12.3400", "nl", "12,34"),
        ("1E+3", "nl", "1.000,00"),
        ("99999999999999999999.99", "en", "99,999,999,999,999,999,999.99"),
        ("33.333333333333333333333333333", "nl", "33,333333333333333333333333333"),
        ("333.33333333333333333333333333333", "nl", "333,3333333333333333333333333…"),
        ("-12345678901234567890.3333333333333333", "en", "-12,345,678,901,234,567,890.3…"),
        ("1E-30", "nl", "1.000000000000E-30"),
        ("1E+1000", "nl", "1.000000000000E+1000"),
        ("NaN", "nl", "NaN"),
    ],
)
def test_amounts(value: str, language: Language, shown: str) -> None:
    assert plain(format_amount(Decimal(value), language)) == shown


def test_quantities_and_rates_have_no_empty_decimals() -> None:
    assert format_number(Decimal("12.000"), "nl") == "12"
    assert format_number(Decimal("0.0625"), "nl") == "0,0625"
    assert plain(format_percent(Decimal("21.00"), "nl")) == "21 %"
    assert format_percent(Decimal("5.5"), "en") == "5.5%"


def test_money_has_its_currency() -> None:
    assert plain(format_money(Decimal(5), "EUR", "nl")) == "€ 5,00"
    assert plain(format_money(Decimal(5), "USD", "fr")) == "5,00 USD"
    assert plain(format_money(Decimal(5), None, "en")) == "5.00"


def test_dates_have_the_month_as_a_word() -> None:
    assert plain(format_date(date(2026, 3, 1), "nl")) == "1 maart 2026"
    assert plain(format_date(date(2026, 8, 1), "fr")) == "1er août 2026"
    assert plain(format_date(date(2026, 8, 2), "en")) == "2 August 2026"


def test_what_is_absent_is_empty() -> None:
    absent = (
        format_amount(None, "nl"),
        format_number(None, "nl"),
        format_percent(None, "nl"),
        format_money(None, "EUR", "nl"),
    )
    assert {*absent, format_date(None, "nl")} == {""}


def test_references_accounts_and_numbers_are_grouped() -> None:
    assert format_reference("202600000192") == "+++202/6000/00192+++"
    assert plain(format_reference("RF18539007547034")) == "RF18 5390 0754 7034"
    assert format_reference("factuur 12") == "factuur 12"
    assert plain(format_account("BE54000000000097")) == "BE54 0000 0000 0097"
    assert format_account("12-34") == "12-34"
    assert plain(format_vat_number("BE0403170701")) == "BE 0403.170.701"
    assert format_vat_number("DE123456789") == "DE123456789"

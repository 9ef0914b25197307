"""The rate of a document in foreign currency: used where its rounding leaves no doubt, else asked."""

from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import ValidationError

from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.exchange_rates import choose_exchange_rate, rate_of_vat
from koppel_bookkeeping.settings import LedgerSettings

from .books import sample

CENT = Decimal("0.01")


def rate(foreign: str, euros: str, total: str) -> Decimal | None:
    return rate_of_vat(Decimal(foreign), Decimal(euros), Decimal(total))


@pytest.mark.parametrize(
    ("foreign", "euros", "total"),
    [
        ("0.21", "0.19", "1.21"),
        ("1.26", "1.17", "10000.00"),  # nearly all of it exempt
        ("63.00", "58.28", "363.00"),
        ("21.00", "19.43", "121.00"),
        ("0.00", "0.00", "100.00"),
        ("0.00", "1.00", "100.00"),
        ("21.00", "0.00", "121.00"),
        ("12345.60", "503.70", "71133.60"),  # 0.0408, or 24.51 for a euro
        ("0.21", "0.22", "5001.21"),  # a rate of 1 lies in the range, and so do nine hundred others
        ("52.50", "61.43", "302.50"),
        ("99999999999999999999", "0.01", "1.00"),
        ("0.01", "99999999999999999999", "1.00"),
    ],
)
def test_a_rate_that_rounding_leaves_open_is_not_used(foreign: str, euros: str, total: str) -> None:
    assert rate(foreign, euros, total) is None


@pytest.mark.parametrize("published", ["0.92", "0.925", "1.1534", "0.9"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_published_rate_is_found_again_and_moves_no_cent(published: str, sign: int) -> None:
    vat, total = sign * Decimal("12345.60"), sign * Decimal("71133.60")
    found = rate_of_vat(vat, (vat * Decimal(published)).quantize(CENT), total)
    assert found == Decimal(published)


@pytest.mark.parametrize("units_for_a_euro", ["1.0811", "24.515", "0.8432", "7.46"])
def test_a_rate_published_as_units_for_a_euro_is_found_again(units_for_a_euro: str) -> None:
    one = 1 / Decimal(units_for_a_euro)
    vat, total = Decimal("98765.40"), Decimal("569076.83")
    found = rate_of_vat(vat, (vat * one).quantize(CENT), total)
    assert found is not None
    assert abs(found * total - one * total) < CENT


def test_the_quotient_of_a_sample_is_a_cent_beside_and_the_rate_is_not() -> None:
    foreign, euros, total = Decimal("159.60"), Decimal("146.83"), Decimal("919.60")
    assert (euros / foreign * total).quantize(CENT) == Decimal("846.02")
    assert rate_of_vat(foreign, euros, total) == Decimal("0.92")


def test_the_operators_rate_of_the_day_is_used_where_the_document_tells_none() -> None:
    dollars = replace(sample("dollars-with-euro-vat", "sales_invoice"), exchange_rate=None)
    day = f"USD:{dollars.issued_on}"
    given = LedgerSettings.model_validate(
        {"exchange_rates": {day: "0.9231", "USD": "0.9", "GBP": "1.2"}}
    ).exchange_rates
    assert choose_exchange_rate(dollars, given, vendor_has_rates=True) == Decimal("0.9231")
    assert choose_exchange_rate(dollars, {"USD": given["USD"]}, vendor_has_rates=False) == Decimal("0.9")
    telling = replace(dollars, exchange_rate=Decimal("0.925"))
    assert choose_exchange_rate(telling, given, vendor_has_rates=True) == Decimal("0.925")
    euros = sample("prepaid-and-rounded", "sales_invoice")
    assert choose_exchange_rate(euros, given, vendor_has_rates=False) is None


def test_without_any_rate_the_vendors_own_holds_or_a_person_is_asked_for_the_setting() -> None:
    dollars = replace(sample("dollars-with-euro-vat", "sales_invoice"), exchange_rate=None)
    assert choose_exchange_rate(dollars, {"GBP": Decimal("1.2")}, vendor_has_rates=True) is None
    with pytest.raises(CannotBook) as caught:
        choose_exchange_rate(dollars, {}, vendor_has_rates=False)
    assert caught.value.code == "exchange_rate_missing"
    answer = {"exchange_rates": {caught.value.detail: "0.93"}}
    given = LedgerSettings.model_validate(answer).exchange_rates
    assert choose_exchange_rate(dollars, given, vendor_has_rates=False) == Decimal("0.93")


@pytest.mark.parametrize(
    "wrong", [{"usd": "1"}, {"USD:yesterday": "1"}, {"USD:20260115": "1"}, {"USD": "0"}, {"USD": "x"}]
)
def test_a_setting_that_is_no_rate_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        LedgerSettings.model_validate({"exchange_rates": wrong})

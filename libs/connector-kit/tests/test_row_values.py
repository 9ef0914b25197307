"""Values of a vendor's JSON: exact where they can be read, None or empty where they cannot."""

from decimal import Decimal

import pytest

from koppel_connector import values
from koppel_connector.contract import VendorAnswer


@pytest.mark.parametrize(
    ("wire", "meant"),
    [
        (Decimal("1512.4999999999998"), Decimal("1512.50")),
        (Decimal("5900.010000000001"), Decimal("5900.01")),
        (100, Decimal("100.00")),
        ("16.80", Decimal("16.80")),
        (Decimal("1e400"), None),
        (10**18, None),
        ("NaN", None),
        ("-Infinity", None),
        ("1,5", None),
        (True, None),
        ([], None),
        (None, None),
    ],
)
def test_an_amount_is_exact_to_the_cent_or_none(wire: object, meant: Decimal | None) -> None:
    assert values.amount(wire) == meant


@pytest.mark.parametrize(
    ("wire", "meant"),
    [(20, 20), ("20", 20), (Decimal("20.0"), 20), ("20.5", None), ("", None), (False, None), (None, None)],
)
def test_a_whole_number_may_come_as_a_string(wire: object, meant: int | None) -> None:
    assert values.integer(wire) == meant


@pytest.mark.parametrize(
    ("wire", "meant"),
    [
        (True, True),
        ("True", True),
        (" 1 ", True),
        (1, True),
        (0, False),
        ("false", False),
        ("yes", False),
        (None, False),
    ],
)
def test_a_flag_that_cannot_be_read_is_false(wire: object, meant: bool) -> None:
    assert values.flag(wire) is meant


@pytest.mark.parametrize(
    ("wire", "meant"), [("                25", "25"), ("2  ", "2"), (25, "25"), (True, ""), (None, ""), ({}, "")]
)
def test_a_code_loses_its_padding(wire: object, meant: str) -> None:
    assert values.text(wire) == meant


@pytest.mark.parametrize("number", ["1e999999999", "1e99999999999999999999", "9" * 5000])
def test_an_answer_with_a_number_without_end_is_none(number: str) -> None:
    answer = VendorAnswer(200, {}, f'{{"d": {{"EntryNumber": {number}}}}}'.encode(), "GET entry", acts=False)
    assert answer.json_object() is None
    with pytest.raises(ValueError, match="too long"):
        answer.json()

"""JSON from outside: numbers as they are written, and none that no memory holds."""

import time
from decimal import Decimal

import pytest

from koppel_mesh import exact_json


@pytest.mark.parametrize(
    "content", ['[0.10, -12, 1e300, 5e-324, "é"]', '[0.10, -12, 1e300, 5e-324, "é"]'.encode("utf-16")]
)
def test_numbers_are_as_they_are_written(content: str | bytes) -> None:
    found = exact_json.loads(content)
    assert found == [Decimal("0.10"), -12, Decimal("1e300"), Decimal("5e-324"), "é"]
    assert [type(each) for each in found] == [Decimal, int, Decimal, Decimal, str]


@pytest.mark.parametrize(
    "written",
    [
        *("1e999999999", "-1E+5000", "0e999999999", "1e-999999999", "1e99999999999999999999"),
        *("9" * 401, f"0.{'1' * 1000}", "NaN", "-Infinity", "01", "1."),
    ],
)
def test_a_number_that_is_too_long_or_none_is_refused_at_once(written: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError):
        exact_json.loads(f'{{"a": [{written}]}}')
    assert time.process_time() - started < 1.0

"""Lists of a vendor that gives no pages: read element by element, and refused where they are none to their end."""

import json
import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koppel_connector.contract import RetryLater, VendorAnswer
from koppel_connector.contract.json_lists import elements

VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ROWS = st.lists(
    VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.text(max_size=3), VALUES, max_size=2), max_size=4
)


@settings(max_examples=25)
@given(ROWS, st.sampled_from([None, 1]))
def test_a_list_is_read_as_the_library_reads_it(values: list[object], indent: int | None) -> None:
    assert list(elements(json.dumps(values, indent=indent).encode())) == values


def test_numbers_are_exact() -> None:
    assert list(elements(b' [ 0.10 , {"a": 1512.4999999999998} ] ')) == [
        Decimal("0.10"),
        {"a": Decimal("1512.4999999999998")},
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[1] x", b"[] []", b"[1 2]", b"[1e999999999]", b"[\xff]", b"<html>"],
)
def test_what_is_no_list_to_its_end_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        list(elements(content))
    answer = VendorAnswer(200, {}, content, "GET list", acts=False)
    with pytest.raises(RetryLater, match="vendor_unavailable"):
        list(answer.elements())


def test_of_a_long_list_one_element_is_held_at_a_time() -> None:
    content = json.dumps([{"number": number, "text": "x" * 100} for number in range(20_000)]).encode()
    tracemalloc.start()
    try:
        assert sum(1 for _ in elements(content)) == 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * len(content), "the text, and little beside it"

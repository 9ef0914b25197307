"""Number formats: read with clear errors, rendered, and proven to give no number of another book's (R123, R124)."""

from datetime import date
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from koppel_bookkeeping.business_keys import document_number_key
from pos_ingest.number_formats import FormatError, NumberFormat, common_number, parse

NOVEMBER = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("G-0001", "number_missing"),
        ("", "number_missing"),
        ("{InvoiceNumber}-{InvoiceNumber:2}", "number_twice"),
        ("G-{InvoiceNumber:5", "unbalanced_braces"),
        ("G-}{InvoiceNumber:5}", "unbalanced_braces"),
        ("{{InvoiceNumber:5}}", "unbalanced_braces"),
        ("{InvoiceNumber:0}", "width"),
        ("{InvoiceNumber:13}", "width"),
        ("{InvoiceNumber:x}", "unknown_field"),
        ("{invoicenumber:5}", "unknown_field"),
        ("{Month}-{InvoiceNumber}", "unknown_field"),
        ("{Year:2}-{InvoiceNumber}", "unknown_field"),
        ("G\n{InvoiceNumber:5}", "character"),
        ("É{InvoiceNumber:5}", "character"),
        ("A" * 26 + "{InvoiceNumber:5}", "too_long"),
    ],
)
def test_what_is_no_format_is_refused_with_its_rule(text: str, rule: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse(text)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("text", "number", "rendered"),
    [
        ("G-{InvoiceNumber:5}", 1, "G-00001"),
        ("SAL/{InvoiceNumber:4}", 12, "SAL/0012"),
        ("G-{InvoiceNumber:2}", 1234, "G-1234"),
        ("{InvoiceNumber}", 7, "7"),
        ("{Year}{Month:2}-{BookKey}-{InvoiceNumber:3}", 1, "202611-B2-001"),
    ],
)
def test_a_number_is_rendered(text: str, number: int, rendered: str) -> None:
    assert parse(text, book_key="B2").render(number, NOVEMBER) == rendered
    assert parse(text, prefix="DR-", book_key="B2").render(number, NOVEMBER) == f"DR-{rendered}"


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [
        ("G-{InvoiceNumber:5}", "B-{InvoiceNumber:5}", None),
        ("G-{InvoiceNumber:4}", "G-{InvoiceNumber:5}", len("G10000")),
        ("G-{InvoiceNumber:5}", "g/{InvoiceNumber:5}", len("G00001")),
        ("G{InvoiceNumber:3}", "G1{InvoiceNumber:3}", len("G1001")),
        ("G0{InvoiceNumber:3}", "G{InvoiceNumber:3}", None),
        ("{InvoiceNumber:3}", "0{InvoiceNumber:3}", len("1")),
        ("{Year}-{InvoiceNumber:4}", "{InvoiceNumber:8}", len("10000001")),
        ("{Year}-{InvoiceNumber:4}", "0999-{InvoiceNumber:4}", len("99910000")),
        ("{Year}-{InvoiceNumber:4}", "2026{Month:2}{InvoiceNumber:2}", len("20260101")),
        ("{Year}13{InvoiceNumber:2}X", "{Year}{Month:2}{InvoiceNumber:2}X", None),
        ("{InvoiceNumber:3}-A", "{InvoiceNumber:3}-B", None),
        ("{InvoiceNumber:3}-1", "{InvoiceNumber:3}-2", None),
        ("{InvoiceNumber:3}-12", "{InvoiceNumber:3}-2", len("112")),
    ],
)
def test_the_shortest_number_that_two_formats_share_is_found(one: str, other: str, length: int | None) -> None:
    there, back = common_number(parse(one), parse(other)), common_number(parse(other), parse(one))
    assert (there and len(there), back and len(back)) == (length, length)


def test_the_key_of_a_book_keeps_two_formats_apart() -> None:
    text = "{BookKey}-{InvoiceNumber:4}"
    assert common_number(parse(text, book_key="GENT"), parse(text, book_key="BXL")) is None


def test_a_number_is_known_for_a_book_s_own_however_it_is_spelled() -> None:
    read = parse("G-{InvoiceNumber:5}", prefix="DR-")
    assert read.gives("DR-G-00012") and read.gives("dr g 00012") and read.gives("DR-G-123456")
    assert not read.gives("DR-G-0012") and not read.gives("DR-G-00000") and not read.gives("") and not read.gives("F-1")


PARTS = st.sampled_from(["0", "1", "12", "A", "a-", "-", "2026", "{Year}", "{Month:2}"])
FORMATS = st.builds(
    lambda before, width, after: "".join([*before, f"{{InvoiceNumber:{width}}}", *after]),
    st.lists(PARTS, max_size=2),
    st.integers(1, 3),
    st.lists(PARTS, max_size=2),
)
NUMBERS = [*range(1, 40), *range(98, 132), 200, 260, *range(998, 1013), 1200, 2026, 10001, 11201, 12026]
DAYS = [date(year, month, 1) for year, month in product((1000, 1212, 2026), (1, 2, 10, 12))]


def given_numbers(read: NumberFormat) -> set[str]:
    return {document_number_key(read.render(number, on)) for number in NUMBERS for on in DAYS}


@settings(max_examples=60, deadline=None)
@given(FORMATS, FORMATS)
def test_two_formats_share_a_number_or_none(one: str, other: str) -> None:
    first, second = parse(one), parse(other)
    common = common_number(first, second)
    if common is None:
        assert not given_numbers(first) & given_numbers(second)
    else:
        assert first.gives(common) and second.gives(common)


@settings(max_examples=60, deadline=None)
@given(FORMATS, st.sampled_from(NUMBERS), st.sampled_from(DAYS))
def test_a_format_recognises_each_number_it_gives_and_never_gives_it_twice_in_a_month(
    text: str, number: int, on: date
) -> None:
    read = parse(text)
    assert read.gives(read.render(number, on))
    assert len({read.render(each, on) for each in NUMBERS}) == len(NUMBERS)


@settings(max_examples=40, deadline=None)
@given(FORMATS, st.text("0123456789aA-", max_size=4))
def test_a_format_recognises_no_number_that_it_does_not_give(text: str, number: str) -> None:
    """Against brute force: every number and month that can make a text of three characters."""
    wanted = document_number_key(number)
    assume(0 < len(wanted) <= 3 and "{Year}" not in text)
    read = parse(text)
    months = range(1, 13) if "{Month" in text else (1,)
    made = {document_number_key(read.render(each, date(2026, month, 1))) for each in range(1, 1000) for month in months}
    assert read.gives(number) == (wanted in made)

"""Check digits: what fits is taken however it is written; what does not, is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koppel_ubl import Party
from koppel_ubl.identifiers import (
    find_creditor_references,
    find_structured_references,
    format_structured_reference,
    is_belgian_vat_number,
    is_creditor_reference,
    is_enterprise_number,
    is_iban,
    normalise_enterprise_number,
    parse_structured_reference,
)


@pytest.mark.parametrize("number", ["0440966354", "0831797467", "1234567894", "0793904121", "0836836222", "0000000097"])
def test_enterprise_numbers_that_fit(number: str) -> None:
    assert is_enterprise_number(number)


@pytest.mark.parametrize(
    "number", ["1234567895", "0759529999", "2234567894", "079390412", "07939041211", "", "0793904 21", "٠٧٩٣٩٠٤١٢١"]
)
def test_enterprise_numbers_that_do_not(number: str) -> None:
    assert not is_enterprise_number(number)


@pytest.mark.parametrize(
    "written",
    [
        *(
            "BE0793904121",
            "be 0793.904.121",
            "0793 904 121",
            "793904121",
            "BE 793.904.121",
            "0793/904/121",
            "(0)793904121",
        ),
        *("BTW BE 0793.904.121", "TVA: 0793.904.121", "btw-nr. BE0793904121", "KBO 0793904121"),
    ],
)
def test_one_number_in_many_spellings(written: str) -> None:
    assert normalise_enterprise_number(written) == "0793904121"


@pytest.mark.parametrize(
    "text", ["NL123456789B01", "BE0793904122", "BE", "", "x" * 10_000, "0" * 10_000, "0793904121 0836836222"]
)
def test_what_is_no_enterprise_number(text: str) -> None:
    assert normalise_enterprise_number(text) is None


@pytest.mark.parametrize("written", ["BE0793904121", " be 0793.904.121", "BTW BE 0793.904.121", "TVA nr. BE0793904121"])
def test_a_belgian_vat_number_is_known_by_its_country(written: str) -> None:
    assert is_belgian_vat_number(written)
    assert Party(vat_number=written).enterprise_number == "0793904121"


@pytest.mark.parametrize("written", ["NL123456789B01", "BTW NL123456789B01", "0793904121", "", "VATICAN"])
def test_what_names_another_country_or_none_is_no_belgian_vat_number(written: str) -> None:
    assert not is_belgian_vat_number(written)


@given(st.integers(0, 19_999_999))
def test_every_base_has_exactly_one_pair_of_check_digits(base: int) -> None:
    fitting = [check for check in range(100) if is_enterprise_number(f"{base:08d}{check:02d}")]
    assert len(fitting) == 1


@given(st.integers(0, 9_999_999_999))
def test_structured_references_round_trip(base: int) -> None:
    digits = f"{base:010d}{base % 97 or 97:02d}"
    assert parse_structured_reference(format_structured_reference(digits)) == digits
    assert parse_structured_reference(digits) == digits
    assert find_structured_references(f"Betaal met {format_structured_reference(digits)} aub") == [digits]
    assert parse_structured_reference(digits[:-1] + str((int(digits[-1]) + 1) % 10)) is None


@pytest.mark.parametrize("text", ["+++090/9337/55494+++", "090933755494", "F2026-001", "", "+" * 10_000])
def test_what_is_no_structured_reference(text: str) -> None:
    assert parse_structured_reference(text) is None


def test_ibans_and_creditor_references() -> None:
    assert is_iban("BE68 5390 0754 7034")
    assert not is_iban("BE69 5390 0754 7034")
    assert not is_iban("BE68")
    assert is_creditor_reference("RF18 5390 0754 7034")
    assert not is_creditor_reference("RF19 5390 0754 7034")
    for text in ("met RF18539007547034.", "met rf18 5390 0754 7034 voor 2026", "(RF18 5390 0754 7034)"):
        assert find_creditor_references(text) == ["RF18539007547034"]
    assert find_creditor_references("RF19 5390 0754 7034, XRF18539007547034") == []

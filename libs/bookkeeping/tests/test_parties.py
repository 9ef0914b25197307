"""The counterparty: recognised by VAT number, enterprise number, name, code; never taken for somebody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koppel_bookkeeping import Party, Side
from koppel_bookkeeping.parties import bare_number, name_key, number_key, recognise, vat_number_spellings

from .books import Relation

BAKERY = Relation("1", "Bakkerij Demo", vat_number="BE0404616494")
PAPER = Relation("2", "Papier & Zn BV", enterprise_number="0403.170.701", sides=("purchase",))
TILL = Relation("3", "Dagontvangsten")


def found(party: Party, *relations: Relation, side: Side = "sale") -> str | None:
    one = recognise(party, relations or (BAKERY, PAPER, TILL), side, name_length_max=50)
    return one.code if one else None


@pytest.mark.parametrize(
    "written",
    [
        "BE 0404.616.494",
        "be0404616494",
        "0404616494",
        "404616494",
        "BE404.616.494",
        " 0404 616 494 ",
        "BTW BE 0404.616.494",
    ],
)
def test_one_belgian_number_has_one_key(written: str) -> None:
    assert number_key(written) == "0404616494"


def test_a_foreign_number_keeps_its_country_and_nothing_has_no_key() -> None:
    assert number_key("NL 8539.46.327.B01") == "NL853946327B01"
    assert number_key("IE 8Z49289F") == bare_number("ie8z49289f")
    assert number_key("IE1+23456A") == "IE1+23456A"
    assert number_key("BTW NL 8539.46.327.B01") == bare_number("NL853946327B01")
    assert bare_number("USt-IdNr.: DE 811907980") == "DE811907980"
    assert number_key(None) == number_key(" - ") == ""


@given(st.text(max_size=40))
def test_keys_are_stable(text: str) -> None:
    assert number_key(number_key(text)) == number_key(text) or number_key(text).startswith("BE")
    assert name_key(name_key(text)) == name_key(text)


@pytest.mark.parametrize("written", ["BAKKERIJ DEMO N.V.", "bakkerij  demo", "Bakkerij Demo bv", "Bakkerij-Demo"])
def test_one_name_has_one_key(written: str) -> None:
    assert name_key(written) == "bakkerij demo"


def test_a_name_that_is_only_a_legal_form_keeps_it() -> None:
    assert name_key("B.V.") == "b v"
    assert name_key(None) == ""


def test_numbers_are_compared_bare() -> None:
    assert found(Party("Somebody else", vat_number="BE 0404.616.494")) == "1"
    assert found(Party("Somebody else", enterprise_number="0404616494")) == "1"
    assert found(Party("Somebody else", vat_number="BE0403170701")) == "2"
    assert found(Party("BAKKERIJ DEMO N.V.")) == "1"


def test_a_name_that_a_vendor_had_to_cut_is_recognised() -> None:
    party = Party("Internationale Vereniging voor de Bevordering van het Ambacht vzw")
    assert found(party, Relation("7", party.name[:50].strip())) == "7"
    assert found(Party("Internationale Vereniging voor Bakkers"), Relation("7", party.name[:50])) is None


def test_another_number_is_somebody_else_even_with_the_same_name() -> None:
    assert found(Party("Bakkerij Demo", vat_number="BE0403170701"), BAKERY) is None
    registered = Relation("1", "Demo", enterprise_number="0404616494")
    assert found(Party("Demo", enterprise_number="0403170701"), registered) is None


def test_the_code_counts_last() -> None:
    assert found(Party("Kassa", code="3")) == "3"
    assert found(Party("Bakkerij Demo", code="3")) == "1"


def test_of_several_one_that_is_open_and_has_the_role_is_taken() -> None:
    party = Party("Dubbel", vat_number="BE0404616494")
    customer = Relation("8", "Dubbel", vat_number="BE0404616494")
    supplier = Relation("7", "Dubbel", vat_number="BE0404616494", sides=("purchase",))
    blocked = Relation("1", "Dubbel", vat_number="BE0404616494", blocked=True)
    assert found(party, blocked, supplier, customer) == "8"
    assert found(party, blocked, supplier, customer, side="purchase") == "7"
    assert found(party, blocked) == "1"


def test_a_party_is_one_by_its_number_or_its_name_in_a_country() -> None:
    assert Party("A", vat_number="BE 0404.616.494").identity == Party("B", enterprise_number="404616494").identity
    assert Party("Café NV", country="BE").identity == Party("CAFÉ", country="BE").identity
    assert Party("Café", country="BE").identity != Party("Café", country="FR").identity


def test_a_vat_number_is_searched_as_people_write_it() -> None:
    spellings = vat_number_spellings("be 0404.616.494")
    assert spellings == ["BE0404616494", "0404616494", "BE 0404.616.494", "BE0404.616.494", "BE 0404616494"]
    assert {number_key(spelling) for spelling in spellings} == {"0404616494"}
    assert vat_number_spellings("NL 8200.98.395.B01") == ["NL820098395B01", "820098395B01"]
    assert vat_number_spellings("") == vat_number_spellings(None) == []


@pytest.mark.parametrize("remark", ["NA", "n/a", "BE", "not registered", "-", "", "vrijgesteld"])
def test_a_vat_number_without_digits_is_none(remark: str) -> None:
    assert bare_number(remark) == number_key(remark) == ""
    assert vat_number_spellings(remark) == []
    party = Party("Jan Peeters", vat_number=remark, country="BE")
    assert party.numbers == frozenset()
    assert party.identity == Party("Jan Peeters", country="BE").identity

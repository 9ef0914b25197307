"""Which VAT code stands for a category and rate: the settings first, then the only one that can be meant."""

from decimal import Decimal

import pytest

from koppel_bookkeeping import CannotBook, Side
from koppel_bookkeeping.settings import VatCodes
from koppel_bookkeeping.vat import choose_vat_code, insist_on_vat
from koppel_bookkeeping.vat_situation import VatSituation

from .books import VatCode

CODES = {
    each.code: each
    for each in (
        VatCode("V21", Decimal(21), "sale"),
        VatCode("V6", Decimal(6), "sale"),
        VatCode("VM", Decimal(0), "sale", "AE"),
        VatCode("V21I", Decimal(21), "sale", unusable="vat_code_inclusive"),
        VatCode("A21", Decimal(21), "purchase"),
    )
}
KNOWN = {code: each for code, each in CODES.items() if each.unusable is None}
NOTHING_SET = VatCodes()


def chosen(settings: VatCodes, side: Side, category: str, rate: str | None, codes: dict[str, VatCode] = KNOWN) -> str:
    return choose_vat_code(codes, settings, VatSituation(side, category, Decimal(rate) if rate else None)).code


def refused(
    settings: VatCodes, side: Side, category: str, rate: str | None, codes: dict[str, VatCode] = CODES
) -> CannotBook:
    with pytest.raises(CannotBook) as caught:
        chosen(settings, side, category, rate, codes)
    return caught.value


def test_the_only_code_that_can_be_meant_is_found() -> None:
    assert chosen(NOTHING_SET, "sale", "S", "21.00") == "V21"
    assert chosen(NOTHING_SET, "purchase", "S", "21") == "A21"
    assert chosen(NOTHING_SET, "sale", "AE", "0") == "VM"


def test_none_or_several_is_a_question_that_names_the_candidates() -> None:
    none = refused(NOTHING_SET, "sale", "S", "17")
    assert (none.code, none.detail) == (
        "unknown_vat_code",
        "sale S at 17 %: codes that could be meant: none; set vat_codes.sale “S:17” to one of V21, V6, VM",
    )
    two = refused(NOTHING_SET, "sale", "S", "21", KNOWN | {"V21B": VatCode("V21B", Decimal(21), "sale")})
    assert two.detail.startswith("sale S at 21 %: codes that could be meant: V21, V21B; set vat_codes.sale “S:21”")


def test_the_settings_decide_rate_before_category() -> None:
    two = KNOWN | {"V21B": VatCode("V21B", Decimal(21), "sale")}
    assert chosen(VatCodes(sale={"S:21": "V21B", "S": "V21"}), "sale", "S", "21.0", two) == "V21B"
    assert chosen(VatCodes(sale={"S": "V21"}), "sale", "S", "21", two) == "V21"


@pytest.mark.parametrize(
    ("settings", "category", "rate", "problem"),
    [
        ({"S:21": "99"}, "S", "21", "unknown_vat_code"),
        ({"S:21": "V21I"}, "S", "21", "vat_code_inclusive"),
        ({"S:21": "A21"}, "S", "21", "vat_code_not_allowed"),
        ({"S:21": "V6"}, "S", "21", "vat_percentage_differs"),
        ({"S:21": "VM"}, "S", "21", "vat_percentage_differs"),
        ({"AE": "V21"}, "AE", "0", "vat_percentage_differs"),
    ],
)
def test_a_code_that_cannot_be_right_is_refused_even_when_it_was_set(
    settings: dict[str, str], category: str, rate: str, problem: str
) -> None:
    assert refused(VatCodes(sale=settings), "sale", category, rate).code == problem


def test_a_blocked_code_is_refused_when_set_and_passed_over_when_sought() -> None:
    codes = {
        "V21": VatCode("V21", Decimal(21), "sale", blocked=True),
        "V21N": VatCode("V21N", Decimal(21), "sale"),
    }
    assert refused(VatCodes(sale={"S": "V21"}), "sale", "S", "21", codes).code == "vat_code_blocked"
    assert chosen(NOTHING_SET, "sale", "S", "21", codes) == "V21N"


def test_vat_under_a_code_that_charges_none_is_refused() -> None:
    insist_on_vat(CODES["VM"], "AE", Decimal("0.00"))
    insist_on_vat(CODES["V21"], "S", Decimal("21.00"))
    with pytest.raises(CannotBook) as caught:
        insist_on_vat(CODES["VM"], "AE", Decimal("0.01"))
    assert caught.value.code == "vat_amount_not_allowed"

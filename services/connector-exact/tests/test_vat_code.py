"""Which VAT code stands for a category and rate: the settings first, then the only one that can be meant."""

from decimal import Decimal
from typing import Any

import pytest

from connector_exact.entries import means_nothing_else
from connector_exact.master_data import VatCode
from koppel_bookkeeping import CannotBook, Side
from koppel_bookkeeping.settings import VatCodes
from koppel_bookkeeping.vat import choose_vat_code
from koppel_bookkeeping.vat_situation import Exemption, Supply, Territory, VatSituation

from .books import VAT_CODES, vat

CODES = {code.code: code for code in VAT_CODES}
NOTHING_SET = VatCodes()


def vat_code(
    codes: dict[str, VatCode], settings: VatCodes, side: Side, category: str, rate: Decimal | None, **of: Any
) -> VatCode:
    return choose_vat_code(codes, settings, VatSituation(side, category, rate, **of), prefers=means_nothing_else)


@pytest.mark.parametrize(
    ("side", "category", "rate", "code"),
    [
        ("sale", "S", "21", "21"),
        ("sale", "S", "21.00", "21"),
        ("sale", "S", "6", "6"),
        ("sale", "S", "5.5", "5.5"),
        ("sale", "Z", "0", "0"),
        ("sale", "E", "0", "0"),
        ("sale", "G", "0", "0"),
        ("sale", "AE", "0", "VM"),
        ("sale", "K", "0", "IC"),
        ("sale", "O", None, "N"),
        ("purchase", "S", "21", "P21"),
        ("purchase", "S", "6", "P6"),
        ("purchase", "AE", "0", "PM"),
        ("purchase", "K", "0", "PIC"),
        ("purchase", "O", None, "N"),
    ],
)
def test_the_only_code_that_can_be_meant_is_found(side: str, category: str, rate: str | None, code: str) -> None:
    of = (
        {"territory": UNION} if category == "K" else {}
    )  # goods go to another country of the Union, or it is a question
    assert vat_code(CODES, NOTHING_SET, side, category, Decimal(rate) if rate else None, **of).code == code  # type: ignore[arg-type]


def refused(
    side: str, category: str, rate: str | None, settings: VatCodes = NOTHING_SET, codes: object = None
) -> CannotBook:
    with pytest.raises(CannotBook) as caught:
        vat_code(codes or CODES, settings, side, category, Decimal(rate) if rate else None)  # type: ignore[arg-type]
    return caught.value


def test_none_or_two_is_a_problem_that_names_category_and_rate() -> None:
    none = refused("sale", "S", "17")
    assert none.code == "unknown_vat_code"
    assert "S at 17 %" in none.detail
    assert "none" in none.detail
    two = refused("sale", "S", "21", codes=CODES | {"21B": vat("21B", "21")})
    assert two.code == "unknown_vat_code"
    assert "21, 21B" in two.detail
    assert (
        refused("purchase", "Z", "0", codes={key: code for key, code in CODES.items() if key != "N"}).code
        == "unknown_vat_code"
    )


def test_the_settings_decide_rate_before_category() -> None:
    two = CODES | {"21B": vat("21B", "21"), "21C": vat("21C", "21")}
    settings = VatCodes(sale={"S:21": "21B", "S": "21C"})
    assert vat_code(two, settings, "sale", "S", Decimal("21.0")).code == "21B"
    assert vat_code(two, VatCodes(sale={"S": "21C"}), "sale", "S", Decimal(21)).code == "21C"


@pytest.mark.parametrize(
    ("settings", "side", "category", "rate", "problem"),
    [
        ({"S:21": "99"}, "sale", "S", "21", "unknown_vat_code"),
        ({"S:21": "21I"}, "sale", "S", "21", "vat_code_inclusive"),
        ({"S:21": "P21"}, "sale", "S", "21", "vat_code_not_allowed"),
        ({"S:21": "6"}, "sale", "S", "21", "vat_percentage_differs"),
        ({"S:21": "VM"}, "sale", "S", "21", "vat_percentage_differs"),
        ({"AE": "21"}, "sale", "AE", "0", "vat_percentage_differs"),
    ],
)
def test_a_code_that_cannot_be_right_is_refused_even_when_it_was_set(
    settings: dict[str, str], side: str, category: str, rate: str, problem: str
) -> None:
    assert refused(side, category, rate, VatCodes(sale=settings)).code == problem


def test_a_blocked_code_is_refused_when_set_and_passed_over_when_sought() -> None:
    codes = CODES | {"21": vat("21", "21", blocked=True), "21N": vat("21N", "21")}
    assert refused("sale", "S", "21", VatCodes(sale={"S": "21"}), codes).code == "vat_code_blocked"
    assert vat_code(codes, NOTHING_SET, "sale", "S", Decimal(21)).code == "21N"


UNION, OUTSIDE = Territory.UNION, Territory.OUTSIDE
TRADE = {
    each.code: each
    for each in (
        *VAT_CODES,
        vat("ICD", "0", type_="B", eu_listing="S"),
        vat("ICT", "0", type_="B", eu_listing="T"),
        vat("PID", "21", "P", charged=True, eu_listing="S"),
        vat("PIT", "21", "P", charged=True, eu_listing="T"),
    )
}


@pytest.mark.parametrize(
    ("side", "category", "of", "code"),
    [
        ("sale", "AE", {}, "VM"),
        ("sale", "AE", {"territory": UNION}, "ICD"),
        ("sale", "AE", {"territory": UNION, "supply": Supply.SERVICES}, "ICD"),
        ("sale", "AE", {"territory": UNION, "supply": Supply.GOODS}, "IC"),
        ("sale", "AE", {"territory": OUTSIDE}, "0"),
        ("sale", "K", {"territory": UNION}, "IC"),
        ("sale", "K", {"territory": UNION, "supply": Supply.GOODS}, "IC"),
        ("sale", "K", {"territory": UNION, "supply": Supply.SERVICES}, "ICD"),
        ("sale", "K", {"territory": UNION, "supply": Supply.TRIANGULAR}, "ICT"),
        ("purchase", "AE", {}, "PM"),
        ("purchase", "AE", {"territory": UNION}, "PID"),
        ("purchase", "AE", {"territory": OUTSIDE}, "PM"),
        ("purchase", "K", {"territory": UNION}, "PIC"),
        ("purchase", "K", {"territory": UNION, "supply": Supply.SERVICES}, "PID"),
        ("purchase", "K", {"territory": UNION, "supply": Supply.TRIANGULAR}, "PIT"),
    ],
)
def test_the_properties_of_a_code_say_which_situation_it_is_for(
    side: Side, category: str, of: dict[str, Any], code: str
) -> None:
    assert vat_code(TRADE, NOTHING_SET, side, category, Decimal(0), **of).code == code


@pytest.mark.parametrize(
    ("side", "category", "rate", "of", "setting"),
    [
        ("sale", "AE", "0", {"territory": UNION}, "AE@EU"),
        ("purchase", "AE", "0", {"territory": UNION}, "AE@EU"),
        ("sale", "K", "0", {"territory": UNION, "supply": Supply.SERVICES}, "K:services"),
        ("sale", "K", "0", {"territory": UNION, "supply": Supply.TRIANGULAR}, "K:triangular"),
        ("purchase", "S", "21", {"territory": UNION}, "S:21@EU"),
        ("purchase", "G", "0", {"territory": OUTSIDE, "exemption": Exemption.IMPORT}, "G:import"),
        ("sale", "AB", "0", {}, "AB"),
        ("sale", "none", None, {}, "none"),
    ],
)
def test_what_no_code_says_is_asked_by_the_name_of_a_setting(
    side: Side, category: str, rate: str | None, of: dict[str, Any], setting: str
) -> None:
    domestic = VatCodes(sale={"AE": "VM", "K": "IC"}, purchase={"AE": "PM", "S:21": "P21"})
    with pytest.raises(CannotBook) as caught:
        vat_code(CODES, domestic, side, category, Decimal(rate) if rate else None, **of)
    assert caught.value.code == "unknown_vat_code"
    assert f"set vat_codes.{side} “{setting}” to one of" in caught.value.detail
    assert all(code in caught.value.detail for code in ("N", "VM" if side == "sale" else "PM"))


def test_two_codes_for_services_are_a_question() -> None:
    two = TRADE | {"ICD2": vat("ICD2", "0", type_="B", eu_listing="S")}
    with pytest.raises(CannotBook) as caught:
        vat_code(two, NOTHING_SET, "sale", "AE", Decimal(0), territory=UNION)
    assert "codes that could be meant: ICD, ICD2;" in caught.value.detail

"""A booking adds up to the cent, whatever the signs of its lines, or it is refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koppel_bookkeeping import Booking, BookingLine, CannotBook, Party, VatAmount
from koppel_bookkeeping.amounts import CENT, rounded
from koppel_bookkeeping.booking import vat_due_by_buyer, with_vat
from koppel_mesh.messages import DocumentKind

RATES = [("S", Decimal(21)), ("S", Decimal(12)), ("S", Decimal(6)), ("Z", Decimal(0)), ("E", None), ("AE", Decimal(0))]
cents = st.integers(-(10**8), 10**8).map(lambda number: Decimal(number) * CENT)
lines_of_mixed_sign = st.lists(
    st.builds(lambda net, group: BookingLine(None, net, group[0], group[1], "line"), cents, st.sampled_from(RATES)),
    min_size=1,
    max_size=40,
)


def stated(lines: list[BookingLine]) -> list[VatAmount]:
    """The VAT as an invoice states it: rounded once for each category and rate."""
    groups = groupby(sorted(lines, key=lambda line: line.group), key=lambda line: line.group)
    bases = {group: sum((line.net for line in of_group), Decimal(0)) for group, of_group in groups}
    return [VatAmount(group[0], group[1], base, rounded(base * group[1] / 100)) for group, base in bases.items()]


def make(kind: str, lines: list[BookingLine], vat: list[VatAmount], total: Decimal) -> Booking:
    return Booking(
        DocumentKind(kind), "1", date(2026, 3, 9), None, "EUR", total, Party("Somebody"), with_vat(lines, vat)
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(lines=lines_of_mixed_sign)
def test_vat_of_each_group_is_spread_to_the_cent(lines: list[BookingLine]) -> None:
    vat = stated(lines)
    total = sum((each.base + each.tax for each in vat), Decimal(0))
    made = make("sales_invoice", lines, vat, total)
    assert {each.group: (each.base, each.tax) for each in made.vat} == {
        each.group: (each.base, each.tax) for each in vat
    }
    assert all(line.tax == line.tax.quantize(CENT) for line in made.lines)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(lines=lines_of_mixed_sign)
def test_no_line_has_vat_of_another_sign_than_its_net_where_its_group_has_not(lines: list[BookingLine]) -> None:
    vat = {each.group: each for each in stated(lines)}
    for line in with_vat(lines, vat.values()):
        if vat[line.group].base != 0:
            assert line.net * line.tax >= 0


@given(
    lines=lines_of_mixed_sign, off=cents.filter(bool), kind=st.sampled_from(["sales_invoice", "purchase_credit_note"])
)
def test_another_total_is_always_refused(lines: list[BookingLine], off: Decimal, kind: str) -> None:
    vat = stated(lines)
    total = sum((each.base + each.tax for each in vat), Decimal(0))
    with pytest.raises(CannotBook) as caught:
        make(kind, lines, vat, total + off)
    assert caught.value.code == "document_totals_wrong"
    assert str(total + off) in caught.value.detail


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(lines=lines_of_mixed_sign)
def test_a_credit_note_is_its_invoice_with_the_sign_turned(lines: list[BookingLine]) -> None:
    vat = stated(lines)
    total = sum((each.base + each.tax for each in vat), Decimal(0))
    invoice, credit = make("sales_invoice", lines, vat, total), make("sales_credit_note", lines, vat, total)
    assert (credit.total, credit.lines, credit.vat) == (invoice.total, invoice.lines, invoice.vat)
    assert (invoice.sign, credit.sign) == (1, -1)
    signed = [(credit.sign * line.net, credit.sign * line.tax) for line in credit.lines]
    assert sum(net + tax for net, tax in signed) == -invoice.total


def test_vat_that_no_line_carries_is_refused() -> None:
    lines = [BookingLine("1", Decimal(100), "S", Decimal(21), "")]
    with pytest.raises(CannotBook) as caught:
        with_vat(
            lines, [VatAmount("S", Decimal(21), Decimal(100), Decimal(21)), VatAmount("L", None, Decimal(0), CENT)]
        )
    assert (caught.value.code, caught.value.detail) == ("document_totals_wrong", "VAT without lines: L")


def test_rates_are_compared_as_numbers() -> None:
    lines = [BookingLine("1", Decimal(100), "S", Decimal("21.00"), ""), BookingLine("2", Decimal(1), "E", None, "")]
    taxed = with_vat(
        lines, [VatAmount("S", Decimal(21), Decimal(100), Decimal(21)), VatAmount("E", Decimal(0), CENT, CENT)]
    )
    assert [line.tax for line in taxed] == [Decimal(21), CENT]


@given(nets=st.lists(cents, min_size=1, max_size=20), percentage=st.sampled_from([Decimal(6), Decimal(21)]))
def test_vat_due_by_the_buyer_is_rounded_once(nets: list[Decimal], percentage: Decimal) -> None:
    parts = vat_due_by_buyer([BookingLine(None, net, "AE", None, "") for net in nets], percentage)
    assert sum(parts) == rounded(sum(nets) * percentage / 100)


@given(net=cents, tax=cents, percent=st.integers(0, 100).map(Decimal))
def test_cost_and_deductible_vat_make_the_line(net: Decimal, tax: Decimal, percent: Decimal) -> None:
    line = BookingLine("1", net, "S", Decimal(21), "Car", tax=tax, non_deductible_percent=percent)
    assert line.cost + line.deductible_tax == net + tax


def test_half_of_a_cars_vat_is_cost() -> None:
    line = BookingLine("1", Decimal("100.00"), "S", Decimal(21), "Car", tax=Decimal("21.01"))
    assert (line.cost, line.deductible_tax) == (Decimal("100.00"), Decimal("21.01"))
    half = replace(line, non_deductible_percent=Decimal(50))
    assert (half.cost, half.deductible_tax) == (Decimal("110.51"), Decimal("10.50"))

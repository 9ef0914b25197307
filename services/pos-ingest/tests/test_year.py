"""Over a year the invoices make what the book holds, to the cent, however often it is closed."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import koppel_ubl
from koppel_mesh.ids import new_id

from .conftest import Till

FIRST = date(2026, 1, 1)
lines = st.tuples(st.sampled_from(["21", "12", "6"]), st.decimals(Decimal("0.01"), Decimal("999.99"), places=2))
days = st.dictionaries(st.integers(0, 364), st.lists(lines, min_size=1, max_size=4), min_size=1, max_size=12)


def entry(rate: str, amount: Decimal) -> dict[str, Any]:
    return {"vat_rate": rate, "amount": str(amount)}


def test_the_invoices_of_a_year_are_its_book(till: Till) -> None:
    @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
    @given(days, st.booleans(), st.sampled_from(["week", "month"]))
    def invoices_are_the_book(taken: dict[int, list[tuple[str, Decimal]]], closes_by_hand: bool, period: str) -> None:
        till.dossier()
        book = till.book(period=period, number_format="Y-{InvoiceNumber:4}")
        till.at("2027-01-04T12:00:00")
        for number, sold in sorted(taken.items()):
            on = FIRST + timedelta(number)
            till.entered(book, on.isoformat(), *(entry(*line) for line in sold), external_reference=str(new_id()))
            if closes_by_hand and number % 3 == 0:
                till.close(book, (on - timedelta(1)).isoformat())
        till.close(book, "2026-12-31")
        made = [koppel_ubl.read(one.parts["ubl"]) for one in till.hand_in()]
        invoiced = [one.totals.with_vat or Decimal(0) for one in made]
        totals = till.chain(book)[-1]["running_totals"]
        assert (
            sum(invoiced)
            == sum(map(Decimal, totals.values()))
            == sum(amount for day in taken.values() for _, amount in day)
        )
        assert [one.number for one in made] == [f"DR-Y-{number:04}" for number in range(1, len(made) + 1)]
        for rate in ("21", "12", "6"):
            groups = [group for one in made for group in one.vat_breakdown if group.rate == Decimal(rate)]
            assert sum(group.taxable + group.tax for group in groups) == Decimal(totals.get(f"S:{rate}", 0))

    invoices_are_the_book()

"""The till that ``koppel till`` and the demo play: its tickets add up, and are the same for the same day."""

from datetime import date, datetime
from decimal import Decimal

from koppel_local.till import tickets_of
from koppel_mesh.clock import BRUSSELS

DAY = date(2026, 3, 29)
"""The clocks went forward."""
EVENING = datetime(2026, 3, 29, 20, tzinfo=BRUSSELS)


def test_tickets_add_up_and_are_paid() -> None:
    tickets = list(tickets_of("kassa-gent", DAY, 50, EVENING))
    assert len({ticket["receiptID"] for ticket in tickets}) == 50
    for ticket in tickets:
        total = sum(Decimal(line["totalInclVat"]) for line in ticket["lines"])
        assert Decimal(ticket["totalInclVat"]) == total
        assert all(
            Decimal(each["quantity"]) * Decimal(each["itemInclVat"]) == Decimal(each["totalInclVat"])
            for each in ticket["lines"]
        )
        [payment] = ticket["payments"]
        assert abs(Decimal(payment["amount"]) - total) <= Decimal("0.02")
        assert payment["paymentMethodType"] != 2 or Decimal(payment["amount"]) % Decimal("0.05") == 0


def test_the_same_day_has_the_same_tickets_and_none_of_the_future() -> None:
    once, again = (list(tickets_of("kassa-gent", DAY, 20, EVENING)) for _ in range(2))
    assert once == again and once != list(tickets_of("kassa-brussel", DAY, 20, EVENING))
    noon = datetime(2026, 3, 29, 12, tzinfo=BRUSSELS)
    moments = [datetime.fromisoformat(one["receiptCreatedOn"]) for one in tickets_of("kassa-gent", DAY, 20, noon)]
    assert max(moments) <= noon and {moment.date() for moment in moments} == {DAY}

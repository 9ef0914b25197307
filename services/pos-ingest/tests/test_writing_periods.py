"""What was closed can be written, whatever the book took; what cannot is a problem that somebody sees."""

import pytest

import koppel_ubl
from koppel_mesh.messages import DeliveryChanged

from .conftest import Till
from .test_closing import CASH, drawer, invoice, numbered, told


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_every_category_and_rate_that_the_book_takes_can_be_invoiced(till: Till, language: str) -> None:
    till.dossier(language=language)
    book = numbered(till)
    taxed = [{"vat_category": "S", "vat_rate": rate, "amount": "100.00"} for rate in ("6", "12", "21")]
    untaxed = [{"vat_category": category, "vat_rate": "0", "amount": "50.00"} for category in "ZEGO"]
    alone = {"vat_category": "E", "vat_rate": "0", "amount": "1.00"}
    till.entered(book, "2026-03-02", *taxed, *untaxed)
    days = ("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06")
    for day, category in zip(days, "ZEGO", strict=True):
        till.entered(book, day, alone | {"vat_category": category})
    for day in ("2026-03-02", *days):
        till.close(book, day)
    filed = till.hand_in()
    assert [koppel_ubl.check(one.parts["ubl"]).valid for one in filed] == [True] * 5
    (export,) = (group for group in invoice(filed[0]).vat_breakdown if group.category == "G")
    assert (export.exemption_code, bool(export.exemption_reason)) == ("VATEX-EU-G", True)


def test_what_cannot_be_made_is_a_problem_until_its_cause_is_gone(till: Till) -> None:
    """No number of an enterprise: neither the invoice nor the statement of the drawer can be written."""
    book = numbered(till, cash_book_id=drawer(till))
    till.entered(book, "2026-03-03", payments=CASH)
    till.close(book, "2026-03-03")
    told(till)
    number = "UPDATE dossier SET enterprise_number = :number WHERE id = :id"
    till.sql(number, id=till.dossier_id, number="geen")
    assert till.hand_in() == []
    problems = {event.delivery_id: event.problem for event in told(till) if isinstance(event, DeliveryChanged)}
    assert {each.code for each in problems.values() if each} == {"receipts_refused", "cash_statement_refused"}
    assert "geen" in till.periods(book)[0]["problem"]["message"]["nl"]
    till.sql(number, id=till.dossier_id, number="0000000196")
    for delivery_id in problems:
        assert till.call("POST", f"/v1/deliveries/{delivery_id}/retry").status_code == 202
    assert len(till.hand_in()) == 2
    assert till.periods(book)[0]["problem"] is None

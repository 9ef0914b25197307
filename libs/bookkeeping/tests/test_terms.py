"""When an entry is due: the document's date, its terms, the relation's condition, the settings', the credit note's own day."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.settings import PerSide
from koppel_bookkeeping.terms import Terms, choose_terms, due_date_of

from .books import sample

ISSUED_ON = date(2026, 3, 9)
NOTHING_SET = PerSide()
SET = PerSide(sale="30", purchase="60")


@pytest.mark.parametrize(
    ("text", "due_on"),
    [
        ("30 dagen", date(2026, 4, 8)),
        ("Betaling binnen 30 dagen na factuurdatum", date(2026, 4, 8)),
        ("Payment within 14 days", date(2026, 3, 23)),
        ("30 jours fin de mois", date(2026, 4, 30)),
        ("30 days end of month", date(2026, 4, 30)),
        ("60 dagen einde maand", date(2026, 5, 31)),
        ("à 8 jours", date(2026, 3, 17)),
        ("Contant", ISSUED_ON),
        ("Paiement comptant", ISSUED_ON),
        ("2% korting bij betaling binnen 8 dagen", None),
        ("8 dagen, uiterlijk 30 dagen", None),
        ("#SKONTO#TAGE=14#PROZENT=2.00#", None),
        ("Volgens overeenkomst", None),
        ("900 dagen", None),
        ("1.530 dagen", None),
        ("", None),
        (None, None),
    ],
)
def test_plain_terms_name_a_day_and_others_do_not(text: str | None, due_on: date | None) -> None:
    assert due_date_of(text, ISSUED_ON) == due_on


@given(st.text(max_size=200))
def test_no_text_is_a_crash_nor_due_before_it_was_issued(text: str) -> None:
    due_on = due_date_of(text, ISSUED_ON)
    assert due_on is None or due_on >= ISSUED_ON


@pytest.mark.parametrize("kind", ["sales_credit_note", "purchase_credit_note", "sales_invoice", "purchase_invoice"])
def test_the_document_comes_before_the_relation_and_the_settings(kind: str) -> None:
    dated = sample("prepaid-and-rounded", kind)
    told = replace(dated, due_on=None, payment_terms="30 dagen")
    silent = replace(dated, due_on=None)
    for known in (False, True):
        assert choose_terms(dated, relation_has_condition=known, defaults=SET) == Terms(due_on=date(2026, 4, 8))
        assert choose_terms(told, relation_has_condition=known, defaults=SET) == Terms(due_on=date(2026, 4, 8))
    assert choose_terms(silent, relation_has_condition=True, defaults=SET) == Terms()
    default = "30" if kind.startswith("sales") else "60"
    assert choose_terms(silent, relation_has_condition=False, defaults=SET) == Terms(condition=default)


@pytest.mark.parametrize("kind", ["sales_credit_note", "purchase_credit_note"])
def test_a_credit_note_is_due_on_its_own_day_at_last(kind: str) -> None:
    silent = sample("creditnote-without-due-date", kind)
    assert choose_terms(silent, relation_has_condition=False, defaults=NOTHING_SET) == Terms(due_on=ISSUED_ON)


def test_what_was_paid_already_is_due_on_its_own_day() -> None:
    receipts = replace(sample("prepaid-and-rounded", "daily_receipts"), due_on=None)
    assert choose_terms(receipts, relation_has_condition=False, defaults=NOTHING_SET) == Terms(due_on=ISSUED_ON)
    paid = replace(sample("prepaid-and-rounded", "sales_invoice"), due_on=None, prepaid=Decimal("161.35"))
    assert paid.payable == 0
    assert choose_terms(paid, relation_has_condition=False, defaults=NOTHING_SET) == Terms(due_on=ISSUED_ON)


@pytest.mark.parametrize(("kind", "side"), [("sales_invoice", "sale"), ("purchase_invoice", "purchase")])
def test_an_invoice_without_anything_is_a_question_that_names_the_setting(kind: str, side: str) -> None:
    silent = replace(sample("prepaid-and-rounded", kind), due_on=None)
    with pytest.raises(CannotBook) as caught:
        choose_terms(silent, relation_has_condition=False, defaults=NOTHING_SET)
    assert (caught.value.code, caught.value.detail) == (
        "payment_condition_missing",
        f"default_payment_condition.{side}",
    )

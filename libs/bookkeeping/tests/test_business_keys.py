"""Two copies of one document share a key; whether they are the same is a second question."""

from datetime import date
from decimal import Decimal

import pytest

from koppel_bookkeeping.business_keys import (
    Likeness,
    document_number_key,
    document_number_keys,
    document_number_lock,
    earlier_keys_of_statements,
    is_same_counterparty,
    is_same_document,
    keys_of_invoice,
    keys_of_statements,
)
from koppel_bookkeeping.document import Counterparty, StatementSummary
from koppel_mesh.messages import DocumentKind

PURCHASE = DocumentKind.PURCHASE_INVOICE
SUPPLIER = Counterparty(name="Bakkerij De Korenmolen BV", enterprise_number="0734567835", vat_number="BE0734567835")


@pytest.mark.parametrize("number", ["2026/0012", "2026-0012", "20260012", " 2026 0012 ", "2026_0012"])
def test_a_number_is_one_however_it_is_written(number: str) -> None:
    assert document_number_key(number) == "20260012"


def test_leading_zeros_count_only_beside_letters() -> None:
    assert document_number_key("0042") == document_number_key("42") == "42"
    assert document_number_key("F0042") != document_number_key("F42")
    assert document_number_key("000") == "000"
    assert document_number_key(None) == ""


@pytest.mark.parametrize(
    ("number", "other"),
    [
        ("F-2026/001", "F 2026 1"),
        ("F-0001", "f1"),
        ("2026-0012", "2026/12"),
        ("2026-15", "Factuur nr. 2026-15"),
        ("2026-15", "Facture numéro 2026-15"),
        ("F–2026∕001", "F-2026-001"),
    ],
)
def test_numbers_that_people_read_as_one_share_a_key_and_a_lock(number: str, other: str) -> None:
    assert set(document_number_keys(number)) & set(document_number_keys(other))
    assert document_number_lock(number) == document_number_lock(other)


@pytest.mark.parametrize(
    ("number", "other"), [("1", "10"), ("2026-1", "2026-100"), ("F-1", "G-1"), ("2026-1", "2026-11"), ("1", "11")]
)
def test_numbers_of_two_documents_share_no_key(number: str, other: str) -> None:
    assert not set(document_number_keys(number)) & set(document_number_keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Counterparty(name="Buche", vat_number="DE811907980"), Counterparty(name="Buche Handel", vat_number="811 907 980")),
        (Counterparty(name="A", vat_number="EL094014201"), Counterparty(name="B", vat_number="GR094014201")),
        (Counterparty(name="Café Élan"), Counterparty(name="CAFE ELAN BV")),
        (Counterparty(name="Buche Handel GmbH"), Counterparty(name="Buche Handel")),
        (Counterparty(name="Peeters & Zn"), Counterparty(name="Peeters en Zn NV")),
        (Counterparty(name="F SARL"), Counterparty(name="F S.A.R.L.")),
    ],
)  # fmt: skip
def test_counterparties_are_one_however_they_are_spelled(one: Counterparty, other: Counterparty) -> None:
    assert set(keys_of_invoice(PURCHASE, one, "1")) & set(keys_of_invoice(PURCHASE, other, "1"))
    assert is_same_counterparty(one, other)


@pytest.mark.parametrize(
    "copy",
    [
        Counterparty(name="DE KORENMOLEN", vat_number="BE 0734.567.835"),
        Counterparty(name=None, enterprise_number="734567835"),
        Counterparty(name="Bakkerij De Korenmolen", vat_number=None),
        Counterparty(name="bakkerij  de korenmolen b.v."),
    ],
)
def test_copies_share_a_key_by_number_or_by_name(copy: Counterparty) -> None:
    assert set(keys_of_invoice(PURCHASE, SUPPLIER, "F-1")) & set(keys_of_invoice(PURCHASE, copy, "f1"))
    assert is_same_counterparty(SUPPLIER, copy)


@pytest.mark.parametrize(
    ("kind", "party", "number"),
    [
        (DocumentKind.SALES_INVOICE, SUPPLIER, "F-1"),
        (PURCHASE, SUPPLIER, "F-2"),
        (PURCHASE, Counterparty(name="Drukkerij Peeters BV", enterprise_number="0403170701"), "F-1"),
    ],
)
def test_others_share_none(kind: DocumentKind, party: Counterparty, number: str) -> None:
    assert not set(keys_of_invoice(PURCHASE, SUPPLIER, "F-1")) & set(keys_of_invoice(kind, party, number))


def test_namesakes_with_numbers_of_their_own_are_two() -> None:
    namesake = Counterparty(name=SUPPLIER.name, enterprise_number="0403170701")
    assert set(keys_of_invoice(PURCHASE, SUPPLIER, "1")) & set(keys_of_invoice(PURCHASE, namesake, "1"))
    assert not is_same_counterparty(SUPPLIER, namesake)


@pytest.mark.parametrize(
    ("kind", "party", "number"),
    [(PURCHASE, None, "1"), (PURCHASE, SUPPLIER, None), (PURCHASE, SUPPLIER, "--"), (DocumentKind.MISCELLANEOUS, SUPPLIER, "1")],
)  # fmt: skip
def test_what_lacks_a_part_has_no_key(kind: DocumentKind, party: Counterparty | None, number: str | None) -> None:
    assert keys_of_invoice(kind, party, number) == []


def test_a_document_is_the_same_by_kind_date_total_and_currency() -> None:
    day = date(2026, 11, 3)
    first = Likeness(PURCHASE, day, Decimal("121.00"), "EUR")
    assert is_same_document(first, Likeness(PURCHASE, day, Decimal("121.0"), "EUR"))
    for other in (
        Likeness(DocumentKind.PURCHASE_CREDIT_NOTE, day, Decimal("121.00"), "EUR"),
        Likeness(PURCHASE, date(2026, 11, 4), Decimal("121.00"), "EUR"),
        Likeness(PURCHASE, day, Decimal("121.01"), "EUR"),
        Likeness(PURCHASE, day, Decimal("121.00"), "USD"),
    ):
        assert not is_same_document(first, other)


def test_a_credit_note_and_a_negative_invoice_have_one_effect() -> None:
    day, credit = date(2026, 11, 3), DocumentKind.PURCHASE_CREDIT_NOTE
    credited = Likeness(credit, day, Decimal("121.00"), "EUR")
    assert is_same_document(credited, Likeness(PURCHASE, day, Decimal("-121.00"), "EUR"))
    of_doubtful_sign = Likeness(credit, day, Decimal("-121.00"), "EUR")
    for other in (credited, Likeness(PURCHASE, day, Decimal("121.00"), "EUR")):
        assert is_same_document(of_doubtful_sign, other)
    assert not is_same_document(credited, Likeness(PURCHASE, day, Decimal("121.00"), "EUR"))


def statement(**changes: object) -> StatementSummary:
    values = {
        "account": "BE68539007547034",
        "currency": "EUR",
        "number": 214,
        "opened_on": date(2026, 11, 2),
        "opening": Decimal("1000.00"),
        "closed_on": date(2026, 11, 3),
        "closing": Decimal("1427.60"),
        "movements": 2,
    }
    return StatementSummary.model_validate(values | changes)


def test_statements_are_known_by_account_sequence_balances_and_dates() -> None:
    assert keys_of_statements([statement(), statement(opening=Decimal("1000.000"))]) == keys_of_statements(
        [statement()]
    )
    for changes in (
        {"account": "BE14001642839183"},
        {"currency": "USD"},
        {"number": 215},
        {"opened_on": date(2026, 11, 1)},
        {"opening": Decimal("999.00")},
        {"closed_on": None},
        {"closing": Decimal("0.00")},
    ):
        assert not set(keys_of_statements([statement()])) & set(keys_of_statements([statement(**changes)]))


def test_extracts_of_one_day_are_known_by_their_application_and_the_count_of_their_movements() -> None:
    whole, part = statement(), statement(separate_application="00001")
    others = (whole, statement(separate_application="00002"), statement(separate_application="00001", movements=3))
    for other in others:
        assert not set(keys_of_statements([part])) & set(keys_of_statements([other]))
    assert keys_of_statements([part]) == keys_of_statements([statement(separate_application="00001")])
    assert set(earlier_keys_of_statements([part])) & set(keys_of_statements([whole]))


def test_a_day_without_movements_had_no_date_in_its_earlier_key() -> None:
    dated, undated = statement(movements=0), statement(movements=0, closed_on=None)
    assert not set(keys_of_statements([dated])) & set(keys_of_statements([undated]))
    assert set(earlier_keys_of_statements([dated])) >= set(keys_of_statements([undated]))

"""A bare PDF whose data a person entered is booked like any other."""

from decimal import Decimal
from typing import Any

import pytest

from connector_exact.mapping.accounts import Wishes
from connector_exact.mapping.entered import entered, wishes
from connector_exact.mapping.refusal import CannotBook
from koppel_mesh.messages import DocumentKind

ENTERED: dict[str, Any] = {
    "number": "2026/17",
    "issue_date": "2026-01-12",
    "due_date": None,
    "total": {"amount": "127.00", "currency": "EUR"},
    "counterparty": {"name": "Telecom NV", "enterprise_number": "0404616494"},
    "vat": [
        {"category": "S", "rate": "21", "base": "100.00", "tax": "21.00"},
        {"category": "O", "base": "6", "tax": "0"},
    ],
}


def test_one_item_per_rate_when_no_lines_were_entered() -> None:
    made = entered(ENTERED, DocumentKind.PURCHASE_INVOICE)
    assert [(item.net, item.tax, item.category) for item in made.items] == [
        (Decimal("100.00"), Decimal("21.00"), "S"),
        (Decimal("6.00"), Decimal("0.00"), "O"),
    ]
    assert made.total == Decimal("127.00")
    assert made.party.enterprise_number == "0404616494"


def test_a_credit_note_turns() -> None:
    assert entered(ENTERED, DocumentKind.PURCHASE_CREDIT_NOTE).total == Decimal("-127.00")


def test_lines_with_amounts_are_taken() -> None:
    lines = [
        {"id": "1", "net": "60.00", "vat_category": "S", "vat_rate": "21.0", "description": "Line"},
        {"id": "2", "net": "40.00", "vat_category": "S", "vat_rate": "21"},
        {"id": "3", "net": "6.00", "vat_category": "O"},
    ]
    made = entered({**ENTERED, "lines": lines}, DocumentKind.PURCHASE_INVOICE)
    assert [item.tax for item in made.items] == [Decimal("12.60"), Decimal("8.40"), Decimal("0.00")]


@pytest.mark.parametrize("missing", ["issue_date", "total", "vat"])
def test_too_little_is_a_problem(missing: str) -> None:
    with pytest.raises(CannotBook) as caught:
        entered({**ENTERED, missing: None}, DocumentKind.PURCHASE_INVOICE)
    assert caught.value.code == "document_unreadable"


def test_choices_are_read_from_the_document_and_its_relation() -> None:
    document = {
        "journal": "701",
        "ledger_account": None,
        "lines": [{"id": "1", "ledger_account": "700100"}, {"id": "2", "ledger_account": None}],
        "relation": {"journal": "720", "ledger_account": "702000"},
    }
    assert wishes(document) == Wishes("701", None, {"1": "700100"}, "720", "702000")
    assert wishes({}) == Wishes(by_line={})

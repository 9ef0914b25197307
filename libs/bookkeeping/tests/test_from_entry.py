"""A bare PDF whose data a person entered is booked like any other."""

from decimal import Decimal
from typing import Any

import pytest

from koppel_bookkeeping import CannotBook, Overrides, from_entry
from koppel_bookkeeping.document import Document
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind

from .test_document import EXAMPLE

HERE, ELSEWHERE = new_id(), new_id()

ENTERED: dict[str, Any] = EXAMPLE | {
    "number": "2026/17",
    "issue_date": "2026-01-12",
    "due_date": None,
    "total": {"amount": "127.00", "currency": "EUR"},
    "counterparty": {"name": "Telecom NV", "enterprise_number": "0404616494"},
    "lines": [],
    "vat": [
        {"category": "S", "rate": "21", "base": "100.00", "tax": "21.00"},
        {"category": "O", "base": "6", "tax": "0"},
    ],
}


def entered(**changes: Any) -> Document:
    return Document.model_validate(ENTERED | changes)


def test_one_line_per_rate_when_no_lines_were_entered() -> None:
    made = from_entry.booking(entered(), DocumentKind.PURCHASE_INVOICE)
    assert [(line.net, line.tax, line.category) for line in made.lines] == [
        (Decimal("100.00"), Decimal("21.00"), "S"),
        (Decimal("6.00"), Decimal("0.00"), "O"),
    ]
    assert made.total == Decimal("127.00")
    assert made.party.enterprise_number == "0404616494"


def test_a_credit_note_stands_as_it_was_entered() -> None:
    made = from_entry.booking(entered(), DocumentKind.PURCHASE_CREDIT_NOTE)
    assert (made.total, made.sign) == (Decimal("127.00"), -1)


def test_lines_with_amounts_are_taken() -> None:
    lines = [
        {"id": "1", "net": "60.00", "vat_category": "S", "vat_rate": "21.0", "description": "Line"},
        {"id": "2", "net": "40.00", "vat_category": "S", "vat_rate": "21"},
        {"id": "3", "net": "6.00", "vat_category": "O"},
    ]
    made = from_entry.booking(entered(lines=lines), DocumentKind.PURCHASE_INVOICE)
    assert [line.tax for line in made.lines] == [Decimal("12.60"), Decimal("8.40"), Decimal("0.00")]


@pytest.mark.parametrize("missing", [{"issue_date": None}, {"total": None}, {"vat": []}])
def test_too_little_is_refused(missing: dict[str, Any]) -> None:
    with pytest.raises(CannotBook) as caught:
        from_entry.booking(entered(**missing), DocumentKind.PURCHASE_INVOICE)
    assert caught.value.code == "document_unreadable"


def test_choices_are_read_from_the_document_and_its_relation() -> None:
    document = entered(
        journal="701",
        ledger_account=None,
        lines=[{"id": "1", "ledger_account": "700100"}, {"id": "2", "ledger_account": None}],
        relation=EXAMPLE["relation"] | {"journal": "720", "ledger_account": "702000"},
    )
    chosen = Overrides("701", None, {"1": "700100"}, "720", "702000")
    assert Overrides.of(document, HERE) == chosen
    assert Overrides.of(entered(journal=None, ledger_account=None, relation=None), HERE) == Overrides()


def test_a_journal_for_one_connection_holds_there_and_no_other_s_does() -> None:
    document = entered(journal="701", journals={str(HERE): "V3"})
    assert Overrides.of(document, HERE).journal == "V3"
    assert Overrides.of(document, ELSEWHERE).journal == "701"
    assert Overrides.of(entered(journal=None, journals={str(HERE): "V3"}), ELSEWHERE).journal is None

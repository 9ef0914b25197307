"""What changed between two revisions of a document, in words."""

from typing import Any

from koppel_bookkeeping import Document
from koppel_bookkeeping.revisions import changes, summary_of

from .test_document import EXAMPLE


def revised(**changed: Any) -> Document:
    return Document.model_validate({**EXAMPLE, **changed})


def test_the_same_document_has_no_changes() -> None:
    assert changes(summary_of(revised()), summary_of(revised(revision=7))) == []


def test_head_lines_and_vat_are_compared_and_what_is_gone_has_a_dash() -> None:
    before = revised(number="A-1", due_date="2026-02-14", total={"amount": "121.00", "currency": "EUR"})
    after = revised(number="A-2", due_date=None, total={"amount": "242.00", "currency": "EUR"})
    assert changes(summary_of(before), summary_of(after)) == [
        "number: A-1 → A-2",
        "due date: 2026-02-14 → –",
        "total: 121.00 EUR → 242.00 EUR",
    ]


def test_a_line_that_came_is_shown_whole() -> None:
    line = {"id": "9", "description": "Advies", "net": "100.00", "vat_category": "S", "vat_rate": "21"}
    with_it = revised(lines=[*EXAMPLE["lines"], line])
    assert changes(summary_of(revised()), summary_of(with_it)) == ["line 9: – → 100.00 at S 21 % (Advies)"]


def test_another_file_is_a_change() -> None:
    content = [{**each, "sha256": "f" * 64} for each in EXAMPLE["content"]]
    assert all(
        each.startswith("file ") for each in changes(summary_of(revised()), summary_of(revised(content=content)))
    )

"""The document between dossier-api and the connectors: its fields are fixed, and its amounts are decimals."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from koppel_bookkeeping.document import Document

EXAMPLE: dict[str, Any] = json.loads((Path(__file__).parent / "samples" / "document.json").read_text("utf-8"))
"""What dossier-api answered when the contract was fixed; it is never edited, only added to."""

ADDED: dict[str, Any] = {
    "journals": {},
    "questions": [],
    "signs_reversed": False,
    "deliveries": [each | {"warnings": [], "ends_as": "booked"} for each in EXAMPLE["deliveries"]],
    "statements": [each | {"separate_application": None} for each in EXAMPLE["statements"]],
}
"""Fields added since; a dossier-api of the version before does not send them."""


def test_the_example_of_the_contract_is_read_and_written_field_by_field() -> None:
    assert Document.model_validate(EXAMPLE).model_dump(mode="json") == EXAMPLE | ADDED


@pytest.mark.parametrize("field", sorted(EXAMPLE))
def test_a_renamed_field_is_noticed(field: str) -> None:
    renamed = {f"{name}_renamed" if name == field else name: value for name, value in EXAMPLE.items()}
    with pytest.raises(ValidationError, match=field):
        Document.model_validate(renamed)


def test_amounts_are_decimals_and_never_floats() -> None:
    document = Document.model_validate(EXAMPLE)
    assert document.total is not None and document.total.amount == Decimal("121.00")
    assert (document.lines[0].net, document.vat[0].rate) == (Decimal("100.00"), Decimal(21))
    with pytest.raises(ValidationError, match="decimal strings"):
        Document.model_validate(EXAMPLE | {"total": {"amount": 121.0, "currency": "EUR"}})


def test_a_newer_sender_may_add_fields() -> None:
    assert Document.model_validate(EXAMPLE | {"added_later": 1}) == Document.model_validate(EXAMPLE)


def test_a_file_is_found_by_its_role() -> None:
    document = Document.model_validate(EXAMPLE)
    pdf = document.file("pdf")
    assert pdf is not None and pdf.media_type == "application/pdf"
    assert document.file("coda") is None

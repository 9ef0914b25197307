"""Whether an entry that somebody made is a document that is to be sent."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from koppel_bookkeeping.business_keys import document_number_spellings
from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument, resemblance

SUPPLIER = Counterparty(name="Voorbeeld Telecom NV", vat_number="BE0000000295")
DOCUMENT = SoughtDocument("purchase", "INV-2026/0042", SUPPLIER, date(2026, 1, 15), Decimal("-121.00"), "EUR")
ENTRY = EntryInBooks("e1", "purchase", "inv 2026 0042", SUPPLIER, date(2026, 1, 15), Decimal("-121.00"), "EUR")


def test_the_same_number_counterparty_date_and_total_are_the_same_document() -> None:
    found = resemblance(DOCUMENT, [ENTRY])
    assert (found.same, found.alike) == ([ENTRY], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "sale"},
        {"document_number": "INV-2026/0043"},
        {"document_number": ""},
        {"counterparty": Counterparty(name="Voorbeeld Telecom NV", vat_number="BE0000000394")},
        {"counterparty": Counterparty(name="Iemand Anders BV")},
        {"counterparty": Counterparty()},
    ],
)
def test_an_entry_of_something_else_is_not_told(changes: dict[str, Any]) -> None:
    assert not resemblance(DOCUMENT, [replace(ENTRY, **changes)]).entries


@pytest.mark.parametrize(
    "changes",
    [
        {"issued_on": date(2026, 1, 16)},
        {"total": Decimal("-121.01")},
        {"total": Decimal("121.00")},
        {"currency": "USD"},
    ],
)
def test_another_date_total_or_currency_is_only_alike(changes: dict[str, Any]) -> None:
    other = replace(ENTRY, **changes)
    found = resemblance(DOCUMENT, [other])
    assert (found.same, found.alike) == ([], [other])


def test_what_the_books_do_not_tell_makes_no_difference() -> None:
    bare = EntryInBooks("e2", "purchase", "INV20260042", Counterparty(name="voorbeeld telecom"))
    assert resemblance(DOCUMENT, [bare]).same == [bare]


def test_an_entry_is_named_as_a_person_finds_it() -> None:
    assert str(replace(ENTRY, entry_number="26600007")) == "26600007, inv 2026 0042, 2026-01-15, -121.00 EUR"
    assert str(EntryInBooks("e3", "sale", "F1", Counterparty())) == "e3, F1"


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        ("2026-0012", ["2026-0012", "2026/0012", "20260012"]),
        (" F 2026.12 ", ["F 2026.12", "F-2026-12", "F/2026/12", "F202612"]),
        ("F12", ["F12"]),
        ("--", ["--", "-", "/"]),
    ],
)
def test_a_number_is_spelled_as_people_do(number: str, spellings: list[str]) -> None:
    assert document_number_spellings(number) == spellings

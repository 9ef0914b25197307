"""The demo's documents show what a firm really sends, and exactly one of them cannot be booked by its nature."""

from decimal import Decimal
from pathlib import Path

import koppel_coda
import koppel_ubl
from koppel_local.demo import DOCUMENTS, DOSSIERS
from koppel_ubl import CreditNote, Document

BELGIAN_RATES = {Decimal(0), Decimal(6), Decimal(12), Decimal(21)}


def _all() -> dict[Path, Document]:
    return {path: koppel_ubl.read(path.read_bytes()) for path in sorted(DOCUMENTS.glob("*/*.xml"))}


def test_every_document_belongs_to_the_dossier_of_its_folder() -> None:
    for demo in DOSSIERS:
        read = [one for path, one in _all().items() if path.parent.name == demo.documents]
        assert bool(read) == (demo.documents is not None)
        for one in read:
            assert demo.enterprise_number in {one.seller.enterprise_number, one.buyer.enterprise_number}


def test_totals_add_up() -> None:
    for path, one in _all().items():
        tax = sum((group.tax or Decimal(0) for group in one.vat_breakdown), Decimal(0))
        assert one.totals.with_vat == (one.totals.without_vat or Decimal(0)) + tax, path.name
        assert all(group.taxable is not None for group in one.vat_breakdown), path.name


def test_the_vat_that_matters_is_there_and_one_document_has_a_foreign_rate() -> None:
    read = _all()
    groups = {(group.category, group.rate) for one in read.values() for group in one.vat_breakdown}
    assert {category for category, _ in groups} == {"S", "AE", "K", "G", "E", "Z"}
    assert {rate for category, rate in groups if category == "S"} == {Decimal(each) for each in (6, 9, 12, 21)}
    foreign = [
        path.name for path, one in read.items() if any(group.rate not in BELGIAN_RATES for group in one.vat_breakdown)
    ]
    assert foreign == ["09-aankoop-nederlandse-btw.xml"]


def test_both_sides_credit_notes_files_references_and_a_foreign_currency_are_there() -> None:
    read = _all().values()
    numbers = {demo.enterprise_number for demo in DOSSIERS}
    purchases = [one for one in read if one.seller.enterprise_number not in numbers]
    assert len(read) >= 12
    assert len(purchases) >= 4
    assert sum(isinstance(one, CreditNote) for one in read) == 3
    assert any((one.totals.with_vat or 0) < 0 for one in purchases), "one credit note has minus signs"
    assert len({one.number for one in read}) == len(read) - 1, "one invoice came twice"
    assert any(isinstance(one, CreditNote) for one in purchases)
    assert sum(one.pdf is not None for one in read) >= 3
    assert sum(one.structured_reference is not None for one in read) >= 6
    assert any(one.currency == "USD" for one in read)


def test_statements_of_bank_and_cash_book_are_strict() -> None:
    checked = {path.name: koppel_coda.check(path.read_bytes()) for path in DOCUMENTS.glob("*/*.cod")}
    assert len(checked) == 2
    assert {name: report.findings for name, report in checked.items()} == dict.fromkeys(checked, ())

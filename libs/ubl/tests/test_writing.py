"""What is written reads back as what it was, always as the same bytes; what cannot be written says why."""

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

import koppel_ubl
from koppel_ubl import Identifier, Invoice, WriteError

SAMPLES = Path(__file__).parent / "samples"
ALL = sorted(SAMPLES.glob("*/*.xml"))
GOOD = koppel_ubl.read((SAMPLES / "valid/own__be-01-invoice-ogm-pdf.xml").read_bytes())


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_sample_comes_back_as_it_was(path: Path) -> None:
    document = dataclasses.replace(koppel_ubl.read(path.read_bytes()), unmapped=())
    written = koppel_ubl.write(document)
    assert koppel_ubl.read(written) == document
    assert koppel_ubl.write(koppel_ubl.read(written)) == written


@pytest.mark.parametrize("total", ["99999999999999999999", "1E-40", "-0.00000000000000000001", "1E+19", "0E-20"])
def test_the_longest_numbers_that_are_written_are_read(total: str) -> None:
    document = dataclasses.replace(GOOD, vat_total=Decimal(total))
    again = koppel_ubl.read(koppel_ubl.write(document))
    assert again.vat_total == document.vat_total


def test_text_keeps_its_signs() -> None:
    number = "a<b>&\"c'\u00e9\U0001f600]]>"
    document = dataclasses.replace(GOOD, number=number, notes=("two\nlines\twith a tab\r\nand a return",))
    again = koppel_ubl.read(koppel_ubl.write(document))
    assert (again.number, again.notes) == (document.number, document.notes)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"number": None}, "missing", "Invoice/ID"),
        ({"lines": ()}, "missing", "Invoice/InvoiceLine"),
        ({"currency": None}, "missing", "Invoice/AllowanceCharge"),
        ({"number": "a\x00b"}, "invalid_character", "Invoice/ID"),
        ({"number": "a\ud800b"}, "invalid_character", "Invoice/ID"),
        ({"vat_total": Decimal("NaN")}, "invalid_number", "Invoice/TaxTotal[1]/TaxAmount"),
        ({"vat_total": Decimal("1E+20")}, "invalid_number", "Invoice/TaxTotal[1]/TaxAmount"),
        ({"vat_total": Decimal("1E-41")}, "invalid_number", "Invoice/TaxTotal[1]/TaxAmount"),
        ({"vat_total": Decimal("1E+999999999")}, "invalid_number", "Invoice/TaxTotal[1]/TaxAmount"),
        ({"object": Identifier("1", "x" * 2_001)}, "too_long", "Invoice/AdditionalDocumentReference[1]/ID"),
        ({"vat_total": None}, "missing", "Invoice/TaxTotal[1]/TaxAmount"),
        ({"seller": koppel_ubl.Party()}, "missing", "Invoice/AccountingSupplierParty"),
    ],
)
def test_what_the_schema_would_refuse_is_refused(changes: dict[str, object], code: str, path: str) -> None:
    if "currency" in changes:
        path = "Invoice/TaxTotal[1]/TaxSubtotal[1]/TaxableAmount/@currencyID"
    with pytest.raises(WriteError) as refused:
        koppel_ubl.write(dataclasses.replace(GOOD, **changes))  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.path) == (code, path)


def test_a_credit_note_needs_payment_means_for_its_due_date() -> None:
    note = koppel_ubl.read((SAMPLES / "valid/own__be-02-creditnote-ref.xml").read_bytes())
    with pytest.raises(WriteError, match="first payment means"):
        koppel_ubl.write(dataclasses.replace(note, payment_means=()))
    assert not isinstance(note, Invoice)

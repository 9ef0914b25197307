"""What a bookkeeper reads on the page of an invoice or credit note."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import pytest

import koppel_ubl
from koppel_readable import LANGUAGES, Language, readable_pdf
from koppel_readable.formats import format_amount, format_money
from koppel_readable.labels import CATEGORIES, LABELS, TITLES

from .pdfs import ALL_SAMPLES, opened, sample, text_of


def read(name: str) -> koppel_ubl.Document:
    return koppel_ubl.read(sample(name))


@pytest.mark.parametrize(
    ("file", "language"), zip(ALL_SAMPLES, cycle(LANGUAGES)), ids=[file.stem for file in ALL_SAMPLES]
)
def test_every_sample_shows_its_parties_lines_and_amounts(file: Path, language: Language) -> None:
    document = koppel_ubl.read(file.read_bytes())
    text = text_of(readable_pdf(document, language=language))
    wanted = [
        *(document.number, document.seller.name, document.buyer.name),
        *(line.item.name for line in document.lines),
        *(format_amount(line.net, language) for line in document.lines),
        *(format_amount(vat.tax, language) for vat in document.vat_breakdown),
        format_money(document.totals.payable, document.currency, language),
    ]
    missing = [one for one in wanted if one and " ".join(one.split()) not in text]
    assert missing == [], text


def test_a_dutch_invoice() -> None:
    text = text_of(readable_pdf(read("be-01-invoice-ogm-pdf"), language="nl"))
    for shown in (
        "Factuur 2026-0001",
        "Datum 15 januari 2026",
        "Vervaldatum 14 februari 2026",
        "Btw BE 0000.000.196",
        "Btw BE 0000.000.295",
        "Te betalen € 582,77",
        "ten laatste op 14 februari 2026",
        "Rekening BE54 0000 0000 0097",
        "Mededeling +++202/6000/00192+++",
        "Totaal zonder btw",
        "Totaal met btw 582,77",
        "blz. 1 van 1",
    ):
        assert shown in text, text


def test_numbers_and_dates_are_written_as_the_language_does() -> None:
    document = read("be-03-AE-cocontractor")
    shown = {language: text_of(readable_pdf(document, language=language)) for language in LANGUAGES}
    assert "€ 4.500,00" in shown["nl"]
    assert "4 500,00 €" in shown["fr"]
    assert "€ 4,500.00" in shown["en"]
    assert "15 janvier 2026" in shown["fr"]
    assert "15 January 2026" in shown["en"]


@pytest.mark.parametrize(
    ("language", "mention"), [("nl", "Btw verlegd"), ("fr", "Autoliquidation"), ("en", "Reverse charge")]
)
def test_a_reverse_charge_has_the_mention_of_the_law_and_the_words_of_the_seller(
    language: Language, mention: str
) -> None:
    document = read("be-03-AE-cocontractor")
    text = text_of(readable_pdf(document, language=language))
    assert f"AE: {mention}" in text
    reason = document.vat_breakdown[0].exemption_reason
    assert reason is not None
    assert len(reason) > 20
    assert reason in text
    bare = tuple(replace(vat, exemption_reason=None, exemption_code=None) for vat in document.vat_breakdown)
    assert f"AE: {mention}" in text_of(readable_pdf(replace(document, vat_breakdown=bare), language=language))


def test_a_credit_note_names_the_invoice_that_it_credits() -> None:
    document = read("be-02-creditnote-ref")
    text = text_of(readable_pdf(document, language="nl"))
    assert f"Creditnota {document.number}" in text
    assert "Te crediteren" in text
    assert "ten laatste" not in text
    (preceding,) = document.billing_references
    assert f"Heeft betrekking op {preceding.number}" in text


def test_a_self_billed_invoice_says_so() -> None:
    assert "Factuur uitgereikt door afnemer" in text_of(readable_pdf(read("be-13-selfbilled-389"), language="nl"))


def test_vat_in_euros_stands_beside_a_foreign_currency() -> None:
    document = read("be-11-USD-with-EUR-vat")
    text = text_of(readable_pdf(document, language="en"))
    assert "Currency USD" in text
    assert f"VAT in EUR {format_amount(document.vat_total_in_tax_currency, 'en')}" in text
    assert format_money(document.totals.payable, "USD", "en").replace("\u00a0", " ") in text


def test_allowances_charges_and_what_was_paid_have_their_sign() -> None:
    document = read("be-10-mixed-rates-allowance-charge")
    paid = replace(document, totals=replace(document.totals, prepaid=Decimal(58), payable=Decimal("200.08")))
    text = text_of(readable_pdf(paid, language="nl"))
    for shown in (
        "10 % van 100,00 21 % -10,00",
        "Toeslag: Transport 21 % 12,40",
        "Totaal van de lijnen 226,95",
        "Kortingen -10,00",
        "Reeds betaald -58,00",
    ):
        assert shown in text, text


def test_a_price_says_for_how_many_it_is() -> None:
    document = read("be-19-basequantity-4decimals")
    (first, *_) = document.lines
    assert first.price is not None
    assert first.price.base_quantity is not None
    assert "per 1000" in text_of(readable_pdf(document)).replace("1.000", "1000")


def test_what_else_a_line_says_stands_under_its_name() -> None:
    document = read("be-01-invoice-ogm-pdf")
    (first, *_) = document.lines
    item = koppel_ubl.Item(
        name="Brochure",
        description="Vierkleurendruk",
        seller_id="A-12",
        properties=(koppel_ubl.Property(name="Formaat", value="A5"), koppel_ubl.Property(name="Papier", value="mat")),
    )
    period = koppel_ubl.Period(start=date(2026, 1, 1), end=date(2026, 1, 31))
    line = replace(first, item=item, notes=("Spoed",), period=period, order_line="7")
    text = text_of(readable_pdf(replace(document, lines=(line,)), language="nl"))
    under = "Artikel A-12 · Bestellijn 7 · Periode 1 januari 2026 – 31 januari 2026"
    for shown in ("Brochure", "Vierkleurendruk", "Spoed", under, "Formaat: A5 · Papier: mat"):
        assert shown in text, text


def test_notes_terms_and_attachments_are_listed() -> None:
    document = read("be-01-invoice-ogm-pdf")
    linked = koppel_ubl.Attachment(id="A-7", description="Werkbon", uri="https://example.com/werkbon.pdf")
    document = replace(
        document,
        notes=("#AAI#Dank u.",),
        payment_terms="2 % bij betaling in 8 dagen",
        attachments=(*document.attachments, linked),
    )
    text = text_of(readable_pdf(document, language="nl"))
    assert "OPMERKINGEN Dank u." in text
    assert "2 % bij betaling in 8 dagen" in text
    assert "2026-0001.pdf (in de elektronische factuur)" in text
    assert "A-7 – Werkbon (https://example.com/werkbon.pdf)" in text


def test_a_long_invoice_repeats_the_heads_of_its_table() -> None:
    document = read("be-10-mixed-rates-allowance-charge")
    pages = opened(readable_pdf(replace(document, lines=document.lines * 30), language="nl")).pages
    assert len(pages) > 2
    for number, page in enumerate(pages[:-1], start=1):
        text = page.extract_text().replace("\u00a0", " ")
        assert "Netto (EUR)" in text
        assert f"blz. {number} van {len(pages)}" in text


def test_every_word_is_there_in_three_languages() -> None:
    for words in (*LABELS.values(), *TITLES.values(), *CATEGORIES.values()):
        assert len(words) == len(LANGUAGES)
        assert all(words), words
    counts = [{word.count("{") for word in words} for words in LABELS.values()]
    assert all(len(one) == 1 for one in counts)

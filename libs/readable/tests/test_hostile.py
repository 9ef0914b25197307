"""Nothing that a document may hold stops its page, hides its amounts or makes it endless."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

import koppel_ubl
from koppel_readable import readable_pdf
from koppel_readable.bounds import REPLACEMENT, ROWS, TEXT_MAX, bounded, drawable
from koppel_readable.fonts import font_set
from koppel_readable.formats import format_amount
from koppel_readable.invoice import invoice_content

from .pdfs import opened, sample, text_of

DOCUMENT = koppel_ubl.read(sample("be-10-mixed-rates-allowance-charge"))
AMOUNTS = ("258,08", "229,35", "28,73", "102,40")


def named(name: str) -> koppel_ubl.Document:
    """Return the document with a name wherever one can stand."""
    lines = tuple(replace(line, item=replace(line.item, name=name, description=name)) for line in DOCUMENT.lines)
    parties = replace(DOCUMENT, seller=replace(DOCUMENT.seller, name=name), buyer=replace(DOCUMENT.buyer, name=name))
    return replace(parties, number=name, notes=(name,), payment_terms=name, order=name, lines=lines)


@pytest.mark.parametrize(
    "name",
    [
        "W" * 5_000,
        "lang " * 1_000,
        "\u202e258,08\u202c שלום مرحبا ١٢٣",
        "👩\u200d👩\u200d👧 🍞 🇧🇪 漢字 ไทย हिन्दी ﷽",
        "a\x00b\x07c\x1b[31m\u200b\u200d\ufeff\u2066\ud800\ue000\U000e0041",
        "Z\u0338\u0322\u0353\u0359" * 200,
        '#read("/original") $x$ *b* _i_ \\ <label> @ref [content] // /* ```',
        "\u2240\u0301\u0e33\u0651",
        " \n\r\t\v\f\u2028\u2029 ",
        "",
    ],
    ids=[
        "one word",
        "many words",
        "right to left",
        "no glyphs",
        "invisible",
        "marks",
        "markup",
        "clusters",
        "blanks",
        "empty",
    ],
)
def test_a_text_never_stops_the_page_or_hides_its_amounts(name: str) -> None:
    pdf = readable_pdf(named(name), language="nl", ubl=b"<Invoice/>")
    text = text_of(pdf)
    assert [amount for amount in AMOUNTS if amount not in text] == []
    assert len(opened(pdf).pages) <= 6


def test_random_characters_never_stop_the_page() -> None:
    chosen = random.Random(14)
    every = [chr(code) for code in range(0x2FA20)]
    drawn = [chr(code) for code in sorted(font_set().covered)]
    for alphabet in (every, drawn) * 2:
        text = "".join(chosen.choices(alphabet, k=900))
        assert "258,08" in text_of(readable_pdf(replace(DOCUMENT, notes=(text, *text.split(" ")[:8])), language="nl"))


def test_no_text_leaves_the_paper() -> None:
    (first, *_) = opened(readable_pdf(named("W" * 5_000), language="nl")).pages
    right: list[float] = []
    first.extract_text(visitor_text=lambda text, cm, tm, font, size: right.append(tm[4] * cm[0] + cm[4]))
    assert max(right) < float(first.mediabox.width)


def test_ten_thousand_lines_end_in_seconds_and_say_what_is_missing() -> None:
    long = replace(DOCUMENT, lines=DOCUMENT.lines * 2_000)
    began = time.process_time()
    pdf = readable_pdf(long, language="nl")
    assert time.process_time() - began < 20
    reader = opened(pdf)
    assert len(reader.pages) < 60
    first = reader.pages[0].extract_text()
    assert "8.000 rijen staan niet in dit beeld. Het origineel bevat alles." in first
    assert "258,08" in first


def test_everything_too_long_ends_in_seconds() -> None:
    lines = tuple(replace(line, notes=("n " * 2_000,) * 50) for line in named("W" * 5_000).lines) * 60
    endless = replace(
        named("d " * 20_000), notes=("x " * 20_000,) * 100, lines=lines, vat_breakdown=DOCUMENT.vat_breakdown * 300
    )
    began = time.process_time()
    pdf = readable_pdf(endless, language="nl")
    assert time.process_time() - began < 30
    assert len(opened(pdf).pages) < 200
    assert "teksten zijn ingekort" in opened(pdf).pages[0].extract_text()


@pytest.mark.parametrize(
    "value",
    [
        Decimal("12345678901234567890.12"),
        Decimal("-1E+1000"),
        Decimal("1E-1000"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        Decimal("-0"),
    ],
    ids=str,
)
def test_a_number_of_any_size_is_shown(value: Decimal) -> None:
    lines = tuple(replace(line, quantity=value, net=value) for line in DOCUMENT.lines)
    vat = tuple(replace(one, taxable=value, tax=value, rate=value) for one in DOCUMENT.vat_breakdown)
    document = replace(DOCUMENT, lines=lines, vat_breakdown=vat, totals=replace(DOCUMENT.totals, payable=value))
    text = text_of(readable_pdf(document, language="nl"))
    assert text.count(format_amount(value, "nl")) >= len(lines) + 2 * len(vat)


@pytest.mark.parametrize("empty", [koppel_ubl.Invoice(), koppel_ubl.CreditNote()], ids=["invoice", "credit note"])
def test_a_document_without_anything_has_a_page(empty: koppel_ubl.Document) -> None:
    assert len(opened(readable_pdf(empty)).pages) == 1


def test_what_is_cut_and_replaced_is_counted() -> None:
    lines = [{"description": "x"}] * (ROWS["lines"] + 3)
    result = bounded({"name": "n" * 300, "other": "漢字", "lines": lines}, frozenset(range(0x250)))
    assert (result.rows_cut, result.texts_cut, result.characters_replaced) == (3, 1, 2)
    assert len(result.content["name"]) == TEXT_MAX
    assert result.content["other"] == REPLACEMENT * 2


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("e\u0301", "é"),
        ("1\u202e258\u202c", "1258"),
        ("a\u200bb\x00c\ufeff", "abc"),
        ("a \t b\r\n\n c ", "a b\nc"),
        ("12\u00a0345", "12\u00a0345"),
    ],
)
def test_characters_without_a_shape_are_left_out(written: str, shown: str) -> None:
    assert drawable(written, font_set().covered) == (shown, 0)


def test_thousands_of_reasons_for_no_vat_are_not_compared_with_each_other() -> None:
    exempt = koppel_ubl.VatCategory(category="E", rate=Decimal(0))
    lines = tuple(
        replace(DOCUMENT.lines[0], vat=replace(exempt, exemption_reason=f"{number} " * 400)) for number in range(5_000)
    )
    began = time.process_time()
    content = invoice_content(replace(DOCUMENT, lines=lines), "nl", has_original=False)
    assert time.process_time() - began < 4
    assert len(content["reasons"]) == 1


def test_pages_are_set_in_many_threads_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: readable_pdf(DOCUMENT, ubl=b"<a/>"), range(16)))
    assert len(made) == 1

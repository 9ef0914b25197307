"""Tables that explain a document, as PDF and as CSV."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from koppel_readable import Column, Details, Table, details_pdf, table_csv

from .pdfs import opened, text_of

BY_RATE = Table(
    title="Per btw-tarief",
    columns=(
        Column(title="Tarief", kind="percent"),
        Column(title="Maatstaf", kind="amount"),
        Column(title="Btw", kind="amount"),
        Column(title="Opmerking"),
    ),
    rows=(
        (Decimal(21), Decimal("1000.5"), Decimal("210.11"), "bar"),
        (Decimal(6), Decimal(-20), Decimal("-1.2"), None),
    ),
    totals=("Totaal", Decimal("980.50"), Decimal("208.91"), ""),
)
TICKETS = Table(
    title="Tickets",
    columns=(
        Column(title="Nr.", kind="number"),
        Column(title="Dag", kind="date"),
        Column(title="Bedrag", kind="amount"),
    ),
    rows=tuple((number, date(2026, 3, 14), Decimal(number)) for number in range(1, 121)),
)
DETAILS = Details(
    title="Dagontvangsten 14 maart 2026",
    issuer="Café Het Hoekje",
    dated_on=date(2026, 3, 14),
    facts=(("Kassa", "T1"), ("Munt", "EUR")),
    tables=(BY_RATE, TICKETS),
)


def test_the_pages_show_every_table_with_its_totals() -> None:
    pdf = details_pdf(DETAILS, language="nl")
    text = text_of(pdf)
    for shown in (
        "Dagontvangsten 14 maart 2026 Café Het Hoekje",
        "Kassa T1",
        "PER BTW-TARIEF",
        "21 % 1.000,50 210,11 bar",
        "6 % -20,00 -1,20",
        "Totaal 980,50 208,91",
        "120 14 maart 2026 120,00",
        "Opgemaakt door Koppel.",
    ):
        assert shown in text, text
    assert len(opened(pdf).pages) > 1
    assert all("Bedrag" in page.extract_text() for page in opened(pdf).pages)


def test_equal_tables_make_equal_bytes() -> None:
    assert details_pdf(DETAILS) == details_pdf(DETAILS)


def test_hostile_cells_never_stop_the_pages() -> None:
    cells = ("W" * 5_000, "👩\u200d👩\u200d👧\x00\u202e", "=1+1", '#read("/etc/passwd")')
    columns = tuple(Column(title="K" * 300) for _ in cells)
    table = Table(title="T" * 5_000, columns=columns, rows=(cells,) * 5_000, totals=cells)
    pdf = details_pdf(
        Details(title="x" * 5_000, issuer="\x00", dated_on=date(2026, 1, 1), tables=(table,) * 3), language="nl"
    )
    assert len(opened(pdf).pages) < 400
    first = " ".join(opened(pdf).pages[0].extract_text().split())
    assert "rijen staan niet in dit beeld" in first
    assert "bestand bevat alles." in first


@pytest.mark.parametrize("columns", [4, 10])
def test_long_amounts_stay_on_the_paper(columns: int) -> None:
    amount = Decimal("-12345678901234567890.12")
    titles = (Column(title="Nr."), *(Column(title="Bedrag", kind="amount") for _ in range(columns)))
    table = Table(title="", columns=titles, rows=(("1", *[amount] * columns),))
    page = opened(details_pdf(Details(title="", issuer="", dated_on=date(2026, 1, 1), tables=(table,)))).pages[0]
    right: list[float] = []
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: right.append(tm[4] * cm[0] + cm[4]))
    assert max(right) < float(page.mediabox.width) - 50
    assert page.extract_text().count("-12.345.678.901.234.567.890,12") == columns


def test_csv_is_what_a_spreadsheet_of_the_language_reads() -> None:
    assert table_csv(BY_RATE, "nl").decode("utf-8-sig").splitlines() == [
        "Tarief;Maatstaf;Btw;Opmerking",
        "21;1000,5;210,11;bar",
        "6;-20;-1,2;",
        "Totaal;980,50;208,91;",
    ]
    assert table_csv(BY_RATE, "en").decode("utf-8-sig").splitlines()[1] == "21,1000.5,210.11,bar"
    assert table_csv(TICKETS, "fr").decode("utf-8-sig").splitlines()[1] == "1;2026-03-14;1"


def test_csv_has_every_row_and_calculates_nothing() -> None:
    rows = tuple((text,) for text in ("=cmd|'/c calc'!A0", "+1", "-1", "@x", '"quoted";', "a\r\nb", "\ud800")) * 1_000
    written = table_csv(Table(title="", columns=(Column(title="=T"),), rows=rows))
    read = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(read) == 7_001
    assert [row[0] for row in read[:8]] == ["'=T", "'=cmd|'/c calc'!A0", "'+1", "'-1", "'@x", '"quoted";', "a b", "?"]


def test_a_row_without_a_cell_for_each_column_is_refused() -> None:
    for rows, totals in ((((1, 2),), None), ((), ("x", "y"))):
        with pytest.raises(ValueError, match="a cell for each column"):
            Table(title="", columns=(Column(title="a"),), rows=rows, totals=totals)

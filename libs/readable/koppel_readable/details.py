"""Tables that explain a document, such as a day of receipts (R130): as a PDF, and each as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from .bounds import Content
from .formats import format_amount, format_date, format_number, format_percent
from .labels import Language, label

Cell = str | int | Decimal | date | None
"""A value as it is; how it looks follows from its column and the language."""
Kind = Literal["text", "amount", "number", "percent", "date"]
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a text may begin with that a spreadsheet would calculate."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under columns; every row, and the totals, has a cell for each column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[Cell, ...] | None = None
    """Under the rows; None where there is nothing to add up. The caller adds up: what is shown is what was handed over."""

    def __post_init__(self) -> None:
        if not self.columns or any(len(row) != len(self.columns) for row in (*self.rows, self.totals or self.columns)):
            raise ValueError("Give every row, and the totals, a cell for each column.")


@dataclass(frozen=True, kw_only=True)
class Details:
    """What stands on the pages beside the tables."""

    title: str
    """Such as «Dagontvangsten 14 maart 2026»; in the language of the pages, as are the titles of tables and columns."""
    issuer: str
    """Whose receipts they are."""
    dated_on: date
    """The date that the PDF bears."""
    tables: tuple[Table, ...]
    facts: tuple[tuple[str, str], ...] = ()
    """Labels and values under the title: the till, the period, the currency."""


def details_content(details: Details, language: Language) -> Content:
    """Return what the pages show."""
    return {
        "language": language,
        "title": f"{details.title} – {details.issuer}",
        "author": details.issuer,
        "source": label("made_by", language),
        "labels": {name: label(name, language) for name in ("page", "of_pages")},
        "heading": details.title,
        "issuer": details.issuer,
        "facts": [{"label": name, "value": value} for name, value in details.facts],
        "tables": [_table(one, language) for one in details.tables],
    }


def table_csv(table: Table, language: Language = "nl") -> bytes:
    """Return every row of a table as CSV that a spreadsheet of that language opens as it is meant.

    UTF-8 with a byte order mark; semicolons and decimal commas in Dutch and French, commas and decimal points in English;
    dates as ``2026-03-14``; amounts without marks between thousands. A text that a spreadsheet would calculate gets an
    apostrophe in front.
    """
    written = io.StringIO()
    writer = csv.writer(written, delimiter="," if language == "en" else ";", lineterminator="\r\n")
    writer.writerow([_plain(column.title, language) for column in table.columns])
    for row in (*table.rows, *([table.totals] if table.totals else [])):
        writer.writerow([_plain(cell, language) for cell in row])
    return written.getvalue().encode("utf-8-sig", "replace")


def _table(table: Table, language: Language) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": [
            {"title": column.title, "is_text": column.kind == "text", "is_number": column.kind not in ("text", "date")}
            for column in table.columns
        ],
        "totals": _row(table.totals, table.columns, language) if table.totals else [],
        "rows": [_row(row, table.columns, language) for row in table.rows],
    }


def _row(cells: Sequence[Cell], columns: Sequence[Column], language: Language) -> list[str]:
    return [_shown(cell, column.kind, language) for cell, column in zip(cells, columns, strict=True)]


def _shown(cell: Cell, kind: Kind, language: Language) -> str:
    if isinstance(cell, date):
        return format_date(cell, language)
    if isinstance(cell, Decimal | int):
        value = Decimal(cell)
        return {"amount": format_amount, "percent": format_percent}.get(kind, format_number)(value, language)
    return cell or ""


def _plain(cell: Cell, language: Language) -> str:
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return text if language == "en" else text.replace(".", ",")
    if isinstance(cell, int):
        return str(cell)
    text = " ".join((cell or "").replace("\0", "").split())
    return f"'{text}" if text.startswith(_FORMULA) else text

"""The overview of a period: its documents and the VAT by rate, as tables, and the text of the mail. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import koppel_readable
from billmail.attaching import File
from billmail.readable import page_language
from billmail.texts import PeriodTexts, texts
from koppel_bookkeeping import SIDES, Document
from koppel_bookkeeping.sides import CREDIT_NOTES
from koppel_connector.mail.message import one_line
from koppel_readable import Cell, Column, Details, Table

REMARK_LINES_MAX = 40
REMARK_LENGTH_MAX = 500


@dataclass(frozen=True)
class Period:
    """What an office asked for."""

    from_on: date
    to_on: date
    dossier_name: str
    dossier_number: str
    remarks: str
    open_count: int
    """Documents of the period that wait for something and do not go along."""

    @property
    def days(self) -> str:
        """The period as people write it."""
        return f"{self.from_on:%d/%m/%Y} – {self.to_on:%d/%m/%Y}"


def files_of(period: Period, documents: Sequence[Document], language: str) -> tuple[File, ...]:
    """Return the overview as a page for people, and its tables for a spreadsheet. Takes up to seconds."""
    words, language_of_page = texts(language).period, page_language(language)
    tables = documents_table(documents, language), vat_table(documents, language)
    details = Details(
        title=f"{words.overview} {period.days}",
        issuer=period.dossier_name,
        dated_on=period.to_on,
        tables=tables,
        facts=((words.count, str(len(documents))), (words.open, str(period.open_count))),
    )
    return (
        File(f"{words.file_name}.pdf", koppel_readable.details_pdf(details, language=language_of_page)),
        File(f"{words.file_name}-documents.csv", koppel_readable.table_csv(tables[0], language_of_page)),
        File(f"{words.file_name}-vat.csv", koppel_readable.table_csv(tables[1], language_of_page)),
    )


def documents_table(documents: Sequence[Document], language: str) -> Table:
    """Return a row for each document, with its total as it counts: a credit note's is negative."""
    words, kinds = texts(language), texts(language).kinds
    rows: list[tuple[Cell, ...]] = [
        (
            each.issue_date,
            kinds[each.kind],
            each.number,
            each.counterparty.name if each.counterparty else None,
            _sign(each) * each.total.amount if each.total else None,
            each.currency,
        )
        for each in documents
    ]
    columns = (
        Column(title=words.date, kind="date"),
        Column(title=words.document),
        Column(title=words.period.number),
        Column(title=words.party),
        Column(title=words.total, kind="amount"),
        Column(title=words.period.currency),
    )
    return Table(title=words.period.documents, columns=columns, rows=tuple(rows))


def vat_table(documents: Sequence[Document], language: str) -> Table:
    """Return what is taxed and its VAT, by side, currency, category and rate; credit notes are taken off."""
    words = texts(language).period
    found: dict[tuple[str, str, str, Decimal | None], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for document in documents:
        side = words.sides.get(SIDES[document.kind]) if document.kind in SIDES else None
        for group in document.vat if side is not None else ():
            sums = found[side or "", document.currency or "", group.category, group.rate]
            sums[0] += _sign(document) * group.base
            sums[1] += _sign(document) * group.tax
    ordered = sorted(found.items(), key=lambda each: (*each[0][:3], each[0][3] or Decimal(-1)))
    columns = (
        Column(title=words.side),
        Column(title=words.currency),
        Column(title=words.category),
        Column(title=words.rate, kind="percent"),
        Column(title=words.base, kind="amount"),
        Column(title=words.tax, kind="amount"),
    )
    rows = tuple((side, currency, category, rate, *sums) for (side, currency, category, rate), sums in ordered)
    return Table(title=words.vat, columns=columns, rows=rows)


def text_of(period: Period, count: int, *, with_documents: bool, language: str) -> str:
    """Return the text of the mail: what is attached, or that all is in; the entrepreneur's remarks beneath."""
    words = texts(language).period
    said = (words.attached if with_documents else words.complete).format(days=period.days, count=count)
    waiting = [words.still_open.format(count=period.open_count)] if period.open_count else []
    remarks = [one_line(line, REMARK_LENGTH_MAX) for line in period.remarks.splitlines()[:REMARK_LINES_MAX]]
    dossier = one_line(f"{texts(language).dossier}: {period.dossier_name} ({period.dossier_number})", REMARK_LENGTH_MAX)
    parts = [said, *waiting, "", *([words.remarks, *remarks, ""] if any(remarks) else []), dossier, ""]
    return "\n".join(parts)


def subject_of(period: Period, words: PeriodTexts, *, part: int, is_last: bool, with_documents: bool) -> str:
    """Return the subject; a mail that is not alone says which it is."""
    what = words.documents if with_documents else words.complete_subject
    place = "" if part == 1 and is_last else f" ({words.part} {part}{words.last if is_last else ''})"
    return f"{what} {period.days} – {period.dossier_name}{place}"


def _sign(document: Document) -> int:
    return -1 if document.kind in CREDIT_NOTES else 1

"""What an invoice of receipts is made of, for who checks it: every line of every day, as PDF and as CSV (R130). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from koppel_readable import Column, Details, Table, details_pdf, table_csv
from koppel_receipts import split_vat
from koppel_ubl import Attachment
from koppel_ubl.model import Period

from .invoice import ZERO, Taking
from .texts import Texts


@dataclass(frozen=True)
class DayEntry:
    """An entry of the book: its day, and its content as it is sealed."""

    on: date
    seq: int
    content: Mapping[str, Any]


def attachments_of(
    number: str,
    period: Period,
    issuer: str,
    book_name: str,
    entries: Sequence[DayEntry],
    takings: Sequence[Taking],
    texts: Texts,
) -> tuple[Attachment, ...]:
    """Return the detail of a period as the invoice embeds it. Takes processor time: call it in a thread."""
    days = _days(entries, texts)
    details = Details(
        title=texts.detail,
        issuer=issuer,
        dated_on=period.end or date.min,
        tables=(_totals(takings, texts), days, _payments(entries, texts)),
        facts=(
            (texts.invoice, number),
            (texts.receipts, book_name),
            (texts.period, f"{period.start:%d.%m.%Y} - {period.end:%d.%m.%Y}"),
        ),
    )
    stem = f"detail-{period.start:%Y%m%d}-{period.end:%Y%m%d}"
    return (
        Attachment(
            id=f"{stem}.pdf",
            description=texts.detail,
            media_type="application/pdf",
            file_name=f"{stem}.pdf",
            content=details_pdf(details, language=texts.language),
        ),
        Attachment(
            id=f"{stem}.csv",
            description=texts.detail,
            media_type="text/csv",
            file_name=f"{stem}.csv",
            content=table_csv(days, texts.language),
        ),
    )


def _days(entries: Iterable[DayEntry], texts: Texts) -> Table:
    rows = [
        (
            entry.on,
            entry.seq,
            texts.kinds.get(line["kind"], line["kind"]),
            _day(line.get("corrects_date")),
            f"{Decimal(line['vat_rate']).normalize():f}" if Decimal(line["vat_rate"]) else line["vat_category"],
            Decimal(line["amount"]),
            line.get("description") or "",
        )
        for entry in entries
        for line in entry.content["lines"]
    ]
    total = sum((row[5] for row in rows), ZERO)
    return Table(
        title=texts.days,
        columns=(
            Column(title=texts.day, kind="date"),
            Column(title="#", kind="number"),
            Column(title=texts.entry),
            Column(title=texts.concerns, kind="date"),
            Column(title=texts.vat),
            Column(title=texts.amount, kind="amount"),
            Column(title=texts.remark),
        ),
        rows=tuple(rows),
        totals=(texts.total, None, None, None, None, total, None),
    )


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None


def _totals(takings: Iterable[Taking], texts: Texts) -> Table:
    rows = []
    for one in takings:
        parts = split_vat(one.amount, one.rate)
        rows.append((texts.line(one.category, one.rate), parts.base, parts.vat, one.amount))
    return Table(
        title=texts.totals,
        columns=(
            Column(title=texts.vat),
            *(Column(title=name, kind="amount") for name in (texts.base, texts.tax, texts.amount)),
        ),
        rows=tuple(rows),
        totals=(texts.total, *(sum((row[place] for row in rows), ZERO) for place in (1, 2, 3))),
    )


def _payments(entries: Iterable[DayEntry], texts: Texts) -> Table:
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for payment in entry.content["payments"] or ():
            paid[payment["method"]] += Decimal(payment["amount"])
    return Table(
        title=texts.payments,
        columns=(Column(title=texts.method), Column(title=texts.amount, kind="amount")),
        rows=tuple(sorted(paid.items())),
        totals=(texts.total, sum(paid.values(), ZERO)),
    )

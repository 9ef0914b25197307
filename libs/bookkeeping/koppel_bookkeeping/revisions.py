"""What changed in a document since a revision of it was sent, in words for the person who decides what becomes of the new one."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from .amounts import plain
from .document import Document

NOTHING = "–"
LINES_MAX = 200
"""Of a longer document the totals say that something changed; the summary is kept with each delivery."""


def summary_of(document: Document) -> dict[str, str]:
    """Return what a person compares of a document, by its name: head, VAT by category and rate, lines and files, as text."""
    # A NUL is nothing that a person compares, and PostgreSQL keeps none.
    return {name: str(value).replace("\0", "") for name, value in _parts(document) if value not in (None, "")}


def changes(sent: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return what differs between two summaries, such as ``total: 121.00 EUR → 242.00 EUR``; what is new or gone has a dash."""
    return [
        f"{name}: {sent.get(name, NOTHING)} → {now.get(name, NOTHING)}"
        for name in dict.fromkeys([*sent, *now])
        if sent.get(name) != now.get(name)
    ]


def _parts(document: Document) -> Iterator[tuple[str, object]]:
    yield "kind", document.kind.value
    yield "number", document.number
    yield "issue date", document.issue_date
    yield "due date", document.due_date
    if document.total is not None:
        yield "total", f"{plain(document.total.amount)} {document.total.currency}"
    if document.counterparty is not None:
        yield "counterparty", document.counterparty.name
        yield "VAT number", document.counterparty.vat_number or document.counterparty.enterprise_number
    yield "journal", document.journal
    yield "ledger account", document.ledger_account
    for vat in document.vat:
        yield f"VAT {vat.category} {_rate(vat.rate)}".strip(), f"{plain(vat.tax)} on {plain(vat.base)}"
    for line in document.lines[:LINES_MAX]:
        net = NOTHING if line.net is None else plain(line.net)
        vat_of_line = f"{line.vat_category or NOTHING} {_rate(line.vat_rate)}".strip()
        account = f" on {line.ledger_account}" if line.ledger_account else ""
        yield f"line {line.id}", f"{net} at {vat_of_line}{account} ({line.description or NOTHING})"
    for file in document.content:
        # People see that a file is another one, and look at both; its hash says nothing to them, and proves it.
        yield f"file {file.role}", file.sha256[:12]


def _rate(rate: Decimal | None) -> str:
    return "" if rate is None else f"{plain(rate)} %"

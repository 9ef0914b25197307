"""Readable PDFs of electronic invoices, and of the tables that explain them: PDF/A-3 with the original inside, in nl, fr and en.

```python
pdf = koppel_readable.readable_pdf(koppel_ubl.read(data), language="nl", ubl=data)
pdf = koppel_readable.details_pdf(Details(title="Dagontvangsten", ...), language="nl")
```

Values in, bytes out: no network, no state, the same bytes for the same input. Both take processor time (some 20 ms for an
invoice, up to seconds for the longest): a service calls them in a thread, in which they let other threads run.
"""

from koppel_ubl import Document

from .details import Cell, Column, Details, Table, details_content, table_csv
from .fonts import font_set
from .invoice import invoice_content, original_name
from .labels import LANGUAGES, Language
from .typesetting import typeset

__all__ = [
    "LANGUAGES",
    "Cell",
    "Column",
    "Details",
    "Language",
    "Table",
    "details_pdf",
    "original_name",
    "prepare",
    "readable_pdf",
    "table_csv",
]


def readable_pdf(document: Document, *, language: Language = "nl", ubl: bytes | None = None) -> bytes:
    """Return a PDF/A-3 that shows an invoice or credit note, whatever it holds.

    Args:
        document: as ``koppel_ubl.read`` returns it; amounts are shown as written, whether they add up or not.
        language: of our words, dates and numbers; the document's own texts stay as they are.
        ubl: what the document was read from: embedded as it is, as the source of the page, under ``original_name``.

    At most 2,000 lines and 300,000 characters are shown; the first page says how much is missing.
    """
    content = invoice_content(document, language, has_original=ubl is not None)
    return typeset(
        "invoice.typ",
        content,
        language=language,
        whole_in="whole_in_original",
        dated_on=document.issue_date,
        original=ubl,
    )


def details_pdf(details: Details, *, language: Language = "nl") -> bytes:
    """Return a PDF/A-3 with tables; within the same bounds as ``readable_pdf``, ``table_csv`` has every row."""
    content = details_content(details, language)
    return typeset("details.typ", content, language=language, whole_in="whole_in_csv", dated_on=details.dated_on)


def prepare() -> None:
    """Load the fonts, which the first PDF of a process does else: a tenth of a second."""
    font_set()

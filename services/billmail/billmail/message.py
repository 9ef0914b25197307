"""What the mail of one document says. Pure."""

from decimal import Decimal
from typing import Final

from koppel_bookkeeping import Document
from koppel_connector.mail.message import one_line

from .texts import texts

LINE_LENGTH_MAX: Final = 200


def subject_of(document: Document, tag: str, language: str) -> str:
    """Return ``[INK] Purchase invoice 2026-001 – Supplier``."""
    party = document.counterparty.name if document.counterparty else None
    named = " ".join(filter(None, (texts(language).kinds[document.kind], document.number)))
    return " ".join(filter(None, (tag, " – ".join(filter(None, (named, party))))))


def text_of(document: Document, dossier_name: str, dossier_number: str, language: str) -> str:
    """Return the text of a document's mail; whoever reads the attachment needs none of it."""
    words = texts(language)
    party = document.counterparty.name if document.counterparty else None
    fields = {
        words.document: " ".join(filter(None, (words.kinds[document.kind], document.number))),
        words.date: f"{document.issue_date:%d/%m/%Y}" if document.issue_date else None,
        words.party: party,
        words.total: f"{_amount(document.total.amount)} {document.total.currency}" if document.total else None,
        words.dossier: f"{dossier_name} ({dossier_number})",
    }
    lines = [one_line(f"{name}: {value}", LINE_LENGTH_MAX) for name, value in fields.items() if value]
    return "\n".join([words.attached, "", *lines, ""])


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")

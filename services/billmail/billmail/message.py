"""One document as a mail. Pure: values in, a message out.

What comes from documents and settings reaches headers only by ``EmailMessage``, cleaned of whatever could end a line or turn
the direction of a text.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from koppel_bookkeeping import Document

from .attaching import MEDIA_TYPES, File
from .texts import texts

SUBJECT_LENGTH_MAX: Final = 150
NAME_LENGTH_MAX: Final = 60
LINE_LENGTH_MAX: Final = 200


@dataclass(frozen=True)
class Envelope:
    """Who a mail is from and for, and by what it is known."""

    message_id: str
    """Without angle brackets."""
    sender: str
    """Of the header ``From``."""
    sender_name: str
    recipient: str
    sent_at: datetime


def compose(envelope: Envelope, subject: str, text: str, files: tuple[File, ...]) -> EmailMessage:
    """Return a message with its attachments."""
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = f"<{envelope.message_id}>"
    message["Date"] = envelope.sent_at
    local, _, domain = envelope.sender.rpartition("@")
    message["From"] = Address(one_line(envelope.sender_name, NAME_LENGTH_MAX), local, domain)
    message["To"] = envelope.recipient
    message["Subject"] = one_line(subject, SUBJECT_LENGTH_MAX)
    # No machine answers a machine (RFC 3834 §5); Exchange goes by a header of its own.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message.set_content(text)
    for file in files:
        maintype, subtype = MEDIA_TYPES[file.ending]
        message.add_attachment(file.content, maintype=maintype, subtype=subtype, filename=file.name)
    return message


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


def one_line(text: str, length_max: int) -> str:
    """Return a text without line breaks, control characters and signs that turn its direction, cut at ``length_max``."""
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") else each for each in text)
    return re.sub(r"\s+", " ", plain).strip()[:length_max].rstrip()


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")

"""A mail with attachments. Pure: values in, a message out.

What comes from documents and settings reaches headers only by ``EmailMessage``, cleaned of whatever could end a line or turn
the direction of a text.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Protocol

SUBJECT_LENGTH_MAX: Final = 150
NAME_LENGTH_MAX: Final = 60


class Attachment(Protocol):
    """One file of a mail."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def content(self) -> bytes: ...  # noqa: D102

    @property
    def media_type(self) -> str: ...  # noqa: D102


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


def compose(envelope: Envelope, subject: str, text: str, files: Iterable[Attachment]) -> EmailMessage:
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
        maintype, _, subtype = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=maintype, subtype=subtype, filename=file.name)
    return message


def one_line(text: str, length_max: int) -> str:
    """Return a text without line breaks, control characters and signs that turn its direction, cut at ``length_max``."""
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") else each for each in text)
    return re.sub(r"\s+", " ", plain).strip()[:length_max].rstrip()

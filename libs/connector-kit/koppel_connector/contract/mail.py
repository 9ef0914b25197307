"""What goes to a vendor by mail, and what its server replies. What goes by HTTP stands in ``calls`` and ``answers``."""

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

from pydantic import SecretStr

from .errors import ConnectorError, OutcomeUnknown, ReauthorisationRequired, Rejected, RetryLater
from .problems import Problem

MailStep = Literal["connect", "envelope", "content"]
"""How far a message came: greeting and login, its sender and recipients, the content up to its final dot."""
_SEVEN_BIT = SMTP.clone(cte_type="7bit")
_ADDRESS = re.compile(r"""[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9.\-\[\]:]{1,255}""", re.IGNORECASE | re.ASCII)
"""RFC 5321 §4.1.2, with the lengths of RFC 5321 §4.5.3.1 and without quoted local parts: nothing in it can end its command."""
_HEADERS_LOGGED = ("Message-ID", "Subject")


@dataclass(frozen=True)
class MailServer:
    """Where messages are handed in."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))


@dataclass(frozen=True)
class MailCall:
    """A message to hand in; built by a connector, made by ``Vendor.send_mail``. It always acts.

    Give the message a ``Message-ID`` made of the delivery's reference: a receiver that drops repeats knows them by it.

    Raises:
        ValueError: there is no recipient, or an address that a command cannot hold: line breaks, blanks, not ASCII.
    """

    operation: str
    """What the sync log and the windows call it."""
    message: EmailMessage
    sender: str
    """Of the envelope: where bounces go."""
    recipients: tuple[str, ...]
    """Of the envelope: all of them get it, or none."""
    _: KW_ONLY
    endpoint: str = ""
    """By what the error budget counts it; by its operation when not given."""
    is_counted: bool = True
    """False for what no window counts."""
    sign: Callable[[bytes], bytes] | None = None
    """Takes the message as it is handed in; returns header lines to put before it, such as a DKIM signature."""

    def __post_init__(self) -> None:
        """Check the envelope."""
        if not self.recipients:
            raise ValueError("a message without recipients")
        for address in (self.sender, *self.recipients):
            if _ADDRESS.fullmatch(address) is None:
                raise ValueError(f"{address!r} is not an address that a mail server takes")

    def content(self) -> bytes:
        """Return the message as it is handed in: lines end with CRLF, every byte is ASCII.

        Raises:
            ValueError: a header holds a line break, or a byte of the message cannot be written as ASCII.
        """
        for name, value in self.message.items():
            if re.search(r"[\r\n]", f"{name}{value}"):
                raise ValueError(f"the header {name!r} holds a line break")
        content = self.message.as_bytes(policy=_SEVEN_BIT)
        if not content.isascii():
            raise ValueError("the message is not ASCII")
        return content if self.sign is None else self.sign(content) + content

    @property
    def summary(self) -> str:
        """What the sync log keeps of it: who gets what, not its text and not its files."""
        logged = [f"{name}: {self.message[name]}" for name in _HEADERS_LOGGED if name in self.message]
        return "\n".join([f"MAIL {self.sender} → {', '.join(self.recipients)}", *logged])


@dataclass(frozen=True)
class MailReply:
    """The reply of the mail server that decided: complete, within the deadline."""

    code: int
    """Three digits (RFC 5321 §4.2.1): 2yz yes, 4yz not now, 5yz no."""
    text: str
    step: MailStep
    """What it replied to."""
    operation: str


def classify_by_mail_code(reply: MailReply) -> ConnectorError | None:
    """Classify by the code alone (RFC 5321 §4.2.1): 250 to the content is a yes, 4yz and 5yz are definite, whatever the step."""
    detail = f"{reply.code} {reply.text}"[:300]
    if reply.step == "content" and reply.code == 250:
        return None
    if reply.step == "connect" and reply.code in (530, 534, 535, 538):
        # RFC 4954 §6: the credentials are missing, too weak, wrong, or need TLS.
        return ReauthorisationRequired(Problem("reauthorise", detail))
    if 400 <= reply.code < 500:
        return RetryLater(problem=Problem("vendor_unavailable", detail))
    if reply.step == "connect":
        # 554 to the greeting, 521: about the server or about us, not about this message (RFC 5321 §3.1).
        return RetryLater(problem=Problem("vendor_unavailable", detail))
    if 500 <= reply.code < 600:
        return Rejected(Problem("rejected_by_vendor", detail))
    if reply.step == "content":
        return OutcomeUnknown(detail)
    return RetryLater(problem=Problem("vendor_unavailable", detail))

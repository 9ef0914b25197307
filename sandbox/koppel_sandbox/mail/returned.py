"""What comes back: a delivery status (RFC 3464), a bounce as no standard describes it, a holiday notice (RFC 3834)."""

import base64
import email
import email.policy
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid

HOST_NAME = "mail.sandbox.example"
_BOUNDARY = "koppel-sandbox-report"
Writer = Callable[[str, str, bytes], bytes]
"""Takes the sender of the envelope, the address that failed, and the mail; returns what comes back."""


def delivery_status(sender: str, recipient: str, content: bytes) -> bytes:
    """Return a report as Postfix writes it: a text for people, the status for machines, the headers of the mail."""
    report = _mail_to(sender, "Undelivered Mail Returned to Sender", "MAILER-DAEMON")
    said = f"Your message to <{recipient}> could not be delivered.\r\n".encode()
    return _reported(
        report,
        b"Content-Type: text/plain\r\n\r\n" + said,
        _status(f"rfc822; {recipient}", "5.1.1", "smtp; 550 5.1.1 no such mailbox"),
        b"Content-Type: text/rfc822-headers\r\n\r\n" + content.partition(b"\r\n\r\n")[0] + b"\r\n",
    )


def exchange_report(sender: str, recipient: str, content: bytes) -> bytes:
    """Return a report as Exchange writes it: from the postmaster, its words in base64, and the mail itself as the last part."""
    report = _mail_to(sender, f"Undeliverable: {_headers_of(content)['Subject']}", f"postmaster@{HOST_NAME}")
    said = base64.encodebytes(f"<p>Delivery has failed to {recipient}</p>".encode()).replace(b"\n", b"\r\n")
    return _reported(
        report,
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + said,
        _status(f"rfc822;{recipient}", "5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found"),
        b"Content-Type: message/rfc822\r\n\r\n" + content + b"\r\n",
    )


def plain_bounce(sender: str, recipient: str, content: bytes) -> bytes:
    """Return a text that only people read, as old servers send it: it names the mail in its References alone."""
    bounce = _mail_to(sender, f"Mail delivery failed: {recipient}", "Mail Delivery System")
    bounce["References"] = str(_headers_of(content)["Message-ID"])
    bounce.set_content(f"This is an automatic notice.\n\n  {recipient}\n    mailbox unavailable\n")
    return bounce.as_bytes()


def out_of_office(sender: str, recipient: str, content: bytes) -> bytes:
    """Return a holiday notice: the mail has arrived, and a person is away."""
    notice = _mail_to(sender, "Afwezig: tot 4 januari", recipient)
    notice["Auto-Submitted"] = "auto-replied"
    notice["In-Reply-To"] = str(_headers_of(content)["Message-ID"])
    notice.set_content("Ik ben er niet tot 4 januari. Uw mail wordt niet doorgestuurd.\n")
    return notice.as_bytes()


WRITERS: Mapping[str, Writer] = {
    "bounce": delivery_status,
    "exchange_report": exchange_report,
    "plain_bounce": plain_bounce,
    "out_of_office": out_of_office,
}


def _reported(report: EmailMessage, *parts: bytes) -> bytes:
    """Return a multipart/report (RFC 6522) of these parts, each with its headers."""
    report["Auto-Submitted"] = "auto-replied"
    report["MIME-Version"] = "1.0"
    head = report.as_bytes().rstrip(b"\r\n") + b'\r\nContent-Type: multipart/report; report-type="delivery-status";'
    mark = f"--{_BOUNDARY}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    return head + f'\r\n boundary="{_BOUNDARY}"\r\n\r\n'.encode() + body + mark + b"--\r\n"


def _status(recipient: str, status: str, said: str) -> bytes:
    """Return the part for machines (RFC 3464 §2): of the server, then of the address that failed."""
    return (
        b"Content-Type: message/delivery-status\r\n\r\n"
        + f"Reporting-MTA: dns; {HOST_NAME}\r\n\r\nFinal-Recipient: {recipient}\r\nAction: failed\r\n".encode()
        + f"Status: {status}\r\nDiagnostic-Code: {said}\r\n".encode()
    )


def _headers_of(content: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=email.policy.SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed


def _mail_to(recipient: str, subject: str, sender: str) -> EmailMessage:
    made = EmailMessage(policy=email.policy.SMTP)
    made["Message-ID"] = make_msgid(domain=HOST_NAME)
    made["Date"] = format_datetime(localtime())
    made["From"] = sender if "@" in sender else f"{sender} <MAILER-DAEMON@{HOST_NAME}>"
    made["To"] = recipient
    made["Subject"] = subject
    return made

"""A mail of a service's own, such as a warning to a partner: written, signed and handed in, outside any delivery."""

from functools import partial

from koppel_connector.calls import smtp
from koppel_connector.contract import MailCall, MailReply
from koppel_mesh.clock import utc_now

from .addresses import domain_of
from .message import Envelope, compose
from .settings import MailServerSettings

SENDER_NAME = "Koppel"


async def hand_in(
    settings: MailServerSettings, reference: str, recipient: str, subject: str, text: str, *, deadline_s: float
) -> MailReply:
    """Hand a mail without files to the mail server; return its reply, which may be a refusal.

    Args:
        settings: name the server, the sender and the key.
        reference: its Message-ID is made of it, so that a mail that is sent twice can be known.
        recipient: one address.
        subject: one line.
        text: plain.
        deadline_s: for everything, from the connection to the reply.

    Raises:
        NotSent: the server cannot have taken it.
        Unanswered: it may have.
        ValueError: there is no mail server.
    """
    if settings.mail_server is None:
        raise ValueError("KOPPEL_SMTP_URL is not set")
    domain = domain_of(settings.mail_from)
    envelope = Envelope(f"{reference}@{domain}", settings.mail_from, SENDER_NAME, recipient, utc_now())
    sign = partial(settings.dkim_signer.sign, domain) if settings.dkim_signer is not None else None
    call = MailCall("mail", compose(envelope, subject, text, ()), settings.mail_from, (recipient,), sign=sign)
    return await smtp.hand_in(settings.mail_server, call, call.content(), deadline_s)

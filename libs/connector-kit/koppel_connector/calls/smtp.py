"""Hands a message to a mail server by SMTP (RFC 5321), and says where it ended.

Until the content is handed over, whatever fails cannot have acted: ``NotSent``. A server that replies after the final dot
gives a definite yes or no. A connection that is lost then, or a reply that never comes, may have acted: ``Unanswered``
(messaging §3.8).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import aiosmtplib

from koppel_connector.contract.mail import MailCall, MailReply, MailServer, MailStep
from koppel_mesh.http.client import NotSent, Unanswered

QUIT_S = 1.0
"""How long to wait for the server's reply to QUIT, once it has decided."""


async def hand_in(
    server: MailServer,
    call: MailCall,
    content: bytes,
    deadline_s: float,
    before_content: Callable[[], None] = lambda: None,
) -> MailReply:
    """Hand one message to a mail server, for all of its recipients or for none.

    Args:
        server: where to.
        call: its envelope.
        content: ``call.content()``.
        deadline_s: for everything, from the connection to the reply; nothing leaves afterwards.
        before_content: called when the server has taken the envelope; the content stays here when it raises, and what it raises
            comes out.

    Raises:
        NotSent: the server cannot have taken it.
        Unanswered: it may have.
    """
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username or None,
        password=server.password.get_secret_value() or None,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        timeout=deadline_s,
    )
    dialogue = _Dialogue(client, call, content, before_content)
    try:
        async with asyncio.timeout(deadline_s):
            reply = await dialogue.run()
        await _quit(client)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        reason = repr(error) if str(error) else f"no reply within {deadline_s} s"
        if dialogue.step == "content":
            raise Unanswered(reason) from error
        raise NotSent(reason) from error
    finally:
        if client.transport is not None:
            # Not ``close``: that would go on writing what is left of the content, after the deadline.
            cast("asyncio.WriteTransport", client.transport).abort()
    return reply


class _Dialogue:
    """The steps of one message; ``step`` is the one under way."""

    def __init__(
        self, client: aiosmtplib.SMTP, call: MailCall, content: bytes, before_content: Callable[[], None]
    ) -> None:
        self._client = client
        self._call = call
        self._content = content
        self._before_content = before_content
        self.step: MailStep = "connect"

    async def run(self) -> MailReply:
        try:
            reply = await self._to_the_end()
        except aiosmtplib.SMTPResponseException as refusal:
            if self.step == "content" and refusal.code == aiosmtplib.SMTPStatus.completed:
                # To DATA, which must be answered 354: whatever this server does, it has not read the content yet.
                raise Unanswered(f"{refusal.code} {refusal.message} to DATA") from refusal
            if not 200 <= refusal.code < 600:
                raise aiosmtplib.SMTPException(refusal.message) from refusal  # no reply in the sense of RFC 5321 §4.2.1
            return MailReply(refusal.code, refusal.message, self.step, self._call.operation)
        return MailReply(reply.code, reply.message, self.step, self._call.operation)

    async def _to_the_end(self) -> aiosmtplib.SMTPResponse:
        await self._client.connect()
        self.step = "envelope"
        await self._client.mail(self._call.sender)
        for recipient in self._call.recipients:
            # One that is refused ends it: a message that only some got could neither be sent again nor be left.
            await self._client.rcpt(recipient)
        self._before_content()
        # The library sends DATA and the content as one step: a connection that is lost between the two counts as lost
        # afterwards.
        self.step = "content"
        return await self._client.data(self._content)


async def _quit(client: aiosmtplib.SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        if client.is_connected:
            await client.quit(timeout=QUIT_S)

"""The mailbox of bounces, read by IMAP (RFC 3501) with the standard library, in a thread.

A mail is marked as seen once what it says is stored; one that is fetched again after a crash is a repeat without effect. Several
services may share a mailbox: what carries an address of this kind that is none of ours is left to the others.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import structlog

from koppel_connector.contract import Notice
from koppel_connector.extension import Kit
from koppel_connector.notices import accept_notice
from koppel_mesh.clock import utc_now
from koppel_mesh.service import Context, Loop

from . import bounces
from .settings import Mailbox, MailSettings

INTERVAL_S: Final = 60.0
BATCH: Final = 50
SIZE_BYTES_MAX: Final = 1_000_000
"""What of a mail is read: its headers and the status come first."""
DEADLINE_S: Final = 20.0
ADDRESS: Final = "mailbox"
"""Of the notices: what the envelope's sender names is a delivery, whatever connection it is of."""
log = structlog.get_logger(__name__)


async def read_mailbox(context: Context) -> bool:
    """Take what came back since the last look; True when there may be more."""
    settings, kit = context.settings, context.resources
    assert isinstance(settings, MailSettings) and isinstance(kit, Kit)
    mailbox = settings.mailbox
    if mailbox is None:
        return False
    try:
        fetched = await asyncio.to_thread(_fetch, mailbox, frozenset(kit.mails_of_others))
        ours = [uid for uid, content in fetched if await _is_read(kit, content, utc_now())]
        kit.mails_of_others |= {uid for uid, _ in fetched} - set(ours)
        if ours:
            await asyncio.to_thread(_mark, mailbox, ours)
    except (imaplib.IMAP4.error, OSError) as error:
        log.warning("the mailbox of bounces cannot be read", error=repr(error))
        return False
    return len(fetched) == BATCH


async def _is_read(kit: Kit, content: bytes, received_at: datetime) -> bool:
    """Take a mail; False where it may be another service's."""
    answer = bounces.read(content)
    connection_id = next((each.connection_id for each in answer.tagged if each.connection_id), None)
    address = str(connection_id) if connection_id else ADDRESS
    if await accept_notice(kit, Notice(address, {}, content, received_at)):
        return True
    log.info("a mail in the mailbox of bounces answers none of ours", kind=answer.kind)
    return not answer.tagged


def _fetch(mailbox: Mailbox, but: frozenset[str]) -> list[tuple[str, bytes]]:
    """Return the unseen mails ``but`` those, by UID and what it holds for (RFC 3501 §2.3.1.1)."""
    with _opened(mailbox) as box:
        _, (validity,) = box.response("UIDVALIDITY")
        _, (found,) = box.uid("SEARCH", "UNSEEN")
        unseen = {f"{(validity or b'').decode()}/{uid}": uid for uid in (found or b"").decode().split()}
        others = [(name, uid) for name, uid in unseen.items() if name not in but]
        fetched = [(name, _content(box, uid)) for name, uid in others[:BATCH]]
        return [(name, content) for name, content in fetched if content is not None]


def _content(box: imaplib.IMAP4, uid: str) -> bytes | None:
    """Return a mail; None where the server does not give it now, so that it is not taken for read."""
    _, data = box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{SIZE_BYTES_MAX}>)")
    return next((bytes(part[1]) for part in data if isinstance(part, tuple)), None)


def _mark(mailbox: Mailbox, uids: Sequence[str]) -> None:
    with _opened(mailbox) as box:
        numbers = ",".join(uid.rpartition("/")[2] for uid in uids)
        box.uid("STORE", numbers, "+FLAGS", "(\\Seen)")


@contextmanager
def _opened(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    trusted = ssl.create_default_context()
    box: imaplib.IMAP4
    if mailbox.security == "tls":
        box = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=trusted, timeout=DEADLINE_S)
    else:
        box = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=DEADLINE_S)
    with box:
        if mailbox.security == "starttls":
            box.starttls(trusted)
        box.login(mailbox.username, mailbox.password.get_secret_value())
        box.select("INBOX")
        yield box


LOOP: Final = Loop("mailbox", read_mailbox, INTERVAL_S)
"""Of a service that mails."""

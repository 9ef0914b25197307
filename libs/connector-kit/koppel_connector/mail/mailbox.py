"""The mailbox of bounces, read by IMAP (RFC 3501) with the standard library, in a thread.

A mail is marked as seen once what it says is stored; one that is fetched again after a crash is a repeat without effect. Several
services may share a mailbox: what carries an address of this kind that is none of ours is left to the others. A bounce that names
a delivery and proves nothing is flagged and stays unseen, for a person to judge.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Literal

import structlog

from koppel_connector.contract import Notice
from koppel_connector.extension import Kit
from koppel_connector.notices import accept_notice
from koppel_mesh.clock import utc_now
from koppel_mesh.service import Context, Loop
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import counter

from . import bounces
from .settings import Mailbox, MailSettings

INTERVAL_S: Final = 60.0
BATCH: Final = 50
SIZE_BYTES_MAX: Final = 1_000_000
"""What of a mail is read: its headers and the status come first."""
DEADLINE_S: Final = 20.0
ADDRESS: Final = "mailbox"
"""Of the notices whose envelope's sender names a delivery, whatever connection it is of, and no connection."""
Fate = Literal["\\Seen", "\\Flagged", "left"]
"""What becomes of a mail: a flag (RFC 3501 §2.3.2), or it is left to the services that share the mailbox."""
log = structlog.get_logger(__name__)
_unproven = counter(
    "koppel_bounces_unproven",
    "Bounces that name a delivery and carry no proof",
    alerts=[
        Alert(
            name="KoppelBounceUnproven",
            summary="{value} mails within a day are said to have come back, without proof",
            above=0,
            within="1d",
            lasts="0m",
            severity="ticket",
        )
    ],
)


async def read_mailbox(context: Context) -> bool:
    """Take what came back since the last look; True when there may be more."""
    settings, kit = context.settings, context.resources
    assert isinstance(settings, MailSettings) and isinstance(kit, Kit)
    mailbox = settings.mailbox
    if mailbox is None:
        return False
    _unproven.labels(service=kit.profile.name)  # Prometheus sees no increase up to a series' first value
    try:
        fetched = await asyncio.to_thread(_fetch, mailbox, frozenset(kit.mails_of_others))
        fates = {uid: await _fate(kit, content, utc_now()) for uid, content in fetched}
        kit.mails_of_others |= {uid for uid, fate in fates.items() if fate != "\\Seen"}
        if any(fate != "left" for fate in fates.values()):
            await asyncio.to_thread(_mark, mailbox, fates)
    except (imaplib.IMAP4.error, OSError) as error:
        log.warning("the mailbox of bounces cannot be read", error=repr(error))
        return False
    return len(fetched) == BATCH


async def _fate(kit: Kit, content: bytes, received_at: datetime) -> Fate:
    """Take a mail, and return what becomes of it."""
    answer = bounces.read(content)
    connection_id = next((each.connection_id for each in answer.tagged if each.connection_id), None)
    address = str(connection_id) if connection_id else ADDRESS
    if await accept_notice(kit, Notice(address, {}, content, received_at)):
        return "\\Seen"
    if answer.tagged:
        return "left"
    if answer.kind == "bounce" and answer.remote_ref is not None:
        # A server on the way may have written an envelope's sender of its own; so may a forger, and a Message-ID is no secret.
        _unproven.labels(service=kit.profile.name).inc()
        log.warning("a bounce names a delivery and proves nothing", remote_ref=answer.remote_ref, reason=answer.reason)
        return "\\Flagged"
    log.info("a mail in the mailbox of bounces answers none of ours", kind=answer.kind)
    return "\\Seen"


def _fetch(mailbox: Mailbox, but: frozenset[str]) -> list[tuple[str, bytes]]:
    """Return the mails that nobody took ``but`` those, by UID and what it holds for (RFC 3501 §2.3.1.1)."""
    with _opened(mailbox) as box:
        _, (validity,) = box.response("UIDVALIDITY")
        _, (found,) = box.uid("SEARCH", "UNSEEN", "UNFLAGGED")
        unseen = {f"{(validity or b'').decode()}/{uid}": uid for uid in (found or b"").decode().split()}
        others = [(name, uid) for name, uid in unseen.items() if name not in but]
        fetched = [(name, _content(box, uid)) for name, uid in others[:BATCH]]
        return [(name, content) for name, content in fetched if content is not None]


def _content(box: imaplib.IMAP4, uid: str) -> bytes | None:
    """Return a mail; None where the server does not give it now, so that it is not taken for read."""
    _, data = box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{SIZE_BYTES_MAX}>)")
    return next((bytes(part[1]) for part in data if isinstance(part, tuple)), None)


def _mark(mailbox: Mailbox, fates: Mapping[str, Fate]) -> None:
    with _opened(mailbox) as box:
        for flag in ("\\Seen", "\\Flagged"):
            if numbers := ",".join(uid.rpartition("/")[2] for uid, fate in fates.items() if fate == flag):
                box.uid("STORE", numbers, "+FLAGS", f"({flag})")


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

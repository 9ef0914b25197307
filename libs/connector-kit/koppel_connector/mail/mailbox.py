"""The mailbox of bounces, read by IMAP (RFC 3501) with the standard library, in a thread.

A mail is marked as seen once what it says is stored; one that is fetched again after a crash is a repeat without effect. Several
services may share a mailbox: what carries an address of this kind that is none of ours, or names a delivery that is none of ours,
is left to the others. A mail that names a delivery of ours and does not prove that it bounced is flagged and stays unseen, for a
person to judge; it counts until it is marked as seen.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal

import structlog

from koppel_connector.contract import Notice
from koppel_connector.extension import Kit
from koppel_connector.notices import accept_notice, has_delivery
from koppel_mesh.clock import utc_now
from koppel_mesh.service import Context, Loop
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import gauge

from . import bounces
from .return_path import ReturnPath
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
_unproven = gauge(
    "koppel_bounces_unproven",
    "Mails in the mailbox of bounces that name a delivery, do not prove that it bounced, and are not marked as seen",
    alerts=[
        Alert(
            name="KoppelBounceUnproven",
            summary="{value} mails are said to have come back, without proof, and wait for a person",
            above=0,
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
    try:
        unseen, fetched = await asyncio.to_thread(_fetch, mailbox, frozenset(kit.unseen_mails))
        fates = {uid: await _fate(kit, settings.return_path, content, utc_now()) for uid, content in fetched}
        known = {uid: is_flagged for uid, is_flagged in kit.unseen_mails.items() if uid in unseen}
        stay = known | {uid: fate == "\\Flagged" for uid, fate in fates.items() if fate != "\\Seen"}
        _unproven.labels(service=kit.profile.name).set(sum(stay.values()))
        await asyncio.to_thread(_mark, mailbox, fates)
        kit.unseen_mails = stay  # what could not be marked is judged again
    except (imaplib.IMAP4.error, OSError) as error:
        log.warning("the mailbox of bounces cannot be read", error=repr(error))
        return False
    return len(fetched) == BATCH


async def _fate(kit: Kit, return_path: ReturnPath, content: bytes, received_at: datetime) -> Fate:
    """Take a mail, and return what becomes of it."""
    answer = bounces.read(content)
    connection_id = next((each.connection_id for each in answer.tagged if each.connection_id), None)
    notice = Notice(str(connection_id) if connection_id else ADDRESS, {}, content, received_at)
    if answer.kind != "doubtful" and await accept_notice(kit, notice):
        return "\\Seen"
    if answer.tagged and bounces.verify(notice, return_path) is None:
        return "left"
    if answer.kind in ("bounce", "doubtful") and answer.remote_ref is not None:
        # A server on the way may have written an envelope's sender of its own; so may a forger, and a Message-ID is no secret.
        if await has_delivery(kit, answer.remote_ref):
            log.warning(
                "a mail that may be a bounce waits for a person",
                kind=answer.kind,
                remote_ref=answer.remote_ref,
                reason=answer.reason,
            )
            return "\\Flagged"
        if not answer.tagged:
            return "left"
    log.info("a mail in the mailbox of bounces answers none of ours", kind=answer.kind)
    return "\\Seen"


def _fetch(mailbox: Mailbox, but: Collection[str]) -> tuple[set[str], list[tuple[str, bytes]]]:
    """Return the UIDs of the mails that nobody took, and the content of all ``but`` those.

    A UID stands with what it holds for (RFC 3501 §2.3.1.1).
    """
    with _opened(mailbox) as box:
        _, (validity,) = box.response("UIDVALIDITY")
        # Those with a flag as well: a person or a rule of the mailbox may have given it to a bounce that is proven.
        (found,) = _answered(box.uid("SEARCH", "UNSEEN"))
        unseen = {f"{(validity or b'').decode()}/{uid}": uid for uid in (found or b"").decode().split()}
        others = [(name, uid) for name, uid in unseen.items() if name not in but]
        fetched = [(name, _content(box, uid)) for name, uid in others[:BATCH]]
        return set(unseen), [(name, content) for name, content in fetched if content is not None]


def _content(box: imaplib.IMAP4, uid: str) -> bytes | None:
    """Return a mail; None where the server does not give it now, so that it is not taken for read."""
    _, data = box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{SIZE_BYTES_MAX}>)")
    return next((bytes(part[1]) for part in data if isinstance(part, tuple)), None)


def _mark(mailbox: Mailbox, fates: Mapping[str, Fate]) -> None:
    if all(fate == "left" for fate in fates.values()):
        return
    with _opened(mailbox) as box:
        for flag in ("\\Seen", "\\Flagged"):
            if numbers := ",".join(uid.rpartition("/")[2] for uid, fate in fates.items() if fate == flag):
                _answered(box.uid("STORE", numbers, "+FLAGS", f"({flag})"))


def _answered(answer: tuple[str, list[Any]]) -> list[Any]:
    """Return the data of an answer.

    Raises:
        imaplib.IMAP4.error: it is NO, which the library returns as if it were data (RFC 3501 §7.1.2).
    """
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(repr(data))
    return data


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

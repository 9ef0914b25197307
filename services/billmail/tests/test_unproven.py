"""What may be a bounce and is not proven to be one waits for a person: flagged, unseen, and counted until it is seen."""

import base64
import imaplib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from billmail.service import SERVICE
from koppel_connector.mail.mailbox import read_mailbox
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.telemetry.metrics import exposition
from koppel_sandbox.mail.testing import MailSandbox

from .test_bounces import exported, handled, post, states

UNKNOWN = "KPL-" + "A" * 20


def put(sandbox: MailSandbox, headers: str, remote_ref: str) -> None:
    """Put a plain mail that names a delivery into the mailbox."""
    content = f"{headers}\r\nReferences: <{remote_ref}@koppel.example>\r\n\r\nmailbox unavailable".encode()
    sandbox.control("put", content=base64.b64encode(content).decode())


def bounce(sandbox: MailSandbox, remote_ref: str) -> None:
    """Put a bounce that was sent to no address of ours into the mailbox."""
    put(sandbox, "From: MAILER-DAEMON@x.example\r\nTo: bounces@koppel.example\r\nSubject: Undelivered", remote_ref)


def flag(sandbox: MailSandbox, number: int, name: str) -> None:
    """Flag a mail of the mailbox, counted from 0, as a person does."""
    parts = urlsplit(sandbox.environment()["KOPPEL_IMAP_URL"])
    with imaplib.IMAP4(parts.hostname or "", parts.port or 0, timeout=10) as box:
        box.login(parts.username or "", parts.password or "")
        box.select("INBOX")
        box.uid("STORE", str(sandbox.mails("returned")[number]["uid"]), "+FLAGS", f"({name})")


def flags(sandbox: MailSandbox) -> list[list[str]]:
    return [mail["flags"] for mail in sandbox.mails("returned")]


@pytest.mark.alert("KoppelBounceUnproven", service="billmail")
async def test_a_bounce_that_proves_nothing_waits_for_a_person_whenever_it_came(
    make_database: Callable[..., str], mail_settings: dict[str, Any], sandbox: MailSandbox, alert: Any
) -> None:
    """Some servers on the way write an envelope's sender of their own; a forger could, too."""
    settings = {**mail_settings, "secret_keys": Fernet.generate_key().decode()}
    database = make_database(SERVICE)

    async def fires(testbed: Testbed) -> bool:
        await read_mailbox(testbed.context)
        return bool(alert.fires(exposition()[0].decode()))

    async with open_testbed(SERVICE, database, **settings) as testbed:
        (row,) = await exported(testbed)
    assert not alert.fires(None)
    sender = sandbox.mails()[0]["sender"].encode()
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"], seen=True)
    returned = sandbox.raw(sandbox.mails("returned")[0]["uid"]).replace(sender, b"bounces@koppel.example")
    away = b"From: a@x.example\r\nAuto-Submitted: auto-replied\r\n\r\n" + returned.partition(b"\r\n\r\n")[2]
    unknown = b"From: MAILER-DAEMON@x.example\r\nSubject: Undelivered\r\n\r\nnobody's"
    for content in (returned, away, unknown):
        sandbox.control("put", content=base64.b64encode(content).decode())

    async with open_testbed(SERVICE, database, migrate=False, **settings) as testbed:
        assert await fires(testbed), "the first page of a process tells of what waited"
        assert await fires(testbed), "and each that follows"
        assert flags(sandbox)[1:] == [["\\Flagged"], ["\\Seen"], ["\\Seen"]]
    async with open_testbed(SERVICE, database, migrate=False, **settings) as testbed:
        assert await fires(testbed), "after a new start as well"
        alert.says(
            "Look at the flagged mails", "the log names the delivery of each", "Mark the mail as seen afterwards"
        )
        query = alert.query(connector="billmail").replace("KPL-…", row.remote_ref)
        assert [each.id for each in await testbed.rows(query)] == [row.id]
        flag(sandbox, 1, "\\Seen")
        assert not await fires(testbed)
        assert await testbed.rows("SELECT 1 FROM notice") == []
        assert await states(testbed) == ["exported"]


async def test_what_names_no_delivery_of_the_service_is_left_to_others(testbed: Testbed, sandbox: MailSandbox) -> None:
    (row,) = await exported(testbed)
    for remote_ref in (UNKNOWN, row.remote_ref):
        bounce(sandbox, remote_ref)
    await read_mailbox(testbed.context)
    assert flags(sandbox) == [[], ["\\Flagged"]]
    assert list(testbed.kit.unseen_mails.values()) == [False, True], "neither is fetched again"


async def test_a_mail_that_could_not_be_flagged_is_flagged_at_the_next_look(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    (row,) = await exported(testbed)
    bounce(sandbox, row.remote_ref)
    sandbox.control("switches", refuses_flags=True)
    assert await read_mailbox(testbed.context) is False
    assert flags(sandbox) == [[]]
    assert b'koppel_bounces_unproven{service="billmail"} 1.0' in exposition()[0], "it is told of all the same"
    sandbox.control("switches", refuses_flags=False)
    await read_mailbox(testbed.context)
    assert flags(sandbox) == [["\\Flagged"]]


async def test_a_proven_bounce_that_somebody_has_starred_fails_its_delivery(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    await exported(testbed)
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"])
    flag(sandbox, 0, "\\Flagged")
    await read_mailbox(testbed.context)
    await handled(testbed)
    assert await states(testbed) == ["failed"]


@pytest.mark.parametrize(
    "headers",
    [
        "From: postmaster@gw.example\r\nSubject: Undeliverable: Factuur",
        "From: a@gw.example\r\nSubject: Delivery Status Notification (Failure)",
        "From: a@gw.example\r\nSubject: failure notice",
        "From: postmaster@kantoor.example\r\nSubject: Afwezig",
    ],
)
async def test_an_automatic_reply_that_may_be_a_bounce_is_a_persons_to_judge_even_where_it_is_proven(
    testbed: Testbed, sandbox: MailSandbox, headers: str
) -> None:
    (row,) = await exported(testbed)
    for to in (sandbox.mails()[0]["sender"], "bounces@koppel.example"):
        put(sandbox, f"{headers}\r\nTo: {to}\r\nAuto-Submitted: auto-replied", row.remote_ref)
    await read_mailbox(testbed.context)
    assert flags(sandbox) == [["\\Flagged"], ["\\Flagged"]]
    assert await testbed.rows("SELECT 1 FROM notice") == []
    assert await states(testbed) == ["exported"]


async def test_a_posted_reply_that_may_be_a_bounce_stays_an_open_notice(testbed: Testbed, sandbox: MailSandbox) -> None:
    (row,) = await exported(testbed)
    headers = "From: postmaster@gw.example\r\nSubject: Undeliverable: Factuur\r\nAuto-Submitted: auto-replied"
    put(sandbox, f"{headers}\r\nTo: {sandbox.mails()[0]['sender']}", row.remote_ref)
    assert await post(testbed, sandbox.raw(sandbox.mails("returned")[0]["uid"]), row.connection_id) == 202
    said = f"a person judges whether {row.remote_ref} came back: Undeliverable"

    async def waits() -> bool:
        return bool(await testbed.rows(f"SELECT 1 FROM notice WHERE handled_at IS NULL AND problem LIKE '%{said}%'"))

    await testbed.until(waits, "a person judges")
    assert await states(testbed) == ["exported"]

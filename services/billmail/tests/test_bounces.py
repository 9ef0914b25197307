"""What comes back: a bounce fails its delivery and no other, a holiday notice changes nothing, and a forger gets nowhere."""

import base64
import hmac
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from billmail.service import SERVICE
from koppel_connector.mail import bounces
from koppel_connector.mail.mailbox import read_mailbox
from koppel_connector.mail.return_path import ReturnPath, tagged_addresses
from koppel_connector.testing import Testbed, document_factory, open_testbed
from koppel_mesh.messages import DocumentKind
from koppel_sandbox.mail.testing import MailSandbox

ADDRESSES = {"sale": "sale@office.example", "purchase": "buy@office.example"}
GENERIC = {"profile": "generic", "addresses": ADDRESSES}


async def exported(testbed: Testbed, settings: dict[str, Any] = GENERIC, count: int = 1) -> list[Any]:
    await testbed.connect(settings)
    for number in range(count):
        await testbed.deliver(testbed.ready(*document_factory.sample(number, DocumentKind.SALES_INVOICE)))
    return await testbed.until_state("exported")


async def handled(testbed: Testbed) -> None:
    async def none_open() -> bool:
        return not await testbed.rows("SELECT 1 FROM notice WHERE handled_at IS NULL")

    await testbed.until(none_open, "every notice is worked off")


async def states(testbed: Testbed) -> list[str]:
    return [row.state for row in await testbed.deliveries()]


async def post(testbed: Testbed, content: bytes, address: object) -> int:
    async with testbed.caller(None) as server:
        return (await server.post(f"/v1/notices/{address}", content=content)).status_code


async def connection(testbed: Testbed) -> Any:
    async with testbed.owner() as owner:
        (shown,) = (await owner.get("/v1/connections")).json()["items"]
    return shown


def verp(testbed: Testbed, remote_ref: str) -> str:
    """Return the sender of the envelope that earlier versions gave the mail of a delivery."""
    name = remote_ref.removeprefix("KPL-").lower()
    key = testbed.kit.settings.secret_keys[0].get_secret_value().encode()
    digest = hmac.digest(key, b"koppel billmail return path\0" + name.encode(), "sha256")
    return f"bounces+{name}.{base64.b32encode(digest[:10]).decode().lower()}@koppel.example"


# ── what a bounce does ──


@pytest.mark.parametrize("kind", ["bounce", "exchange_report", "plain_bounce"])
async def test_a_bounce_in_the_mailbox_fails_its_delivery_and_no_other(
    testbed: Testbed, sandbox: MailSandbox, kind: str
) -> None:
    first, _ = await exported(testbed, count=2)
    uid = next(mail["uid"] for mail in sandbox.mails() if first.remote_ref in mail["headers"]["Message-ID"])
    sandbox.control("give-back", uid=uid, kind=kind)
    for _ in range(2):
        assert await read_mailbox(testbed.context) is False
    await handled(testbed)
    assert await states(testbed) == ["failed", "exported"]
    problem = (await testbed.deliveries())[0].problem
    assert (problem["code"], problem["who_can_fix"]) == ("mail_bounced", "accountant")
    assert "sale@office.example" in problem["detail"]
    assert all("…" not in sentence for sentence in problem["message"].values())
    assert (await connection(testbed))["state"] == "connected", "one bounce is of one document"
    assert [mail["flags"] for mail in sandbox.mails("returned")] == [["\\Seen"]]
    async with testbed.owner() as owner:
        assert (await owner.post(f"/v1/deliveries/{first.id}/retry")).status_code == 202
    await testbed.until_state("exported")
    assert len(sandbox.mails()) == 3, "sent again, once a person asked"
    assert len({mail["sender"] for mail in sandbox.mails()}) == 1, "receivers keep lists of senders"


async def test_a_bounce_of_a_mail_that_named_its_delivery_in_the_envelope_fails_it(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    """As mails of earlier versions do, whose bounces still come in: it needs no other word of which it answers."""
    first, _ = await exported(testbed, count=2)
    sender = verp(testbed, first.remote_ref)
    content = f"From: MAILER-DAEMON@x.example\r\nTo: {sender}\r\nSubject: Undelivered\r\n\r\nno idea which".encode()
    forged = content.replace(b"." + sender.partition("@")[0][-16:].encode(), b"." + b"a" * 16)
    for each in (forged, content):
        sandbox.control("put", to=sender, content=base64.b64encode(each).decode())
    await read_mailbox(testbed.context)
    assert len(await testbed.rows("SELECT 1 FROM notice")) == 1
    await handled(testbed)
    assert await states(testbed) == ["failed", "exported"]


async def test_a_bounce_that_is_posted_has_one_effect_however_often(testbed: Testbed, sandbox: MailSandbox) -> None:
    (row,) = await exported(testbed)
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"])
    content = sandbox.raw(sandbox.mails("returned")[0]["uid"])
    for _ in range(3):
        assert await post(testbed, content, row.connection_id) == 202
    await read_mailbox(testbed.context)  # and by IMAP as well
    await handled(testbed)
    assert await states(testbed) == ["failed"]
    versions = {each.version for each in await testbed.deliveries()}
    assert len(versions) == 1


async def test_a_bounce_ends_a_doubt(testbed: Testbed, sandbox: MailSandbox) -> None:
    sandbox.control("rules", kind="drop_after")
    await testbed.connect(GENERIC)
    await testbed.deliver(testbed.ready(*document_factory.sample(1, DocumentKind.SALES_INVOICE)))
    await testbed.until_state("review")
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"])
    await read_mailbox(testbed.context)
    await testbed.until_state("failed")


async def test_a_mailbox_that_bounces_twice_degrades_the_connection_until_its_address_is_changed(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    rows = await exported(testbed, count=2)
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"])
    await read_mailbox(testbed.context)
    await handled(testbed)
    assert (await connection(testbed))["state"] == "connected"
    sandbox.control("give-back", uid=sandbox.mails()[1]["uid"])
    await read_mailbox(testbed.context)
    await handled(testbed)
    shown = await connection(testbed)
    assert (shown["state"], shown["health"]["problem"]["code"]) == ("degraded", "mailbox_bounces")
    assert all("sale@office.example" in sentence for sentence in shown["health"]["problem"]["message"].values())
    await testbed.deliver(testbed.ready(*document_factory.sample(7, DocumentKind.PURCHASE_INVOICE)))

    async def third() -> bool:
        return (await states(testbed))[2:] == ["exported"]

    await testbed.until(third, "another mailbox gets its mail")
    assert (await connection(testbed))["state"] == "degraded", "that a server takes a mail says nothing of a mailbox"
    async with testbed.owner() as owner:
        changed = {"settings": {"addresses": {"sale": "right@office.example"}}}
        await owner.patch(f"/v1/connections/{rows[0].connection_id}", json=changed)
    assert (await connection(testbed))["state"] == "connected"


async def test_a_bounce_that_names_no_document_is_a_problem_of_the_connection(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    await exported(testbed)
    sender = sandbox.mails()[0]["sender"]
    content = f"From: MAILER-DAEMON@x.example\r\nTo: {sender}\r\nSubject: Undelivered\r\n\r\nno idea which".encode()
    sandbox.control("put", to=sender, content=base64.b64encode(content).decode())
    await read_mailbox(testbed.context)
    await handled(testbed)
    shown = await connection(testbed)
    assert (shown["state"], shown["health"]["problem"]["code"]) == ("degraded", "mail_bounced_unnamed")


# ── what is no bounce ──


async def test_a_holiday_notice_and_a_delay_change_nothing(testbed: Testbed, sandbox: MailSandbox) -> None:
    (row,) = await exported(testbed)
    uid = sandbox.mails()[0]["uid"]
    sandbox.control("give-back", uid=uid)
    bounce = sandbox.raw(sandbox.mails("returned")[0]["uid"])
    sandbox.control("give-back", uid=uid, kind="out_of_office")
    away = sandbox.raw(sandbox.mails("returned")[1]["uid"])
    for content in (
        away,
        bounce.replace(b"Action: failed", b"Action: delayed"),
        bounce.replace(b"Action: failed", b"Action: delivered"),
    ):
        assert await post(testbed, content, row.connection_id) == 202, "it is proven, kept, and means nothing"
    await handled(testbed)
    assert await states(testbed) == ["exported"]


# ── how servers write ──


async def test_an_action_with_a_comment_fails_its_delivery(testbed: Testbed, sandbox: MailSandbox) -> None:
    (row,) = await exported(testbed)
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"])
    bounce = sandbox.raw(sandbox.mails("returned")[0]["uid"])
    written = bounce.replace(b"Action: failed", b"Action: Failed\r\n (bad destination mailbox)")
    assert await post(testbed, written, row.connection_id) == 202
    await handled(testbed)
    assert await states(testbed) == ["failed"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("Action: failed ", "bounce"),
        ("Action: failed (bad destination mailbox)", "bounce"),
        ("Action: (really (\\) nested)) FAILED", "bounce"),
        ("Action:\r\n failed\r\nStatus: 4.4.7", "bounce"),
        ("Action: failed (no end", "bounce"),
        ("Status: 5.1.1 (no such mailbox)", "bounce"),
        ("Action: misplaced\r\nStatus: (x) 5.1.1", "bounce"),
        ("Action: delayed (will retry until it has failed)\r\nStatus: 4.4.1", "other"),
        ("Action: relayed\r\nStatus: 5.0.0", "other"),
        ("Status: 4.4.1 (was 5.1.1)", "other"),
        ("Status: 2.1.5", "other"),
        ("Action: ?", "bounce"),
    ],
)
def test_what_a_report_says_of_its_recipient(fields: str, kind: str) -> None:
    """RFC 3464 §2.1.1 lets every structured field have comments and folds; what says nothing is judged by its sender."""
    read = bounces.read(
        b"From: MAILER-DAEMON@x.example\r\nSubject: Returned mail\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\n"
        + f"Final-Recipient: rfc822 (the last) ; sale@office.example\r\n{fields}\r\n--x--\r\n".encode()
    )
    assert read.kind == kind
    if kind == "bounce" and "?" not in fields:
        assert read.reason.startswith("rfc822 ; sale@office.example")


def test_a_field_of_nested_comments_is_read_at_once() -> None:
    content = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: "
    assert bounces.read(content + b"(" * 300_000 + b")" * 300_000 + b"failed\r\n").kind == "bounce"


# ── forgers ──


async def test_a_forged_bounce_does_no_harm(testbed: Testbed, sandbox: MailSandbox) -> None:
    first, second = await exported(testbed, count=2)
    mails = {mail["headers"]["Message-ID"].partition("@")[0].removeprefix("<"): mail for mail in sandbox.mails()}
    sandbox.control("give-back", uid=mails[second.remote_ref]["uid"])
    true = sandbox.raw(sandbox.mails("returned")[0]["uid"])
    sender = mails[second.remote_ref]["sender"].encode()
    name, _, rest = sender.partition(b".")
    victim = b"bounces+" + first.remote_ref.removeprefix("KPL-").lower().encode() + b"." + rest
    forged = [
        true.replace(sender, b"bounces@koppel.example"),
        true.replace(sender, name + b"." + b"a" * 16 + rest[16:]),
        true.replace(sender, victim),
        true.replace(b"To: " + sender, b"To: " + sender + b", " + victim),
        true.replace(sender, sender.replace(b"koppel.example", b"evil.example")),
        b"",
        b"\xff\x00" * 100,
    ]
    for content in forged:
        assert await post(testbed, content, first.connection_id) == 401, content[:300]
        sandbox.control("put", content=base64.b64encode(content).decode())
    await read_mailbox(testbed.context)
    kept = await testbed.rows("SELECT 1 FROM notice")
    assert len(kept) == 1, "of all that lay in the mailbox only the true one"
    await handled(testbed)
    assert await states(testbed) == ["exported", "failed"]


async def test_a_receiver_speaks_of_its_own_connection_only(testbed: Testbed, sandbox: MailSandbox) -> None:
    """It knows the connection's proof; another's deliveries are out of its reach."""
    (row,) = await exported(testbed)
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"])
    content = sandbox.raw(sandbox.mails("returned")[0]["uid"])
    for address in (uuid4(), "mailbox"):
        assert await post(testbed, content, address) == 401
    other = content.replace(row.remote_ref.encode(), b"KPL-" + b"A" * 20)
    assert await post(testbed, other, row.connection_id) == 202

    async def waits() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM notice WHERE problem LIKE '%no delivery%'"))

    await testbed.until(waits, "it finds no delivery of that connection")
    assert await states(testbed) == ["exported"]


async def test_a_bounce_outlives_the_key_that_signed_its_proof(
    make_database: Callable[..., str], mail_settings: dict[str, Any], sandbox: MailSandbox
) -> None:
    database, old, new = make_database(SERVICE), *(Fernet.generate_key().decode() for _ in range(2))
    async with open_testbed(SERVICE, database, **mail_settings, secret_keys=old) as testbed:
        await exported(testbed)
    sandbox.control("give-back", uid=sandbox.mails()[0]["uid"])
    async with open_testbed(SERVICE, database, migrate=False, **mail_settings, secret_keys=f"{new},{old}") as testbed:
        await read_mailbox(testbed.context)
        await testbed.until_state("failed")


async def test_a_mailbox_that_cannot_be_read_stops_nothing(
    make_database: Callable[..., str], mail_settings: dict[str, Any]
) -> None:
    for url in ("imap://bounces:wrong@127.0.0.1:1", mail_settings["imap_url"].replace("koppel-sandbox", "wrong"), ""):
        async with open_testbed(
            SERVICE, make_database(SERVICE), **{**mail_settings, "imap_url": url}, start=False
        ) as testbed:
            assert await read_mailbox(testbed.context) is False


# ── reading ──


def test_mails_in_mails_are_no_bounce() -> None:
    assert bounces.read(b"Content-Type: message/rfc822\r\n\r\n" * 3000).kind == "other"


@given(st.binary(max_size=600) | st.text(max_size=300).map(str.encode))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    for data in (
        content,
        b"Content-Type: multipart/report; boundary=x\r\nTo: a\r\n\r\n--x\r\n" + content + b"\r\n--x--",
    ):
        assert bounces.read(data).kind in ("bounce", "doubtful", "away", "other")


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("From: Mail Delivery Subsystem <mailer-daemon@x.example>\r\nSubject: x", "bounce"),
        ("From: postmaster@x.example\r\nSubject: Onbestelbaar: Factuur", "bounce"),
        ("From: a@x.example\r\nSubject: Undeliverable: Factuur", "bounce"),
        ("From: a@x.example\r\nSubject: =?utf-8?q?Notification_d=27=C3=A9chec_de_remise?=", "bounce"),
        ("From: a@x.example\r\nAuto-Submitted: auto-replied\r\nSubject: Afwezig", "away"),
        ("From: a@x.example\r\nPrecedence: bulk\r\nSubject: Out of office", "away"),
        ("From: postmaster@kantoor.be\r\nAuto-Submitted: auto-replied (vacation)\r\nSubject: Afwezig", "away"),
        ("From: a@x.example\r\nAuto-Submitted: Auto-Replied\r\nSubject: Afwezig: Undelivered parcels", "away"),
        ("From: postmaster@kantoor.be\r\nX-Autoreply: yes\r\nSubject: Absent", "away"),
        ("From: Mail Delivery System <Mailer-Daemon@x>\r\nAuto-Submitted: auto-replied\r\nSubject: x", "bounce"),
        ("From: a@x\r\nAuto-Submitted: auto-replied\r\nX-Failed-Recipients: b@x\r\nSubject: x", "bounce"),
        ("From: postmaster@x\r\nAuto-Submitted: auto-generated\r\nSubject: Message", "bounce"),
        ("From: a@x.example\r\nSubject: Re: Factuur", "other"),
    ],
)
def test_what_a_mail_is_by_its_headers(headers: str, kind: str) -> None:
    assert bounces.read(f"{headers}\r\n\r\ntext".encode()).kind == kind


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("From: postmaster@gw.example\r\nSubject: Undeliverable: Factuur", "doubtful"),
        ("From: a@x.example\r\nSubject: Delivery Status Notification (Failure)", "doubtful"),
        ("From: a@x.example\r\nSubject: failure notice", "doubtful"),
        ("From: postmaster@kantoor.be\r\nSubject: Afwezig", "doubtful"),
        ("From: a@x.example\r\nSubject: Afwezig: Factuur", "away"),
        ("From: MAILER-DAEMON@gw.example\r\nSubject: Undeliverable: Factuur", "bounce"),
    ],
)
def test_an_automatic_reply_that_names_a_delivery_may_be_a_bounce(headers: str, kind: str) -> None:
    automatic = f"{headers}\r\nAuto-Submitted: auto-replied\r\n"
    names = f"In-Reply-To: <KPL-{'A' * 20}@koppel.example>\r\n"
    assert bounces.read(f"{automatic}{names}\r\ntext".encode()).kind == kind
    assert bounces.read(f"{automatic}\r\ntext".encode()).kind == kind.replace("doubtful", "away"), "it names none"


def test_a_proof_is_of_one_name_one_mailbox_one_key_and_one_service() -> None:
    path = ReturnPath("billmail", "bounces@koppel.example", [SecretStr("one")])
    connection_id = uuid4()
    sender = path.of_connection(connection_id)
    (tagged,) = tagged_addresses(f"To: <{sender.upper()}>")
    assert path.is_proven(tagged)
    assert (tagged.connection_id, tagged.remote_ref) == (connection_id, None)
    assert len(sender.partition("@")[0]) <= 64
    for other in (
        ReturnPath("billmail", "bounces@koppel.example", [SecretStr("two")]),
        ReturnPath("billmail", "bounces@other.example", [SecretStr("one")]),
        ReturnPath("billmail", "back@koppel.example", [SecretStr("one")]),
        ReturnPath("connector-octopus", "bounces@koppel.example", [SecretStr("one")]),
    ):
        assert not other.is_proven(tagged)

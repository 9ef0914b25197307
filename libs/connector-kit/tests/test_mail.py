"""A message by SMTP: what cannot have acted, what is a definite no, what may have acted, and what leaves."""

import asyncio
import socket
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest
from pydantic import SecretStr

from koppel_connector import Rejected
from koppel_connector.calls.smtp import hand_in
from koppel_connector.contract import (
    MailCall,
    MailReply,
    OutcomeUnknown,
    ReauthorisationRequired,
    RetryLater,
    classify_by_mail_code,
)
from koppel_connector.contract.mail import MailServer as Address
from koppel_connector.testing import Fault
from koppel_mesh.http.client import NotSent, Unanswered

from .mail_server import MailServer

TO = ("ann@office.example", "bob@office.example")


def call(*recipients: str, sender: str = "bounces@koppel.example") -> MailCall:
    message = EmailMessage()
    message["Subject"] = "Factuur één"
    message.set_content("één\n.\n..\nEinde\n")
    return MailCall("letter", message, sender, recipients or TO)


async def handed_in(server: MailServer, asked: MailCall, deadline_s: float = 5.0, password: str = "") -> MailReply:
    address = Address("127.0.0.1", server.port, "none", "koppel" if password else "", SecretStr(password))
    return await hand_in(address, asked, asked.content(), deadline_s)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


async def test_a_refused_connection_cannot_have_acted() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSent):
        await hand_in(Address("127.0.0.1", port, "none"), call(), call().content(), 5.0)


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT"])
async def test_a_connection_lost_before_the_content_cannot_have_acted(server: MailServer, verb: str) -> None:
    server.lost_at = verb
    with pytest.raises(NotSent):
        await handed_in(server, call())
    assert server.seen == 0


async def test_what_is_raised_before_the_content_keeps_it_here(server: MailServer) -> None:
    def refuse() -> None:
        raise LookupError

    address = Address("127.0.0.1", server.port, "none")
    with pytest.raises(LookupError):
        await hand_in(address, call(), call().content(), 5.0, refuse)
    assert server.seen == 0


async def test_a_server_without_tls_gets_nothing_where_tls_is_wanted(server: MailServer) -> None:
    address = Address("127.0.0.1", server.port, "starttls", "koppel", SecretStr("hush"))
    with pytest.raises(NotSent):
        await hand_in(address, call(), call().content(), 5.0)
    assert server.seen == 0


@pytest.mark.parametrize(
    ("refuses", "reply", "step", "ending"),
    [
        ("MAIL", b"451 busy\r\n", "envelope", RetryLater),
        (TO[1], b"450 greylisted, come back\r\n", "envelope", RetryLater),
        (TO[1], b"550 no such user\r\n", "envelope", Rejected),
        ("DATA", b"451 disk\r\n", "content", RetryLater),
        ("DATA", b"554 no\r\n", "content", Rejected),
    ],
)
async def test_a_refusal_is_definite_and_nobody_gets_it(
    server: MailServer, refuses: str, reply: bytes, step: str, ending: type[Exception]
) -> None:
    server.refused[refuses] = reply
    answered = await handed_in(server, call())
    assert (answered.code, answered.step) == (int(reply[:3]), step)
    assert isinstance(classify_by_mail_code(answered), ending)
    assert not server.taken


async def test_a_wrong_password_asks_for_another(server: MailServer) -> None:
    server.refused["AUTH"] = b"535 wrong\r\n"
    answered = await handed_in(server, call(), password="hush")
    assert isinstance(classify_by_mail_code(answered), ReauthorisationRequired)


async def test_a_server_that_refuses_to_talk_is_tried_later(server: MailServer) -> None:
    server.greeting = b"554 not now\r\n"
    answered = await handed_in(server, call())
    assert (answered.step, type(classify_by_mail_code(answered))) == ("connect", RetryLater)


@pytest.mark.parametrize("fault", [Fault.ACTS_THEN_RESETS, Fault.ACTS_THEN_HALF_ANSWER, Fault.ACTS_THEN_HANGS])
async def test_no_reply_after_the_final_dot_may_have_acted(server: MailServer, fault: Fault) -> None:
    server.faults.append(fault)
    with pytest.raises(Unanswered):
        await handed_in(server, call(), deadline_s=1.0)
    assert len(server.taken) == 1


async def test_a_yes_to_data_is_no_yes(server: MailServer) -> None:
    server.refused["DATA"] = b"250 thanks\r\n"
    with pytest.raises(Unanswered):
        await handed_in(server, call())
    assert not server.taken


async def test_a_reply_that_means_nothing_may_have_acted(server: MailServer) -> None:
    server.faults.append(Fault.ACTS_THEN_ERROR)
    assert isinstance(classify_by_mail_code(await handed_in(server, call())), OutcomeUnknown)


async def test_the_server_takes_what_was_written_for_all_recipients(server: MailServer) -> None:
    reply = await handed_in(server, call(), password="hush")
    assert classify_by_mail_code(reply) is None
    assert server.envelopes == [("bounces@koppel.example", list(TO))]
    (taken,) = server.taken
    assert (taken["Subject"], taken.get_content()) == ("Factuur één", "één\n.\n..\nEinde\n")


async def test_nothing_leaves_after_the_deadline() -> None:
    read = bytearray()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 slow\r\n")
        for reply in (b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
            await reader.readline()
            writer.write(reply)
        await asyncio.sleep(1.5)
        try:
            while block := await reader.read(1 << 20):
                read.extend(block)
        except ConnectionError:
            pass
        writer.close()

    message = EmailMessage()
    message.set_content(b"x" * 30_000_000, maintype="application", subtype="octet-stream")
    big = MailCall("letter", message, "a@koppel.example", TO)
    async with await asyncio.start_server(slow, "127.0.0.1", 0) as server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1], "none")
        content = big.content()
        with pytest.raises(Unanswered):
            await hand_in(address, big, content, 1.0)
        await asyncio.sleep(1.5)
    assert not read.endswith(b"\r\n.\r\n")


@pytest.mark.parametrize(
    "address", ["", "ann", "a@b.example>\r\nDATA", "a@b.example\nRCPT TO:<c@d.example>", "a b@c.example", "é@b.example"]
)
def test_an_address_cannot_end_its_command(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        call(address)
    with pytest.raises(ValueError, match="address"):
        call(sender=address)


def test_a_header_cannot_hold_another() -> None:
    message = EmailMessage()
    with pytest.raises(ValueError, match="linefeed"):
        message["Subject"] = "Factuur\r\nBcc: eve@evil.example"


def test_what_leaves_is_ascii_in_lines_of_smtp() -> None:
    content = call().content()
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_a_message_without_recipients_is_none() -> None:
    with pytest.raises(ValueError, match="recipients"):
        MailCall("letter", EmailMessage(), "a@b.example", ())

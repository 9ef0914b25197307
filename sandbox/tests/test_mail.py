"""The mail sandbox: what was answered 250 is there whatever happens, bad days come on request, and IMAP gives what came back."""

import imaplib
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from koppel_sandbox import SandboxError
from koppel_sandbox.mail.store import FILE, MailStore
from koppel_sandbox.mail.testing import MailSandbox

SENDER, OFFICE = "bounces@koppel.example", "office@letters.example"


@pytest.fixture(scope="module")
def running() -> Iterator[MailSandbox]:
    with MailSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: MailSandbox) -> MailSandbox:
    running.control("reset")
    return running


def letter(subject: str = "Factuur", content: bytes = b"%PDF-1.4") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<{subject.encode().hex()}@koppel.example>"
    message["Subject"] = subject
    message.set_content("Zie bijlage.\n.\n")
    message.add_attachment(content, maintype="application", subtype="pdf", filename="factuur.pdf")
    return message


def send(address: str, message: EmailMessage, *recipients: str) -> None:
    parts = urlsplit(address)
    with smtplib.SMTP(parts.hostname or "", parts.port or 0, timeout=10) as server:
        server.send_message(message, SENDER, recipients or (OFFICE,))


def until_listening(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            smtplib.SMTP(urlsplit(address).hostname or "", urlsplit(address).port or 0, timeout=10).quit()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


def smtp(sandbox: MailSandbox) -> str:
    return sandbox.environment()["KOPPEL_SMTP_URL"]


# ── what goes wrong ──


@pytest.mark.parametrize(
    ("rule", "error", "kept"),
    [
        ({"kind": "refuse"}, smtplib.SMTPRecipientsRefused, 0),
        ({"kind": "refuse", "reply": "450 4.2.0 greylisted"}, smtplib.SMTPRecipientsRefused, 0),
        ({"kind": "refuse_content"}, smtplib.SMTPDataError, 0),
        ({"kind": "drop_before"}, smtplib.SMTPServerDisconnected, 0),
        ({"kind": "drop_after"}, smtplib.SMTPServerDisconnected, 1),
        ({"kind": "half_answer_after"}, smtplib.SMTPException, 1),
        ({"kind": "odd_answer_after"}, smtplib.SMTPDataError, 1),
    ],
    ids=lambda each: each["kind"] if isinstance(each, dict) else "",
)
def test_a_bad_day_is_over_after_so_many_mails(
    sandbox: MailSandbox, rule: dict[str, str], error: type[Exception], kept: int
) -> None:
    sandbox.control("rules", **rule)
    with pytest.raises((error, ConnectionResetError)):
        send(smtp(sandbox), letter())
    assert len(sandbox.mails()) == kept
    send(smtp(sandbox), letter())
    assert len(sandbox.mails()) == kept + 1


def test_a_rule_holds_for_the_addresses_it_names(sandbox: MailSandbox) -> None:
    sandbox.control("rules", kind="refuse", recipient="^gone@", times=-1)
    send(smtp(sandbox), letter())
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(smtp(sandbox), letter(), "gone@letters.example")


def test_a_mail_over_the_limit_is_refused_before_its_content(sandbox: MailSandbox) -> None:
    sandbox.control("switches", size_limit_bytes=1000)
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        send(smtp(sandbox), letter(content=b"x" * 2000))
    assert refused.value.smtp_code == 552


def test_a_receiver_may_drop_the_files_that_it_has(sandbox: MailSandbox) -> None:
    sandbox.control("switches", drops_repeats=True)
    for message in (letter("one"), letter("again"), letter("other", b"%PDF-1.5")):
        send(smtp(sandbox), message)
    send(smtp(sandbox), letter("one"), "elsewhere@letters.example")
    assert [mail["headers"]["Subject"] for mail in sandbox.mails()] == ["one", "other", "one"]


def test_a_password_is_asked_for_where_there_is_one(sandbox: MailSandbox) -> None:
    sandbox.control("switches", password="right")
    parts = urlsplit(smtp(sandbox))
    with (
        smtplib.SMTP(parts.hostname or "", parts.port or 0, timeout=10) as server,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        server.login("koppel", "wrong")
    with smtplib.SMTP(parts.hostname or "", parts.port or 0, timeout=10) as server:
        server.login("koppel", "right")
        server.send_message(letter(), SENDER, [OFFICE])
    assert len(sandbox.mails()) == 1


@pytest.mark.parametrize(
    "body", [{"kind": "none"}, {"kind": "refuse", "recipient": "("}, {"kind": "refuse", "who": "x"}]
)
def test_a_wish_that_makes_no_sense_is_refused(sandbox: MailSandbox, body: dict[str, str]) -> None:
    with pytest.raises(HTTPError) as refused:
        sandbox.control("rules", **body)
    assert refused.value.code == 400


# ── what comes back ──


def test_what_comes_back_is_read_and_removed_by_imap(sandbox: MailSandbox) -> None:
    for kind in ("bounce", "plain_bounce", "out_of_office"):
        sandbox.control("rules", kind=kind)
        send(smtp(sandbox), letter(kind))
    parts = urlsplit(sandbox.environment()["KOPPEL_IMAP_URL"])
    with imaplib.IMAP4(parts.hostname or "", parts.port or 0, timeout=10) as box:
        with pytest.raises(imaplib.IMAP4.error):
            box.uid("SEARCH", "UNSEEN")
        with pytest.raises(imaplib.IMAP4.error):
            box.login("bounces", "wrong")
        box.login(parts.username or "", parts.password or "")
        box.select("INBOX")
        _, (found,) = box.uid("SEARCH", "UNSEEN")
        uids = found.split()
        contents = []
        for uid in uids:
            _, data = box.uid("FETCH", uid, "(BODY.PEEK[])")
            contents.append(data[0][1])
            box.uid("STORE", uid, "+FLAGS", "(\\Seen \\Deleted)")
        assert box.uid("SEARCH", "UNSEEN")[1] == [b""]
        box.expunge()
    assert sandbox.mails("returned") == []
    assert len(sandbox.mails()) == 3, "they arrived all the same"
    status, plain, away = contents
    assert b"Status: 5.1.1" in status
    assert re.search(rb"Message-ID: +<626f756e6365@koppel\.example>", status)
    assert b"References: <706c61696e5f626f756e6365@koppel.example>" in plain
    assert b"Auto-Submitted: auto-replied" in away


def test_a_mailbox_refuses_flags_on_request(sandbox: MailSandbox) -> None:
    sandbox.control("rules", kind="bounce")
    send(smtp(sandbox), letter())
    parts = urlsplit(sandbox.environment()["KOPPEL_IMAP_URL"])
    with imaplib.IMAP4(parts.hostname or "", parts.port or 0, timeout=10) as box:
        box.login(parts.username or "", parts.password or "")
        box.select("INBOX")
        uid = str(sandbox.mails("returned")[0]["uid"])
        for refuses, kind, flags in ((True, "NO", []), (False, "OK", ["\\Flagged"])):
            sandbox.control("switches", refuses_flags=refuses)
            assert box.uid("STORE", uid, "+FLAGS", "(\\Flagged)")[0] == kind
            assert sandbox.mails("returned")[0]["flags"] == flags


# ── what is shown and kept ──


def test_a_page_shows_mails_and_nothing_of_them_runs(sandbox: MailSandbox) -> None:
    send(smtp(sandbox), letter("<script>alert(1)</script>"))
    (mail,) = sandbox.mails()
    for path in ("", f"mails/{mail['uid']}"):
        page = urlopen(f"{sandbox.url}/{path}", timeout=10).read().decode()
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
    with urlopen(f"{sandbox.url}/mails/{mail['uid']}/files/0", timeout=10) as file:
        assert (file.read(), file.headers["Content-Disposition"]) == (b"%PDF-1.4", "attachment")
    with pytest.raises(HTTPError):
        urlopen(f"{sandbox.url}/mails/999", timeout=10)


def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "koppel_sandbox.mail", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        variables = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
        until_listening(variables["KOPPEL_SMTP_URL"])
        for number in range(20):
            send(variables["KOPPEL_SMTP_URL"], letter(str(number)))
        os.kill(process.pid, signal.SIGKILL)
    kept = MailStore(tmp_path)
    assert len(kept.mails("taken")) == 20
    kept.close()


def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, and long enough to be read as one" * 20)
    with pytest.raises(SandboxError, match="cannot be read"):
        MailStore(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"no database")

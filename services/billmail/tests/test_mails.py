"""Documents on their way by mail: what a receiver gets, and what follows when its server says no or nothing."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import ValidationError

import koppel_ubl
from billmail.profiles import PROFILES, read_profiles
from billmail.service import SERVICE
from billmail.settings import BillmailServiceSettings
from koppel_connector.testing import Testbed, document_factory, open_testbed
from koppel_mesh.messages import DocumentKind
from koppel_sandbox.mail.testing import MailSandbox

from .harness import files_of, reference_of

ADDRESSES = {"sale": "Sale@office.example", "purchase": "buy@office.example"}
CODA = b"0000001012626005        00000000  DEMO".ljust(128) + b"\n"
PDF = b"%PDF-1.4 one page"


def sample(kind: DocumentKind = DocumentKind.SALES_INVOICE, number: int = 1) -> document_factory.Sample:
    return document_factory.sample(number, kind)


def changed(document: document_factory.Sample, files: dict[str, bytes], **values: Any) -> document_factory.Sample:
    """Return the document with other files and fields."""
    content = [
        {"role": role, "media_type": "application/octet-stream", "sha256": "0" * 64, "size_bytes": len(data)}
        for role, data in files.items()
    ]
    return document_factory.Sample({**document.document, "content": content, **values}, files)


async def send(testbed: Testbed, settings: dict[str, Any], *documents: document_factory.Sample) -> list[Any]:
    """Connect, have the documents exported, and return the deliveries once nothing is under way."""
    await testbed.connect(settings)
    await testbed.deliver(*(testbed.ready(*each) for each in documents))
    return await testbed.until_state("exported", "blocked", "failed", "review")


# ── what a receiver gets ──


async def test_each_kind_goes_to_its_address_one_document_a_mail(testbed: Testbed, sandbox: MailSandbox) -> None:
    rows = await send(
        testbed,
        {"profile": "generic", "addresses": ADDRESSES},
        sample(),
        sample(DocumentKind.PURCHASE_INVOICE),
        sample(DocumentKind.SALES_CREDIT_NOTE),
    )
    assert {row.state for row in rows} == {"exported"}
    mails = {reference_of(mail): mail for mail in sandbox.messages()}
    assert set(mails) == {row.remote_ref for row in rows}, "one mail each, with a Message-ID of the delivery's key"
    assert sorted(mail["recipients"][0] for mail in sandbox.mails()) == [
        "Sale@office.example",
        "Sale@office.example",
        "buy@office.example",
    ]
    for message in mails.values():
        assert message["Auto-Submitted"] == "auto-generated"
        assert "billmail@koppel.example" in message["From"]
        assert len(list(message.iter_attachments())) == 1


@pytest.mark.parametrize(
    ("style", "endings"),
    [("xml_with_pdf", ["xml"]), ("xml_and_pdf", ["pdf", "xml"]), ("pdf", ["pdf"]), ("zip", ["zip"])],
)
async def test_the_attachments_are_as_the_connection_asks(
    testbed: Testbed, sandbox: MailSandbox, style: str, endings: list[str]
) -> None:
    await send(testbed, {"profile": "generic", "addresses": ADDRESSES, "attachments": style}, sample())
    (message,) = sandbox.messages()
    names = sorted(str(part.get_filename()) for part in message.iter_attachments())
    assert [name.rpartition(".")[2] for name in names] == sorted(endings)
    assert len({name.rpartition(".")[0] for name in names}) == 1, "the same stem, by which a receiver joins them"


async def test_a_pdf_of_its_own_goes_inside_the_ubl(testbed: Testbed, sandbox: MailSandbox) -> None:
    original = sample()
    light = koppel_ubl.without_embedded_files(original.files["ubl"])
    await send(testbed, {"profile": "generic", "addresses": ADDRESSES}, changed(original, {"ubl": light, "pdf": PDF}))
    (message,) = sandbox.messages()
    (part,) = message.iter_attachments()
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    inside = koppel_ubl.read(content)
    assert inside.pdf is not None
    assert inside.pdf.content == PDF
    assert inside.lines == koppel_ubl.read(light).lines


@pytest.mark.parametrize("style", ["xml_with_pdf", "xml_and_pdf", "pdf"])
async def test_a_document_without_pdf_gets_a_page_that_people_can_read(
    testbed: Testbed, sandbox: MailSandbox, style: str
) -> None:
    light = koppel_ubl.without_embedded_files(sample().files["ubl"])
    settings = {"profile": "generic", "addresses": ADDRESSES, "attachments": style}
    await send(testbed, settings, changed(sample(), {"ubl": light}))
    (message,) = sandbox.messages()
    files = files_of(message)
    (page,) = (content for name, content in files.items() if name.endswith(".pdf"))
    assert page.startswith(b"%PDF-1.7")
    assert (b"/EmbeddedFile" in page) == (style == "pdf"), "the UBL is inside where it does not go along by itself"


async def test_wrong_signs_that_a_person_confirmed_are_a_warning(testbed: Testbed, sandbox: MailSandbox) -> None:
    reversed_signs = document_factory.with_signs_reversed(sample())
    (row,) = await send(testbed, {"profile": "generic", "addresses": ADDRESSES}, reversed_signs)
    assert row.state == "exported"
    assert [each["code"] for each in row.progress["warnings"]] == ["signs_in_file_reversed"]


async def test_the_pdf_of_a_statement_is_a_mail_of_its_own(testbed: Testbed, sandbox: MailSandbox) -> None:
    coda = (Path(__file__).parents[3] / "libs/coda/tests/samples/bakery-two-days.cod").read_bytes()
    statement = changed(sample(), {"coda": coda}, kind="bank_statement", counterparty=None)
    addresses = {"coda": "coda@horus.example", "coda_pdf": "pdf@horus.example"}
    rows = await send(testbed, {"profile": "generic", "addresses": addresses}, statement)
    assert {(row.operation, row.state) for row in rows} == {("mail", "exported"), ("mail_pdf", "exported")}
    by_address = dict(zip((mail["recipients"][0] for mail in sandbox.mails()), sandbox.messages(), strict=True))
    assert list(files_of(by_address["coda@horus.example"]).values()) == [coda]
    (page,) = files_of(by_address["pdf@horus.example"]).values()
    assert page.startswith(b"%PDF-1.7")


async def test_a_statement_that_cannot_be_read_has_no_pdf(testbed: Testbed, sandbox: MailSandbox) -> None:
    statement = changed(sample(), {"coda": CODA}, kind="bank_statement", counterparty=None)
    settings = {"profile": "generic", "addresses": {"coda_pdf": "pdf@horus.example"}}
    (row,) = await send(testbed, settings, statement)
    assert (row.state, row.problem["code"]) == ("failed", "coda_unreadable")
    assert sandbox.mails() == []


async def test_a_document_without_any_file_says_so(testbed: Testbed, sandbox: MailSandbox) -> None:
    (row,) = await send(testbed, {"profile": "generic", "addresses": ADDRESSES}, changed(sample(), {}))
    assert (row.state, row.problem["code"]) == ("blocked", "pdf_missing")
    assert sandbox.mails() == []


async def test_a_statement_goes_as_it_came(testbed: Testbed, sandbox: MailSandbox) -> None:
    statement = changed(sample(), {"coda": CODA}, kind="bank_statement", counterparty=None)
    rows = await send(testbed, {"profile": "horus", "addresses": {"coda": "x@horus.example"}}, statement)
    assert [row.state for row in rows] == ["exported"]
    (message,) = sandbox.messages()
    assert list(files_of(message).values()) == [CODA]


async def test_tags_are_those_of_the_receiver(testbed: Testbed, sandbox: MailSandbox) -> None:
    settings = {"profile": "basecone", "addresses": {"purchase": "d1@basecone.example"}}
    await send(testbed, settings, sample(), sample(DocumentKind.PURCHASE_INVOICE))
    subjects = sorted(str(mail["Subject"])[:5] for mail in sandbox.messages())
    assert subjects == ["[INK]", "[VRK]"]


async def test_what_others_wrote_cannot_end_a_header_or_name_a_folder(testbed: Testbed, sandbox: MailSandbox) -> None:
    name = "Éve\r\nBcc: x@evil.example\u202e" + "/../" * 80 + "𝔛"
    odd = changed(sample(), dict(sample().files), number="1\r\n\r\n..\\..\x00", counterparty={"name": name})
    rows = await send(testbed, {"profile": "generic", "addresses": ADDRESSES}, odd)
    assert [row.state for row in rows] == ["exported"]
    (message,) = sandbox.messages()
    assert message["Bcc"] is None
    assert "\u202e" not in message["Subject"]
    assert len(message["Subject"]) <= 150
    (part,) = message.iter_attachments()
    file_name = str(part.get_filename())
    assert len(file_name) <= 104
    assert file_name.isascii()
    assert not set("/\\\r\n\0") & set(file_name)


async def test_the_subject_that_a_receiver_wants_stands_alone(testbed: Testbed, sandbox: MailSandbox) -> None:
    settings = {"profile": "banqup_in", "addresses": {"sale": "in@banqup.example"}}
    (blocked,) = await send(testbed, settings, sample())
    assert blocked.problem["code"] == "settings_missing"
    async with testbed.owner() as owner:
        (connection,) = (await owner.get("/v1/connections")).json()["items"]
        changed_to = {"settings": {"subject": "BANQUP-42"}}
        assert (await owner.patch(f"/v1/connections/{connection['id']}", json=changed_to)).status_code == 200
    await testbed.until_state("exported")
    assert [str(mail["Subject"]) for mail in sandbox.messages()] == ["BANQUP-42"]


async def test_a_target_that_only_mails_adds_no_python(
    testbed: Testbed, sandbox: MailSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = """
        [pigeon]
        title = "Pigeon"
        attachments = ["zip"]
        has_one_address = true
        domains = ["pigeon.example"]
        address_names_enterprise = true
        tags = { sale = "<coo>" }
        retry = "resend"
    """
    monkeypatch.setitem(PROFILES, "pigeon", read_profiles(table)["pigeon"])
    sandbox.control("switches", drops_repeats=True)
    sandbox.control("rules", kind="drop_after")
    monkeypatch.setattr("billmail.connector.RESEND_AFTER_S", 0.0)
    settings = {"profile": "pigeon", "addresses": {"purchase": "0000000196@pigeon.example"}}
    (row,) = await send(testbed, settings, sample())
    assert row.state == "exported"
    assert sandbox.taker.seen == 2, "sent again, for this receiver drops what it has"
    (message,) = sandbox.messages()
    assert reference_of(message) == row.remote_ref, "by the same bytes it knew the repeat"
    assert str(message["Subject"]).startswith("<coo>")
    async with testbed.owner() as owner:
        (connection,) = (await owner.get("/v1/connections")).json()["items"]
    assert connection["company"]["is_the_dossiers"] is True


# ── another company's mailbox ──


async def test_nothing_goes_to_the_mailbox_of_another_company(testbed: Testbed, sandbox: MailSandbox) -> None:
    settings = {"profile": "clearfacts", "addresses": {"sale": "0793904121@kantoor.clearfacts.be"}}
    (row,) = await send(testbed, settings, sample())
    assert (row.state, row.problem["code"]) == ("blocked", "other_company")
    assert sandbox.mails() == []


# ── what is in the way ──


@pytest.mark.parametrize(
    ("settings", "document", "state", "code"),
    [
        ({}, sample(), "blocked", "settings_missing"),
        ({"profile": "generic"}, sample(), "blocked", "address_missing"),
        ({"profile": "generic", "addresses": {"purchase": "a@b.example"}}, sample(), "blocked", "address_missing"),
        (
            {"profile": "generic", "addresses": ADDRESSES, "from": "ceo@bank.example"},
            sample(),
            "blocked",
            "sender_not_allowed",
        ),
        (
            {"profile": "clearfacts", "addresses": {"sale": "0000000196@k.clearfacts.be"}, "attachments": "pdf"},
            changed(sample(), {"pdf": PDF + b"\ntrailer<</Encrypt 5 0 R>>"}),
            "failed",
            "pdf_protected",
        ),
        (
            {"profile": "generic", "addresses": ADDRESSES, "attachments": "pdf"},
            changed(sample(), {"pdf": PDF + b"\0" * 7_500_000}),
            "failed",
            "mail_too_large",
        ),
        (
            {"profile": "generic", "addresses": ADDRESSES},
            changed(sample(), {"ubl": b"<x/>", "pdf": PDF}),
            "failed",
            "ubl_unreadable",
        ),
        (
            {"profile": "generic", "addresses": {"coda": "a@b.example", "coda_pdf": "c@b.example"}},
            changed(sample(), {"pdf": PDF}, kind="miscellaneous"),
            "blocked",
            "address_missing",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_what_cannot_be_mailed_says_why_and_who_can_help(
    testbed: Testbed,
    sandbox: MailSandbox,
    settings: dict[str, Any],
    document: document_factory.Sample,
    state: str,
    code: str,
) -> None:
    (row,) = await send(testbed, settings, document)
    assert (row.state, row.problem["code"]) == (state, code)
    assert all("…" not in sentence for sentence in row.problem["message"].values()), row.problem
    assert sandbox.mails() == []


@pytest.mark.parametrize(
    ("rule", "state", "code", "tries"),
    [
        ({"kind": "refuse"}, "blocked", "address_refused", 1),
        ({"kind": "refuse", "reply": "553 5.1.3 bad address"}, "blocked", "address_refused", 1),
        ({"kind": "refuse", "reply": "550 5.7.1 you are not on the list"}, "blocked", "mail_refused", 1),
        ({"kind": "refuse_content"}, "blocked", "mail_refused", 1),
        ({"kind": "refuse_content", "reply": "552 5.3.4 too big"}, "failed", "mail_too_large", 1),
        ({"kind": "refuse_content", "reply": "552 message size exceeds fixed limit"}, "failed", "mail_too_large", 1),
        ({"kind": "refuse_content", "reply": "552 5.7.0 content presents a risk"}, "blocked", "mail_refused", 1),
        ({"kind": "refuse", "reply": "552 5.2.2 Mailbox full", "times": 99}, "failed", "mailbox_full", 5),
        ({"kind": "refuse", "reply": "450 4.2.0 greylisted", "times": 99}, "failed", "mail_deferred", 5),
        ({"kind": "drop_after"}, "review", "unknown_outcome_review", 1),
        ({"kind": "drop_before"}, "review", "unknown_outcome_review", 1),
    ],
    ids=lambda each: each["kind"] if isinstance(each, dict) else str(each),
)
async def test_what_a_mail_server_says_no_to(
    testbed: Testbed, sandbox: MailSandbox, rule: dict[str, Any], state: str, code: str, tries: int
) -> None:
    sandbox.control("rules", **rule)
    (row,) = await send(testbed, {"profile": "generic", "addresses": ADDRESSES}, sample())
    assert (row.state, row.problem["code"]) == (state, code)
    assert all("…" not in sentence for sentence in row.problem["message"].values()), row.problem
    assert len(await testbed.rows("SELECT 1 FROM attempt WHERE operation = 'mail'")) == tries
    assert len(sandbox.mails()) <= 1, "never two mails for one document"


@pytest.mark.parametrize(
    "reply",
    ["451 4.7.1 greylisted", "452 4.2.2 over quota", "552 5.2.2 Mailbox full", "552 exceeded storage allocation"],
)
async def test_greylisting_and_a_full_mailbox_pass_by_themselves(
    testbed: Testbed, sandbox: MailSandbox, reply: str
) -> None:
    sandbox.control("rules", kind="refuse", reply=reply, times=2)
    (row,) = await send(testbed, {"profile": "generic", "addresses": ADDRESSES}, sample())
    assert row.state == "exported"
    assert reference_of(*sandbox.messages()) == row.remote_ref


async def test_a_server_that_announces_its_limit_gets_no_larger_mail(testbed: Testbed, sandbox: MailSandbox) -> None:
    sandbox.control("switches", size_limit_bytes=3000)
    (row,) = await send(testbed, {"profile": "generic", "addresses": ADDRESSES}, sample())
    assert (row.state, row.problem["code"]) == ("failed", "mail_too_large")
    assert sandbox.mails() == []


async def test_a_wrong_login_is_the_operators_and_everything_goes_on_once_it_is_right(
    make_database: Callable[..., str], mail_settings: dict[str, Any], sandbox: MailSandbox
) -> None:
    sandbox.control("switches", password="right")
    url = mail_settings["smtp_url"].replace("smtp://", "smtp://koppel:wrong@")
    database = make_database(SERVICE)
    quick = {"pause_first_s": 0.05, "pause_longest_s": 0.1}
    async with open_testbed(SERVICE, database, **{**mail_settings, "smtp_url": url, **quick}) as testbed:
        await testbed.connect({"profile": "generic", "addresses": ADDRESSES})
        await testbed.deliver(testbed.ready(*sample()))

        async def waits() -> bool:
            (row,) = await testbed.deliveries()
            return bool(row.problem) and row.problem["code"] == "mail_login_refused"

        await testbed.until(waits, "the document says what it waits for")
        sandbox.control("switches", password="wrong")  # as if the operator had put it right
        await testbed.until_state("exported")
    assert sandbox.taker.logins_refused < 40


# ── the signature ──


async def test_every_mail_is_signed_with_the_key_of_the_service(
    make_database: Callable[..., str], mail_settings: dict[str, Any], sandbox: MailSandbox, tmp_path: Any
) -> None:
    key = generate_private_key(65537, 2048)
    path = tmp_path / "dkim.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = {**mail_settings, "mail_dkim_key_file": path, "mail_sender_domains": "office.example"}
    async with open_testbed(SERVICE, make_database(SERVICE), **settings) as testbed:
        await send(testbed, {"profile": "generic", "addresses": ADDRESSES, "from": "an@mail.office.example"}, sample())
    raw = sandbox.raw(sandbox.mails()[0]["uid"])
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    asked = []

    def dns(name: bytes, **_: Any) -> bytes:
        asked.append(name)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    assert dkim.verify(raw, dnsfunc=dns)
    assert asked == [b"koppel._domainkey.mail.office.example."], "the domain that the mail is from (DMARC aligned)"
    assert not dkim.verify(raw.replace(b"Subject: ", b"Subject: Re: "), dnsfunc=dns)


@pytest.mark.parametrize(
    "changes",
    [
        {"smtp_url": "http://mail.koppel.example"},
        {"smtp_url": "smtp://"},
        {"smtp_url": "smtp://mail.koppel.example:no"},
        {"smtp_url": "smtp://mail.koppel.example?security=hope"},
        {"smtp_url": "smtp://user:pass@mail.koppel.example?security=none"},
        {"mail_from": "not an address"},
        {"mail_dkim_key_file": "/nowhere/dkim.pem"},
        {"mail_dkim_key_file": __file__},
    ],
)
def test_a_service_does_not_start_with_settings_that_cannot_work(changes: dict[str, str]) -> None:
    good = {"database_url": "postgresql://x/y", "amqp_url": "amqp://x", "smtp_url": "smtp://mail.koppel.example"}
    server = BillmailServiceSettings.model_validate(good).mail_server
    assert server is not None and server.security == "starttls"
    with pytest.raises(ValidationError):
        BillmailServiceSettings.model_validate({**good, **changes})

"""A period's documents to an office : once, under the cap, with an overview; or the notice that all is in."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from billmail.period_mails import overview
from billmail.period_mails.overview import Period
from billmail.profiles import PROFILES
from billmail.service import SERVICE
from koppel_bookkeeping import Document
from koppel_connector.testing import Testbed, document_factory, open_testbed
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind
from koppel_sandbox.mail.testing import MailSandbox

OFFICE = "kantoor@office.example"
QUARTER = {"from": "2026-01-01", "to": "2026-03-31", "address": OFFICE, "remarks": "Graag voor\nvrijdag."}


@pytest.fixture
async def testbed(mail_settings: dict[str, Any], make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, **mail_settings) as running:
        running.start(("period-mails", "imports"))
        yield running


class Office:
    """Somebody of the firm at the routes of one connection."""

    def __init__(self, testbed: Testbed, connection_id: UUID) -> None:
        self._testbed = testbed
        self.path = f"/v1/connections/{connection_id}"

    async def call(self, method: str, path: str, body: Any = None, firm: UUID | None = None) -> Any:
        scopes = ("connections:read", "connections:write", "exports:write")
        token = self._testbed.internal_services.token(firm or self._testbed.firm_id, *scopes)
        async with self._testbed.caller(token) as caller:
            return await caller.request(method, f"{self.path}{path}", json=body)

    async def send(self, **changes: Any) -> Any:
        answer = await self.call("POST", "/period-mails", {**QUARTER, **changes})
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def shown(self) -> list[Any]:
        items: list[Any] = (await self.call("GET", "/period-mails")).json()["items"]
        return items

    async def until(self, *states: str) -> Any:
        async def holds() -> bool:
            return all(each["state"] in states for each in await self.shown())

        await self._testbed.until(holds, f"every period mail is in {states}")
        return (await self.shown())[0]


async def office(testbed: Testbed, *documents: document_factory.Sample, profile: str = "self_mail") -> Office:
    for each in documents:
        testbed.ready(*each)  # dossier-api knows it; it was exported by nobody
    return Office(testbed, await testbed.connect({"profile": profile, "addresses": {"sale": OFFICE}}))


def sample(number: int, kind: DocumentKind = DocumentKind.SALES_INVOICE, **changes: Any) -> document_factory.Sample:
    made = document_factory.sample(number, kind)
    return document_factory.Sample({**made.document, **changes}, made.files)


def attachments(message: Any) -> dict[str, bytes]:
    return {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}


def unzipped(message: Any) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, content in attachments(message).items():
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                found |= {each: archive.read(each) for each in archive.namelist()}
    return found


# ── what is refused ──


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"from": "2026-03-31", "to": "2026-01-01"}, 422, None),
        ({"to": "2027-03-31"}, 422, None),
        ({"address": "a@b.example, c@d.example"}, 422, None),
        ({"address": "a@b.example\r\nBcc: x@y.example"}, 422, None),
        ({"remarks": "x" * 2001}, 422, None),
        ({"everything": True}, 422, None),
        ({"from": "2025-01-01", "to": "2025-03-31"}, 422, "nothing_to_send"),
    ],
)
async def test_a_wish_that_cannot_be_met_is_refused(
    testbed: Testbed, sandbox: MailSandbox, changes: dict[str, Any], status: int, code: str | None
) -> None:
    at = await office(testbed, sample(1))
    refused = await at.call("POST", "/period-mails", {**QUARTER, **changes})
    assert refused.status_code == status
    assert code in (None, refused.json()["code"])
    assert (await at.shown(), sandbox.mails()) == ([], [])


async def test_only_self_mail_sends_a_period_and_only_for_its_own_firm(testbed: Testbed) -> None:
    at = await office(testbed, sample(1), profile="generic")
    assert (await at.call("POST", "/period-mails", QUARTER)).json()["code"] == "no_period_mail"
    for method, path, body in (
        ("POST", "/period-mails", QUARTER),
        ("GET", "/period-mails", None),
        ("POST", "/resolve-period-mail", {"period_mail_id": str(new_id()), "decision": "resend"}),
    ):
        assert (await at.call(method, path, body, firm=new_id())).status_code == 404
    assert (
        await at.call("POST", "/resolve-period-mail", {"period_mail_id": str(new_id()), "decision": "resend"})
    ).status_code == 404


async def test_dossier_api_that_is_away_is_a_503_and_later_a_wait(testbed: Testbed, sandbox: MailSandbox) -> None:
    at = await office(testbed, sample(1))
    testbed.internal_services.down = True
    assert (await at.call("POST", "/period-mails", QUARTER)).status_code == 503
    testbed.internal_services.down = False
    await at.send()
    await at.until("sent")
    assert len(sandbox.mails()) == 1


# ── what goes ──


async def test_a_quarter_goes_in_one_mail_with_an_overview(testbed: Testbed, sandbox: MailSandbox) -> None:
    at = await office(
        testbed,
        sample(1),
        sample(2, DocumentKind.SALES_CREDIT_NOTE),
        sample(3, DocumentKind.PURCHASE_INVOICE),
        sample(4, state="awaiting_approval"),
        sample(5, state="dropped"),
        sample(6, issue_date="2026-04-01"),
    )
    asked = await at.send()
    assert (asked["state"], asked["count"], asked["open_count"]) == ("waiting", 3, 1)
    shown = await at.until("sent")
    assert (shown["parts_sent"], shown["problem"], shown["from"]) == (1, None, "2026-01-01")
    (message,) = sandbox.messages()
    assert sandbox.mails()[0]["recipients"] == [OFFICE]
    assert "01/01/2026 – 31/03/2026" in message["Subject"]
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "Graag voor\nvrijdag." in text.replace("\r\n", "\n")
    assert "1 documenten van deze periode wachten nog" in text
    files = unzipped(message)
    stems = [name.rpartition(".")[0] for name in files if name.endswith(".xml")]
    assert len(stems) == 3
    assert all(f"{stem}.pdf" in files for stem in stems), "UBL and PDF side by side"
    assert files["overzicht.pdf"].startswith(b"%PDF")
    assert [name for name in attachments(message) if name == "overzicht.pdf"], "and for whoever opens no ZIP"
    vat = list(csv.reader(io.StringIO(files["overzicht-vat.csv"].decode("utf-8-sig")), delimiter=";"))
    assert vat[0] == ["Soort", "Munt", "Categorie", "Tarief", "Maatstaf", "Btw"]
    assert {row[0] for row in vat[1:]} == {"Verkoop", "Aankoop"}


async def test_the_same_wish_again_sends_nothing_and_another_document_makes_another(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    at = await office(testbed, sample(1))
    first = await at.send()
    await at.until("sent")
    again = await at.call("POST", "/period-mails", QUARTER)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    testbed.ready(*sample(2))
    assert (await at.send())["id"] != first["id"]
    await at.until("sent")
    assert len(sandbox.mails()) == 2


async def test_everything_is_in(testbed: Testbed, sandbox: MailSandbox) -> None:
    at = await office(testbed, sample(1))
    await at.send(with_documents=False)
    await at.until("sent")
    (message,) = sandbox.messages()
    assert str(message["Subject"]).startswith("Alles is doorgegeven")
    assert set(attachments(message)) == {"overzicht.pdf", "overzicht-documents.csv", "overzicht-vat.csv"}


async def test_a_period_is_split_under_the_cap_and_what_no_mail_holds_is_named(
    testbed: Testbed, sandbox: MailSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 400_000
    monkeypatch.setitem(PROFILES, "self_mail", PROFILES["self_mail"].model_copy(update={"size_limit_bytes": limit}))
    ordinary = [
        document_factory.Sample(
            {**sample(number).document, "content": [_file("pdf", 120_000)]}, {"pdf": bytes([number]) * 120_000}
        )
        for number in range(1, 6)
    ]
    huge = document_factory.Sample({**sample(9).document, "content": [_file("pdf", 300_000)]}, {"pdf": b"x" * 300_000})
    at = await office(testbed, *ordinary, huge)
    await at.send()
    shown = await at.until("sent")
    mails = sandbox.messages()
    assert len(mails) == shown["parts_sent"] > 1
    assert all(mail["size_bytes"] <= limit for mail in sandbox.mails())
    names = [name for mail in mails for name in unzipped(mail) if name.startswith("sales")]
    assert len(names) == len(set(names)) == len(ordinary), "each document once"
    assert shown["omitted"] == [huge.document["number"]]
    assert shown["problem"]["code"] == "period_mail_without"
    assert "laatste" in mails[-1]["Subject"]


def _file(role: str, size_bytes: int) -> dict[str, Any]:
    return {"role": role, "media_type": "application/pdf", "sha256": "0" * 64, "size_bytes": size_bytes}


# ── what goes wrong ──


async def test_a_lost_answer_is_a_persons_to_judge_and_sends_no_second_mail(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    sandbox.control("rules", kind="drop_after")
    at = await office(testbed, sample(1))
    asked = await at.send()
    shown = await at.until("review")
    assert shown["problem"]["code"] == "unknown_outcome_review"
    assert len(sandbox.mails()) == 1
    decided = {"period_mail_id": asked["id"], "decision": "arrived"}
    assert (await at.call("POST", "/resolve-period-mail", decided)).json()["state"] == "sent"
    assert (await at.call("POST", "/resolve-period-mail", decided)).status_code == 404
    assert len(sandbox.mails()) == 1


async def test_a_refused_address_fails_and_goes_again_when_a_person_says(
    testbed: Testbed, sandbox: MailSandbox
) -> None:
    sandbox.control("rules", kind="refuse")
    at = await office(testbed, sample(1))
    asked = await at.send()
    shown = await at.until("failed")
    assert shown["problem"]["code"] == "address_refused"
    assert OFFICE in shown["problem"]["message"]["nl"]
    decided = {"period_mail_id": asked["id"], "decision": "resend"}
    assert (await at.call("POST", "/resolve-period-mail", decided)).status_code == 200
    await at.until("sent")
    assert len(sandbox.mails()) == 1


async def test_a_part_that_a_server_finds_too_large_says_how_large(testbed: Testbed, sandbox: MailSandbox) -> None:
    sandbox.control("switches", size_limit_bytes=3000)
    at = await office(testbed, sample(1))
    await at.send()
    shown = await at.until("failed")
    assert shown["problem"]["code"] == "mail_too_large"
    assert all("…" not in sentence for sentence in shown["problem"]["message"].values())


async def test_greylisting_passes_by_itself(testbed: Testbed, sandbox: MailSandbox) -> None:
    sandbox.control("rules", kind="refuse", reply="450 4.2.0 greylisted", times=2)
    at = await office(testbed, sample(1))
    await at.send()
    await at.until("sent")
    assert len(sandbox.mails()) == 1


async def test_what_a_process_that_died_may_have_sent_is_for_a_person(
    mail_settings: dict[str, Any], make_database: Callable[..., str], sandbox: MailSandbox
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, **mail_settings) as testbed:
        at = await office(testbed, sample(1), sample(2, DocumentKind.PURCHASE_INVOICE))
        await at.send()
        await at.send(remarks="not begun")
        died = "UPDATE period_mail SET state = 'sending', lease_until = clock_timestamp() - interval '1 second'"
        await testbed.change(f"{died} WHERE remarks <> 'not begun'")
        held = "UPDATE period_mail SET lease_until = clock_timestamp() - interval '1 second'"
        await testbed.change(f"{held} WHERE remarks = 'not begun'")
        testbed.start(("period-mails",))
        await at.until("review", "sent")
        assert {each["remarks"]: each["state"] for each in await at.shown()} == {
            QUARTER["remarks"]: "review",
            "not begun": "sent",
        }
        assert len(sandbox.mails()) == 1


# ── the overview ──


def test_vat_adds_up_by_side_currency_category_and_rate_with_credit_notes_taken_off() -> None:
    documents = [
        Document.model_validate({**sample(number, kind).document, "vat": vat})
        for number, kind, vat in (
            (1, DocumentKind.SALES_INVOICE, [_vat("S", "21", "100.00", "21.00"), _vat("S", "6", "50.00", "3.00")]),
            (2, DocumentKind.SALES_INVOICE, [_vat("S", "21", "10.05", "2.11")]),
            (3, DocumentKind.SALES_CREDIT_NOTE, [_vat("S", "21", "40.00", "8.40")]),
            (4, DocumentKind.PURCHASE_INVOICE, [_vat("AE", None, "7.00", "0")]),
        )
    ]
    table = overview.vat_table(documents, "nl")
    assert table.rows == (
        ("Aankoop", "EUR", "AE", None, Decimal("7.00"), Decimal(0)),
        ("Verkoop", "EUR", "S", Decimal(6), Decimal("50.00"), Decimal("3.00")),
        ("Verkoop", "EUR", "S", Decimal(21), Decimal("70.05"), Decimal("14.71")),
    )


def _vat(category: str, rate: str | None, base: str, tax: str) -> dict[str, Any]:
    return {"category": category, "rate": rate, "base": base, "tax": tax}


def test_remarks_stay_text() -> None:
    period = Period(date(2026, 1, 1), date(2026, 3, 31), "Bakkerij\r\nBcc: x", "0793904121", "a\u202e\x00\n\n" * 90, 0)
    text = overview.text_of(period, 3, with_documents=True, language="fr")
    assert "\u202e" not in text
    assert "\x00" not in text
    assert len(text.splitlines()) < 60
    assert "Bakkerij Bcc: x" in text

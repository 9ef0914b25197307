"""The story in order: a firm, a dossier, a connection; a real invoice goes in over HTTP and comes back booked, with its number.

It runs for every vendor that has a sandbox with a driver. The tests build on each other and run in this order.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from koppel_mesh.ids import new_id
from koppel_sandbox import Entry, Sandbox, SandboxDriver

from .firm_client import EXPORT_AT_ONCE, SAMPLES, SELLER, FirmClient, invoice


class Story(FirmClient):
    """What happened so far to one dossier of a firm."""

    dossier_id: str
    connection_id: str

    def __init__(self, partner: httpx2.Client, vendor: SandboxDriver) -> None:
        super().__init__(partner, vendor)
        self.company = vendor.open_company(SELLER)
        self.documents: dict[str, str] = {}

    @property
    def connection(self) -> str:
        return f"{self.connections}/{self.connection_id}"

    def send(self, name: str) -> httpx2.Response:
        answer = self.hand_in(self.dossier_id, (SAMPLES / f"own__be-{name}.xml").read_bytes())
        if answer.status_code in {200, 201}:
            self.documents[name] = answer.json()["id"]
        return answer

    def books(self) -> list[Entry]:
        return self.vendor.entries(self.company)


@pytest.fixture(scope="module")
def story(mesh: Any, sandbox: Sandbox) -> Iterator[Story]:
    with mesh.driver(sandbox) as vendor:
        # Limits would make the story wait for the clock; what happens then is among the promises.
        vendor.lift_limits()
        yield Story(mesh.client(new_id()), vendor)


def test_1_a_dossier_is_made(story: Story) -> None:
    body = {
        "name": "Bakkerij Demo BV",
        "enterprise_number": "BE0000.000.197",
        "language": "nl",
        "export": {"frequency": "never"},
    }
    refused = story.partner.post("/dossier-api/v1/dossiers", json=body)
    assert refused.status_code == 422
    body |= {"enterprise_number": SELLER, "export": EXPORT_AT_ONCE}
    made = story.partner.post("/dossier-api/v1/dossiers", json=body, headers={"Idempotency-Key": "story-1"})
    again = story.partner.post("/dossier-api/v1/dossiers", json=body, headers={"Idempotency-Key": "story-1"})
    assert made.status_code == again.status_code == 201
    assert made.json() == again.json()
    story.dossier_id = made.json()["id"]


def test_2_an_accountant_connects_the_dossier(story: Story) -> None:
    story.connection_id = story.add_connection(story.dossier_id)
    user = story.get(story.connection)["connected_via_user"]
    assert bool(user) == story.vendor.names_user, "the user whose rights count is named (R086)"


def test_3_the_login_shows_what_it_can_reach(story: Story) -> None:
    found = story.get(f"{story.connection}/remote-dossiers")
    by_id = {str(one["id"]): one for one in (found["items"] if isinstance(found, dict) else found)}
    assert by_id[story.company.remote_id]["reachable"]
    refused = by_id[story.vendor.company_without_rights]
    assert refused["missing_right"], "a company without rights says which right is missing"


def test_4_settings_and_master_data(story: Story) -> None:
    story.configure(story.dossier_id, story.connection_id, story.company)
    accounts = story.ledger_accounts(story.dossier_id)
    relations = story.get(f"/dossier-api/v1/dossiers/{story.dossier_id}/relations")["items"]
    assert story.company.ledger_account in {one["code"] for one in accounts}
    assert story.company.relation in {one["name"] for one in relations}

    steps: list[dict[str, Any]] = []

    def is_well() -> bool:
        checked = story.partner.post(f"{story.connection}/check")
        assert checked.status_code == 200, checked.text
        steps[:] = checked.json()["steps"]
        return all(step["ok"] for step in steps)

    # The accounts come before the VAT codes; until those are there, the check says to start the import. It costs calls.
    story.until(is_well, "each step of the check is well", lambda: steps, interval_s=1)
    shown = story.get(story.connection)
    assert shown["health"]["can_send"], shown
    if shown["company"]["is_the_dossiers"] is False:
        assert [each["reason"] for each in shown["company"]["confirmations"]] == ["a company of the sandbox"]


def test_5_an_invoice_goes_in_and_comes_back_booked(story: Story) -> None:
    sent = story.send("01-invoice-ogm-pdf")
    assert sent.status_code == 201, sent.text
    assert (sent.json()["kind"], sent.json()["number"]) == ("sales_invoice", "2026-0001")
    (shown,) = story.until_booked(sent.json()["id"])
    delivery = shown["deliveries"][0]
    assert delivery["state"] == "booked"
    assert delivery["entry_number"]
    assert delivery["entry_url"]
    [entry] = [each for each in story.books() if each.document_number == "2026-0001"]
    assert entry.entry_number == delivery["entry_number"]
    assert entry.total == Decimal("582.77")
    assert entry.payment_reference == "202600000192"
    assert entry.has_files, "PDF and UBL hang on the entry"


def test_6_the_same_bytes_again_are_the_same_document(story: Story) -> None:
    first = story.documents["01-invoice-ogm-pdf"]
    again = story.send("01-invoice-ogm-pdf")
    assert (again.status_code, again.json()["id"]) == (200, first)
    assert [each.document_number for each in story.books()].count("2026-0001") == 1


def test_7_a_locked_document_cannot_be_changed_any_more(story: Story) -> None:
    path = f"/dossier-api/v1/documents/{story.documents['01-invoice-ogm-pdf']}"
    refused = story.partner.patch(path, json={"journal": "900"})
    assert (refused.status_code, refused.json()["code"]) == (409, "document_locked")


@pytest.mark.parametrize(
    ("name", "kind", "total"),
    [
        ("02-creditnote-ref", "sales_credit_note", "-151.86"),
        ("03-AE-cocontractor", "sales_invoice", "4500.00"),
        ("04-K-intracommunity-goods", "sales_invoice", "1600.00"),
        ("05-G-export", "sales_invoice", "1000.00"),
        ("06-E-small-business", "sales_invoice", "650.00"),
        ("10-mixed-rates-allowance-charge", "sales_invoice", "258.08"),
        ("12-daily-receipts-endpoint-self", "daily_receipts", None),
        ("15-cash-discount", "sales_invoice", "1205.80"),
        ("19-basequantity-4decimals", "sales_invoice", "79.39"),
    ],
)
def test_8_every_kind_lands_in_its_journal_to_the_cent(story: Story, name: str, kind: str, total: str | None) -> None:
    sent = story.send(name)
    assert (sent.status_code, sent.json()["kind"]) == (201, kind)
    document_id = story.documents[name]
    if kind not in story.vendor.journals:
        story.until_problem(document_id, "kind_not_taken")
        return
    (shown,) = story.until_booked(document_id)
    [entry] = [each for each in story.books() if each.document_number == sent.json()["number"]]
    assert entry.entry_number == shown["deliveries"][0]["entry_number"]
    assert entry.journal == story.vendor.journals[kind]
    if total is not None:
        assert entry.total == Decimal(total)


def test_9_the_sync_log_shows_every_exchange_without_secrets(story: Story) -> None:
    document_id = story.documents["01-invoice-ogm-pdf"]
    log = story.get(f"{story.connection}/sync-log", document_id=document_id)["items"]
    assert any(story.vendor.booking_operation in line["operation"] for line in log)
    assert all(line["outcome"] for line in log)
    assert "Bearer " not in json.dumps(log)
    assert "JVBERi" not in json.dumps(log), "base64 of the PDF stands in the log"


def test_10_what_cannot_be_booked_says_why_and_who_can_help(story: Story) -> None:
    issued_on = date(2026, 1, 15)
    story.vendor.close_period(story.company, issued_on)
    document_id = story.take_in(story.dossier_id, invoice("2026-9001"))
    shown = story.until_problem(document_id, "period_closed")
    assert shown["who_can_fix"] == "accountant"
    assert all(shown["message"][language] for language in ("nl", "fr", "en"))
    story.vendor.open_period(story.company, issued_on)
    story.retry(shown)
    story.until_booked(document_id)
    assert story.problem_of(document_id) is None, "the problem is over when the document is booked"


def test_11_including_already_exported_makes_nothing_twice(story: Story) -> None:
    before = len(story.books())
    started = story.partner.post(
        f"/export-scheduler/v1/dossiers/{story.dossier_id}/exports",
        json={"document_ids": [story.documents["01-invoice-ogm-pdf"]], "include_exported": True},
    )
    assert started.status_code == 202, started.text

    path = f"/export-scheduler/v1/exports/{started.json()['id']}"
    story.until(lambda: story.get(path)["booked"] == 1, "the export")
    assert len(story.books()) == before


def test_12_an_invoice_with_an_eight_megabyte_pdf_is_booked_and_what_went_without_is_said(story: Story) -> None:
    plan = b64encode(b"%PDF-1.4\n" + bytes(range(256)) * 31_250)
    reference = b"<cac:AdditionalDocumentReference>"
    embedded = b'<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="plan.pdf">%s</cbc:'
    attached = (
        b"%s<cbc:ID>plan</cbc:ID><cac:Attachment>" + embedded + b"EmbeddedDocumentBinaryObject></cac:Attachment>%s"
    )
    closing = b"</cac:AdditionalDocumentReference>"
    content = invoice("2026-9012").replace(reference, attached % (reference, plan, closing) + reference, 1)
    document_id = story.take_in(story.dossier_id, content)
    story.until_booked(document_id)
    assert [each.document_number for each in story.books()].count("2026-9012") == 1
    (delivery,) = story.get(f"/{story.vendor.connector}/v1/deliveries", document_id=document_id)["items"]
    # A vendor that takes the whole UBL has nothing to say.
    assert [each["code"] for each in delivery["warnings"]] in ([], ["ubl_without_files"])
    assert all(warning["message"][language] for warning in delivery["warnings"] for language in ("nl", "fr", "en"))
    (of_document,) = story.document(document_id)["deliveries"]
    assert of_document["warnings"] == delivery["warnings"], "the document says it as well"
    ordinary = story.get(f"/{story.vendor.connector}/v1/deliveries", document_id=story.documents["01-invoice-ogm-pdf"])[
        "items"
    ]
    assert [each["warnings"] for each in ordinary] == [[]]

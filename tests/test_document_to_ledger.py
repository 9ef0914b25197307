"""The story in order: a firm, a dossier, a connection; a real invoice goes in over HTTP and comes back booked, with its number.

The tests build on each other and run in this order, as the story does.
"""

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from koppel_mesh.ids import new_id

SAMPLES = Path(__file__).parent.parent / "libs" / "ubl" / "tests" / "samples" / "valid"
ENTERPRISE_NUMBER = "0000000196"
DIVISION = 3090901
PATIENCE_S = 30
SETTINGS = {
    "division": DIVISION,
    "journals": {"sale": "700", "sale_credit": "710", "purchase": "600", "purchase_credit": "610", "receipts": "720"},
    "default_ledger_account": {"sale": "700000", "purchase": "604000"},
    "vat_codes": {
        "sale": {"Z": "0", "E": "VRY", "AE": "MC", "K": "ICL", "G": "EXP"},
        "purchase": {"AE": "PMC", "K": "PIC", "E": "PVR"},
    },
}


class Story:
    """What happened so far."""

    def __init__(self, mesh: Any) -> None:
        self.firm_id = new_id()
        self.partner: httpx2.Client = mesh.client(self.firm_id)
        self.sandbox = mesh.anonymous()
        self.dossier_id: UUID | None = None
        self.connection_id: UUID | None = None
        self.documents: dict[str, str] = {}

    def get(self, path: str, **params: Any) -> Any:
        answer = self.partner.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def document(self, name: str) -> Any:
        return self.get(f"/dossier-api/v1/documents/{self.documents[name]}")

    def send(self, name: str) -> httpx2.Response:
        answer = self.partner.post(
            f"/dossier-api/v1/dossiers/{self.dossier_id}/documents",
            content=(SAMPLES / f"own__be-{name}.xml").read_bytes(),
            headers={"content-type": "application/xml"},
        )
        if answer.status_code in {200, 201}:
            self.documents[name] = answer.json()["id"]
        return answer

    def books(self) -> list[dict[str, Any]]:
        found = self.sandbox.get(f"/sandbox/exact/_control/divisions/{DIVISION}/Entries")
        rows: list[dict[str, Any]] = json.loads(found.content)
        return rows

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if (found := condition()) is not None:
                return found
            time.sleep(0.1)
        raise AssertionError(
            f"{what} did not happen within {PATIENCE_S} s: {[self.document(n) for n in self.documents][-1:]}"
        )

    def until_state(self, name: str, state: str) -> Any:
        def reached() -> Any:
            found = self.document(name)
            return found if found["state"] == state else None

        return self.until(reached, f"{name} {state}")


@pytest.fixture(scope="module")
def story(run_mesh: Any) -> Iterator[Story]:
    with run_mesh(settle_s=0.2, retry_schedule_s=(0.2, 0.5, 1.0), export_patience_s=0.2) as mesh:
        yield Story(mesh)


def test_1_a_dossier_is_made(story: Story) -> None:
    body = {
        "name": "Bakkerij Demo BV",
        "enterprise_number": "BE0000.000.197",
        "language": "nl",
        "export": {"frequency": "never"},
    }
    refused = story.partner.post("/dossier-api/v1/dossiers", json=body)
    assert refused.status_code == 422
    body |= {"enterprise_number": ENTERPRISE_NUMBER}
    body["export"] = {"frequency": "after_10_minutes", "approval_required": False, "lock_after_export": True}
    made = story.partner.post("/dossier-api/v1/dossiers", json=body, headers={"Idempotency-Key": "story-1"})
    again = story.partner.post("/dossier-api/v1/dossiers", json=body, headers={"Idempotency-Key": "story-1"})
    assert made.status_code == again.status_code == 201
    assert made.json() == again.json()
    story.dossier_id = UUID(made.json()["id"])


def test_2_an_accountant_connects_exact(story: Story) -> None:
    # Sixty calls a minute would make the story wait for the clock; what happens then is told among the promises.
    story.sandbox.post("/sandbox/exact/_control/switches", json={"minute_limit": 600})
    made = story.partner.post(
        "/connector-exact/v1/connections", json={"dossier_id": str(story.dossier_id), "settings": {}}
    )
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "authorising"
    story.connection_id = UUID(made.json()["id"])
    consent = story.sandbox.get(made.json()["authorize_url"])
    assert consent.status_code == 302
    landed = story.sandbox.get(consent.headers["location"])
    assert landed.status_code < 400, landed.text

    def connected() -> Any:
        shown = story.get(f"/connector-exact/v1/connections/{story.connection_id}")
        return shown if shown["state"] in {"connected", "degraded"} else None

    shown = story.until(connected, "the connection")
    assert shown["connected_via_user"], "the user whose rights count is named (R086)"


def test_3_the_login_shows_what_it_can_reach(story: Story) -> None:
    found = story.get(f"/connector-exact/v1/connections/{story.connection_id}/remote-dossiers")
    by_id = {str(one["id"]): one for one in (found["items"] if isinstance(found, dict) else found)}
    assert by_id["3090901"]["reachable"]
    assert by_id["3090903"]["missing_right"], "a company without rights says which right is missing"


def test_4_settings_and_masters(story: Story) -> None:
    path = f"/connector-exact/v1/connections/{story.connection_id}"
    changed = story.partner.patch(path, json={"settings": SETTINGS})
    assert changed.status_code == 200, changed.text
    assert story.partner.post(f"{path}/import").status_code == 202

    def imported() -> Any:
        accounts = story.get(f"/dossier-api/v1/dossiers/{story.dossier_id}/ledger-accounts")["items"]
        relations = story.get(f"/dossier-api/v1/dossiers/{story.dossier_id}/relations")["items"]
        return (accounts, relations) if accounts and relations else None

    accounts, relations = story.until(imported, "the import")
    assert "700000" in {one["code"] for one in accounts}
    assert "Brasserie Het Anker BV" in {one["name"] for one in relations}
    checked = story.partner.post(f"{path}/check")
    assert checked.status_code == 200, checked.text
    steps = checked.json()
    steps = steps["steps"] if isinstance(steps, dict) else steps
    assert all(step["ok"] for step in steps), steps


def test_5_an_invoice_goes_in_and_comes_back_booked(story: Story) -> None:
    sent = story.send("01-invoice-ogm-pdf")
    assert sent.status_code == 201, sent.text
    assert (sent.json()["kind"], sent.json()["number"]) == ("sales_invoice", "2026-0001")
    shown = story.until_state("01-invoice-ogm-pdf", "booked")
    delivery = shown["deliveries"][0]
    assert delivery["state"] == "booked"
    assert delivery["entry_number"]
    assert delivery["entry_url"]
    entry = next(row for row in story.books() if row["YourRef"] == "2026-0001")
    assert str(entry["EntryNumber"]) == delivery["entry_number"]
    assert Decimal(entry["AmountFC"]) == Decimal("582.77")
    assert entry["PaymentReference"].replace("+", "").replace("/", "") == "202600000192"
    assert entry["Document"], "PDF and UBL hang on a document of the entry"


def test_6_the_same_bytes_again_are_the_same_document(story: Story) -> None:
    first = story.documents["01-invoice-ogm-pdf"]
    again = story.send("01-invoice-ogm-pdf")
    assert (again.status_code, again.json()["id"]) == (200, first)
    assert len([row for row in story.books() if row["YourRef"] == "2026-0001"]) == 1


def test_7_a_locked_document_cannot_be_changed_any_more(story: Story) -> None:
    path = f"/dossier-api/v1/documents/{story.documents['01-invoice-ogm-pdf']}"
    refused = story.partner.patch(path, json={"journal": "900"})
    assert (refused.status_code, refused.json()["code"]) == (409, "document_locked")


@pytest.mark.parametrize(
    ("name", "journal", "total"),
    [
        ("02-creditnote-ref", "710", "-151.86"),
        ("03-AE-cocontractor", "700", "4500.00"),
        ("04-K-intracommunity-goods", "700", "1600.00"),
        ("05-G-export", "700", "1000.00"),
        ("06-E-small-business", "700", "650.00"),
        ("10-mixed-rates-allowance-charge", "700", "258.08"),
        ("12-daily-receipts-endpoint-self", "720", None),
        ("15-cash-discount", "700", "1205.80"),
        ("19-basequantity-4decimals", "700", "79.39"),
    ],
)
def test_8_every_kind_lands_in_its_journal_to_the_cent(
    story: Story, name: str, journal: str, total: str | None
) -> None:
    assert story.send(name).status_code == 201
    shown = story.until_state(name, "booked")
    entry = next(row for row in story.books() if str(row["EntryNumber"]) == shown["deliveries"][0]["entry_number"])
    assert entry["Journal"] == journal
    if total is not None:
        assert Decimal(entry["AmountFC"]) == Decimal(total)


def test_9_the_sync_log_tells_every_exchange_without_secrets(story: Story) -> None:
    document_id = story.documents["01-invoice-ogm-pdf"]
    log = story.get(f"/connector-exact/v1/connections/{story.connection_id}/sync-log", document_id=document_id)["items"]
    operations = [line["operation"] for line in log]
    assert any("SalesEntries" in one for one in operations)
    assert all(line["outcome"] for line in log)
    assert "Bearer " not in json.dumps(log)
    assert "JVBERi" not in json.dumps(log), "base64 of the PDF stands in the log"


def test_10_what_cannot_be_booked_says_why_and_who_can_help(story: Story) -> None:
    closed = {"division": DIVISION, "journal": "700", "year": 2026, "period": 1}
    story.sandbox.post("/sandbox/exact/_control/period", json=closed)
    body = (SAMPLES / "own__be-01-invoice-ogm-pdf.xml").read_bytes().replace(b"2026-0001", b"2026-9001")
    sent = story.partner.post(
        f"/dossier-api/v1/dossiers/{story.dossier_id}/documents",
        content=body,
        headers={"content-type": "application/xml"},
    )
    assert sent.status_code == 201, sent.text
    story.documents["closed"] = sent.json()["id"]

    def problem() -> Any:
        found = [
            one
            for one in story.get("/dossier-api/v1/problems")["items"]
            if one["document_id"] == story.documents["closed"]
        ]
        return found[0] if found else None

    shown = story.until(problem, "the problem")
    assert shown["code"] == "period_closed"
    assert shown["who_can_fix"] == "accountant"
    assert all(shown["message"][language] for language in ("nl", "fr", "en"))
    story.sandbox.post("/sandbox/exact/_control/period", json=closed | {"closed": False})
    assert story.partner.post(f"/dossier-api/v1/problems/{shown['id']}/retry").status_code in {200, 202, 204}
    story.until_state("closed", "booked")
    assert problem() is None, "the problem is over when the document is booked"


def test_11_including_already_exported_makes_nothing_twice(story: Story) -> None:
    before = len(story.books())
    started = story.partner.post(
        f"/export-scheduler/v1/dossiers/{story.dossier_id}/exports",
        json={"document_ids": [story.documents["01-invoice-ogm-pdf"]], "include_exported": True},
    )
    assert started.status_code == 202, started.text

    def done() -> Any:
        progress = story.get(f"/export-scheduler/v1/exports/{started.json()['id']}")
        return progress if progress["booked"] == 1 else None

    story.until(done, "the export")
    assert len(story.books()) == before

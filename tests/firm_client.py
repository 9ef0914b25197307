"""A firm at work: it keeps dossiers, connects them to companies at a vendor's sandbox, files documents.

All it does goes over HTTP, with the firm's own token, as a partner's software would.
"""

import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from koppel_sandbox import Company, SandboxDriver

SAMPLES = Path(__file__).parent.parent / "libs" / "ubl" / "tests" / "samples" / "valid"
INVOICE = "own__be-01-invoice-ogm-pdf.xml"
SELLER, NUMBER = "0000000196", "2026-0001"
"""Whose sales invoice ``INVOICE`` is, and its number."""
PATIENCE_S = 180.0
EXPORT_AT_ONCE = {"frequency": "after_10_minutes", "approval_required": False, "lock_after_export": True}


def invoice(number: str, seller: str = SELLER) -> bytes:
    """Return a sales invoice with this number, of the firm with this enterprise number."""
    content = (SAMPLES / INVOICE).read_bytes()
    return content.replace(NUMBER.encode(), number.encode()).replace(SELLER.encode(), seller.encode())


class FirmClient:
    """One firm, and the vendor at which it books.

    Args:
        partner: a client with the firm's token.
        vendor: the sandbox's driver.
    """

    def __init__(self, partner: httpx2.Client, vendor: SandboxDriver) -> None:
        self.partner = partner
        self.vendor = vendor

    def get(self, path: str, **params: Any) -> Any:
        answer = self.partner.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add_dossier(self, name: str, enterprise_number: str = SELLER) -> str:
        body = {"name": name, "enterprise_number": enterprise_number, "language": "nl", "export": EXPORT_AT_ONCE}
        made = self.partner.post("/dossier-api/v1/dossiers", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    @property
    def connections(self) -> str:
        """The path of the connector's connections."""
        return f"/{self.vendor.connector}/v1/connections"

    def add_connection(self, dossier_id: str) -> str:
        """Make a connection, and give the vendor's consent for it where it is asked; return its id once it is connected."""
        body = {"dossier_id": dossier_id, "settings": dict(self.vendor.login)}
        made = self.partner.post(self.connections, json=body)
        assert made.status_code == 201, made.text
        connection = made.json()
        if connection.get("authorize_url"):
            assert connection["state"] == "authorising"
            landed = httpx2.get(connection["authorize_url"], follow_redirects=True, timeout=30, trust_env=False)
            assert landed.status_code < 400, landed.text
        path = f"{self.connections}/{connection['id']}"
        self.until(lambda: self.get(path)["state"] in {"connected", "degraded"}, "the connection")
        return str(connection["id"])

    def configure(self, dossier_id: str, connection_id: str, company: Company) -> None:
        """Say where what is booked, wait for the company's master data, and confirm it where it is not the dossier's."""
        path = f"{self.connections}/{connection_id}"
        changed = self.partner.patch(path, json={"settings": dict(company.settings)})
        assert changed.status_code == 200, changed.text
        assert self.partner.post(f"{path}/import").status_code == 202
        self.until(lambda: self.get(path)["company"]["compared_at"], "the comparison of the company")
        self.until(lambda: self.ledger_accounts(dossier_id), "the import")
        problem = self.get(path)["health"]["problem"]
        if problem is not None and problem["code"] == "other_company":
            # The companies of a sandbox have numbers of their own, and the dossiers those of the samples.
            confirmed = self.partner.post(f"{path}/confirm-company", json={"reason": "a company of the sandbox"})
            assert confirmed.status_code == 200, confirmed.text

    def connect(self, dossier_id: str, company: Company) -> str:
        connection_id = self.add_connection(dossier_id)
        self.configure(dossier_id, connection_id, company)
        return connection_id

    def ledger_accounts(self, dossier_id: str) -> Any:
        return self.get(f"/dossier-api/v1/dossiers/{dossier_id}/ledger-accounts", limit=200)["items"]

    def hand_in(self, dossier_id: str, content: bytes, **headers: str) -> httpx2.Response:
        path = f"/dossier-api/v1/dossiers/{dossier_id}/documents"
        return self.partner.post(path, content=content, headers={"content-type": "application/xml"} | headers)

    def take_in(self, dossier_id: str, content: bytes, **headers: str) -> str:
        """Hand a document in that must be taken; return its id."""
        answer = self.hand_in(dossier_id, content, **headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def document(self, document_id: str) -> Any:
        return self.get(f"/dossier-api/v1/documents/{document_id}")

    def states(self, document_ids: Collection[str]) -> list[str]:
        return [self.document(each)["state"] for each in document_ids]

    def problem_of(self, document_id: str) -> Any:
        """Return the document's open problem; None when there is none."""
        found = self.get("/dossier-api/v1/problems", limit=200)["items"]
        return next((one for one in found if one["document_id"] == document_id), None)

    def until_problem(self, document_id: str, code: str) -> Any:
        return self.until(
            lambda: (found := self.problem_of(document_id)) and found["code"] == code and found,
            f"the problem {code}",
            lambda: (self.problem_of(document_id), self.document(document_id)),
        )

    def retry(self, problem: dict[str, Any]) -> None:
        """Have the delivery of a problem tried, or looked up, again now."""
        answer = self.partner.post(f"/dossier-api/v1/problems/{problem['id']}/retry")
        assert answer.status_code == 202, answer.text

    def until_booked(self, *document_ids: str) -> list[Any]:
        """Wait until every document is booked; return them as shown.

        It asks for one at a time: asking for all again and again keeps the mesh from booking them.
        """
        shown = []
        for each in document_ids:
            self.until(partial(self._is_booked, each), "every document is booked", partial(self.document, each))
            shown.append(self.document(each))
        return shown

    def _is_booked(self, document_id: str) -> bool:
        return bool(self.document(document_id)["state"] == "booked")

    # ── waiting ──

    def until(
        self, condition: Callable[[], Any], what: str, shown: Callable[[], Any] = lambda: "", *, interval_s: float = 0.1
    ) -> Any:
        """Return what ``condition`` gives once it gives something."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(interval_s)
        raise AssertionError(f"{what}: not within {PATIENCE_S:.0f} s {shown()}")

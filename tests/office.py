"""A dossier at work: documents go in, and what becomes of them is read from the books."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from koppel_mesh.ids import new_id
from koppel_sandbox import Company, Entry, Sandbox

from .firm_client import SELLER, FirmClient

MEDIA_TYPES = {".cod": "text/plain", ".xml": "application/xml"}


@dataclass
class Office:
    """A dossier, connected to a company at the vendor."""

    firm: FirmClient
    dossier_id: str
    company: Company
    connection_id: str

    @property
    def connection(self) -> Any:
        """The connection as it is shown now."""
        return self.firm.get(f"{self.firm.connections}/{self.connection_id}")

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Change settings of the connection."""
        path = f"{self.firm.connections}/{self.connection_id}"
        answer = self.firm.partner.patch(path, json={"settings": dict(settings)})
        assert answer.status_code == 200, answer.text

    def take_in(self, content: bytes | Path) -> Any:
        """Hand in a document that must be taken; return it as shown."""
        suffix = content.suffix if isinstance(content, Path) else ".xml"
        data = content.read_bytes() if isinstance(content, Path) else content
        answer = self.firm.hand_in(self.dossier_id, data, **{"content-type": MEDIA_TYPES[suffix]})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def booked(self, document: Any) -> Entry:
        """Wait until a document is booked; return its entry."""
        (shown,) = self.firm.until_booked(document["id"])
        (delivery,) = shown["deliveries"]
        known = (document["number"], delivery["entry_number"])
        entries = self.firm.vendor.entries(self.company)
        [entry] = [each for each in entries if (each.document_number, each.entry_number) == known]
        return entry

    def answer(self, document: Any, question: str, given: str) -> Any:
        """Answer a question about a document; return it as shown then."""
        path = f"/dossier-api/v1/documents/{document['id']}/answers"
        answer = self.firm.partner.post(path, json={"question": question, "answer": given})
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def open_office(mesh: Any, sandbox: Sandbox, enterprise_number: str = SELLER) -> Iterator[Office]:
    """Give a dossier of a new firm that books in a new company of a sandbox."""
    with mesh.driver(sandbox) as vendor:
        vendor.lift_limits()
        firm, company = FirmClient(mesh.client(new_id()), vendor), vendor.open_company(enterprise_number)
        dossier_id = firm.add_dossier("Proefwinkel Linde BV", enterprise_number)
        connection_id = firm.connect(dossier_id, company)
        office = Office(firm, dossier_id, company, connection_id)
        if vendor.connector == "connector-octopus":
            office.configure({"allow_foreign_currency": True})
        yield office

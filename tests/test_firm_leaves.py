"""Two firms with something in every service. One takes its data along and leaves; nothing of the other changes.

What each part would miss without its guard: a table that no declaration names, a secret in the copy, rows or bytes of the
other firm, a delivery after the firm left, and the entry number of an invoice that the tax office may still ask for.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import asyncpg
import httpx2
import pytest
from sqlalchemy import Date, DateTime
from typer.testing import CliRunner

from dossier_api import erasing
from dossier_api.service import SERVICE as DOSSIER_API
from koppel_local.cli import app
from koppel_mesh.auth import SCOPES
from koppel_mesh.database import schema_of
from koppel_mesh.firm_data.export import holdings_of
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.runtime import open_context, open_resources

from .conftest import SECRET
from .every_target import Dossier, HandedIn, Vendors, invoice_of, statement_of
from .firm_client import SELLER
from .test_openapi_isolation import CASH_IN
from .webhook_receiver import Receiver

PATIENCE_S = 120.0
PDF = b"%PDF-1.4\nan invoice on paper\n%%EOF"
SHARED = invoice_of("SHARED-1")
ENDED_BY_THEIR_SERVICE = {"audit_entry", "entry", "seal", "receipt_book"}
"""What services end by rules of their own, and what these stand in."""


@dataclass
class Firm:
    """A firm with something in every service."""

    id: UUID
    client: httpx2.Client
    client_id: str
    secret: str
    dossier: Dossier
    documents: dict[str, HandedIn] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    """What no copy may show."""

    def hand_in(self, document: HandedIn) -> str:
        path = f"/dossier-api/v1/dossiers/{self.dossier.id}/documents?direction=sale"
        made = self.client.post(path, content=document.content, headers={"content-type": document.media_type})
        assert made.status_code == 201, made.text
        self.documents[made.json()["id"]] = document
        return str(made.json()["id"])

    def until_ended(self) -> None:
        until(
            lambda: all(self.dossier.has_ended(self.client, *each) for each in self.documents.items()),
            self.shown,
        )

    def shown(self) -> str:
        """Say where the documents are."""
        found = [self.client.get(f"/dossier-api/v1/documents/{each}").json() for each in self.documents]
        return "\n".join(f"{each['number']} {each['state']} {each['deliveries']}" for each in found)


def until(condition: Callable[[], Any], shown: Callable[[], str] = lambda: "") -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, shown()
        time.sleep(0.1)


def made(answer: httpx2.Response) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json()


def open_firm(mesh: Any, vendors: Vendors, receiver: Receiver, number: int) -> Firm:
    """Make a firm; its number says which companies and mailboxes are its own."""
    firm_id = new_id()
    client_id, secret = mesh._credentials(firm_id, sorted(SCOPES))
    client = mesh.anonymous({"authorization": f"Bearer {mesh._token(client_id, secret)}"})
    rules = {"frequency": "after_10_minutes", "approval_required": False, "lock_after_export": False}
    body = {"name": f"Bakkerij {number}", "enterprise_number": SELLER, "language": "nl", "export": rules}
    dossier_id = made(client.post("/dossier-api/v1/dossiers", json=body | {"email": f"baker{number}@example.be"}))["id"]
    firm = Firm(firm_id, client, client_id, secret, Dossier(vendors.targets(number), dossier_id), secrets=[secret])
    firm.dossier.connect(client)
    wanted = {"url": receiver.url, "event_types": ["document.received", "delivery.booked"]}
    receiver.secret = made(client.post("/webhooks/v1/endpoints", json=wanted))["secret"]
    firm.secrets.append(receiver.secret.removeprefix("whsec_"))
    for document in (SHARED, invoice_of(f"OWN-{number}")):
        firm.hand_in(document)
    bank = f"/dossier-api/v1/dossiers/{dossier_id}/documents"
    made(client.post(bank, content=statement_of(1).content, headers={"content-type": "text/plain"}))
    _at_the_till(firm)
    _consent(mesh, firm)
    bare = f"/dossier-api/v1/dossiers/{dossier_id}/documents?direction=purchase"
    made(client.post(bare, content=PDF, headers={"content-type": "application/pdf"}))
    firm.until_ended()
    return firm


def _at_the_till(firm: Firm) -> None:
    at = f"/pos-ingest/v1/dossiers/{firm.dossier.id}"
    book = made(
        firm.client.post(f"{at}/receipt-books", json={"name": "Winkel", "number_format": "W-{InvoiceNumber:5}"})
    )
    takings = {"external_reference": "a", "lines": [{"vat_rate": "6", "amount": "106.00"}]}
    made(firm.client.put(f"{at}/receipt-books/{book['id']}/days/2026-03-08", json=takings))
    _cash_and_tickets(firm, at, book["id"])
    key = made(firm.client.post(f"{at}/scrada-keys", json={"name": "Kassa"}))
    firm.secrets += [key["password"], key["api_key"]]


def _cash_and_tickets(firm: Firm, at: str, book_id: str) -> None:
    drawer = {"name": "Kas", "start_date": "2026-03-01", "start_balance": "0.00"}
    cash_book = made(firm.client.post(f"{at}/cash-books", json=drawer))["id"]
    made(firm.client.post(f"{at}/cash-books/{cash_book}/counts", json={"date": "2026-03-09", "counted": "1.00"}))
    firm.client.patch(f"{at}/receipt-books/{book_id}", json={"cash_book_id": cash_book}).raise_for_status()
    registers = {"items": [{"name": "K1", "receipt_book_id": book_id}]}
    firm.client.put(f"{at}/registers", json=registers).raise_for_status()
    firm.client.post(f"{at}/tickets", json=[CASH_IN]).raise_for_status()
    firm.client.put(f"{at}/registers/K1/days/2026-03-09/z-totals", json={"vat_totals": []}).raise_for_status()
    firm.client.post(f"{at}/receipt-books/{book_id}/close", json={"through": "2026-03-08"}).raise_for_status()
    billed = {"number": "X-1", "issue_date": "2026-03-09", "customer": {"name": "Klant"}}
    line = {"name": "Brood", "price": "1.00", "vat_rate": "6"}
    made(firm.client.post(f"{at}/sales-invoices", json=billed | {"lines": [line]}))
    made(firm.client.post(f"{at}/invoice-books", json={"name": "Web"}))


def _consent(mesh: Any, firm: Firm) -> None:
    partner = {"client_id": f"p-{firm.id}", "name": "Partner", "kind": "partner", "scopes": ["documents:read"]}
    firm.secrets.append(made(mesh.client(None).post("/identity/v1/clients", json=partner))["client_secret"])
    consenting = {"client_id": partner["client_id"], "scopes": partner["scopes"]}
    made(firm.client.post("/identity/v1/consents", json=consenting))


@dataclass
class World:
    mesh: Any
    vendors: Vendors
    leaving: Firm
    staying: Firm
    received: Receiver
    """The webhooks of the firm that leaves."""

    def koppel(self, *arguments: str, code: int = 0) -> str:
        environment = {"KOPPEL_PUBLIC_URL": self.mesh.url, "KOPPEL_SERVICE_CLIENT_SECRET": SECRET}
        done = CliRunner().invoke(app, ["firm", *arguments], env=environment)
        assert done.exit_code == code, done.output
        return str(done.output)

    def archive(self, firm: Firm, file: Path) -> dict[str, bytes]:
        self.koppel("export", str(firm.id), str(file))
        with ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def rows(self, query: str, *values: Any) -> list[Any]:
        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.mesh.database_url)
            try:
                return list(await connection.fetch(query, *values))
            finally:
                await connection.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def world(run_mesh: Any) -> Iterator[World]:
    with ExitStack() as stack:
        vendors, environment = Vendors.started(stack)
        settings = {name.removeprefix("KOPPEL_").lower(): value for name, value in environment.items()}
        receivers = [stack.enter_context(Receiver().serving()) for _ in range(2)]
        mesh = stack.enter_context(
            run_mesh(settle_s=0.2, retry_schedule_s=(0.2,) * 8, export_patience_s=0.2, **settings)
        )
        leaving, staying = (open_firm(mesh, vendors, receiver, number) for number, receiver in enumerate(receivers))
        yield World(mesh, vendors, leaving, staying, receivers[0])


def rows_of(archive: dict[str, bytes]) -> dict[str, list[Any]]:
    """Return the lines of each service but the last, which says how many they are."""
    found = {}
    for name, content in archive.items():
        if name.startswith("rows/"):
            *lines, last = [json.loads(line) for line in content.splitlines()]
            assert last == {"end": True, "rows": len(lines)}, name
            found[name.removeprefix("rows/").removesuffix(".ndjson")] = lines
    return found


def keys_of(archive: dict[str, bytes]) -> set[str]:
    """Return what names each row, whatever else of it changes by itself."""
    return {
        f"{service} {line['table']} {line['row'].get('id') or line['row'].get('document_id') or line['row'].get('kid')}"
        for service, lines in rows_of(archive).items()
        for line in lines
    }


def test_a_copy_holds_all_of_one_firm_and_no_secret(world: World, tmp_path: Path) -> None:
    firm, other = world.leaving, world.staying
    archive = world.archive(firm, tmp_path / "firm.zip")
    rows = rows_of(archive)
    assert set(rows) == {name for name, service in world.mesh.services.items() if service.lineages}
    assert all(rows.values()), {name for name, lines in rows.items() if not lines}
    whole = b"".join(archive.values())
    for hidden in [*firm.secrets, *other.secrets]:
        assert hidden.encode() not in whole
    for foreign in (str(other.id), other.dossier.id, other.client_id, *other.documents):
        assert foreign.encode() not in whole
    files = {name.split("/")[1]: content for name, content in archive.items() if name.startswith("files/")}
    for document_id, document in firm.documents.items():
        assert document.content in [
            content for name, content in archive.items() if name.startswith(f"files/{document_id}/")
        ]
    assert PDF in files.values()
    assert b"What Koppel holds" in archive["README.txt"] and not list(tmp_path.glob("*.part"))


def test_no_copy_is_left_that_is_not_whole(world: World, tmp_path: Path) -> None:
    """A file is damaged on the disk: the command says which, and writes nothing under the name that was asked for."""
    (stored,) = world.mesh.blob_folder.rglob(sha256(PDF).hexdigest())
    stored.write_bytes(PDF[:-1] + b"!")
    said = world.koppel("export", str(world.leaving.id), str(tmp_path / "firm.zip"), code=1)
    stored.write_bytes(PDF)
    assert "is not the file that its document names" in said and list(tmp_path.iterdir()) == []
    (tmp_path / "firm.zip").write_bytes(b"of somebody")
    assert "is there already" in world.koppel("export", str(world.leaving.id), str(tmp_path / "firm.zip"), code=1)
    assert (tmp_path / "firm.zip").read_bytes() == b"of somebody"


def test_deleting_asks_for_the_id_again(world: World) -> None:
    said = world.koppel("delete", str(world.leaving.id), "--confirm", str(world.staying.id), code=1)
    assert "nothing was deleted" in said
    assert world.leaving.client.get("/dossier-api/v1/dossiers").json()["items"]
    shown = world.koppel("holdings", str(world.leaving.id))
    assert "VAT code, article 60" in shown and "deletion" not in shown


def test_a_firm_leaves_and_the_other_notices_nothing(world: World, tmp_path: Path) -> None:
    firm, other = world.leaving, world.staying
    before = keys_of(world.archive(other, tmp_path / "before.zip"))
    sent = {target: target.held([*firm.documents.values()]) for target in firm.dossier.targets}
    events = len(world.received.events)
    world.koppel("delete", str(firm.id), "--confirm", str(firm.id))
    until(lambda: firm.client.get("/dossier-api/v1/dossiers").status_code == 401)
    with world.mesh.anonymous() as nobody:
        form = {"grant_type": "client_credentials", "client_id": firm.client_id, "client_secret": firm.secret}
        assert nobody.post("/identity/oauth/token", data=form).status_code == 401
    operator = world.mesh.client(None)
    for document_id, document in firm.documents.items():
        shown = operator.get(f"/dossier-api/v1/documents/{document_id}").json()
        role = "coda" if document.is_statement else "ubl"
        content = operator.get(f"/dossier-api/v1/documents/{document_id}/content/{role}").content
        assert content == document.content
        entered = [each["entry_number"] for each in shown["deliveries"] if each["state"] == "booked"]
        assert document.is_statement or (entered and all(entered)), shown
    assert world.rows(_ENTRIES, firm.id), "the sealed book is still there"
    for table in ("connector_exact.oauth_token", "connector_octopus.master", "webhooks.secret", "webhooks.endpoint"):
        assert len(world.rows(f"SELECT 1 FROM {table}")) == len(world.rows(_OF[table], other.id)), table
    for table in ("dossier_api.relation", "dossier_api.ledger_account"):
        assert world.rows(f"SELECT 1 FROM {table} WHERE dossier_id = $1", UUID(firm.dossier.id)) == []
    for table in ("pos_ingest.scrada_key", "identity.client", "export_scheduler.document", "connector_coda.account"):
        assert world.rows(f"SELECT 1 FROM {table} WHERE firm_id = $1", firm.id) == [], table

    assert keys_of(world.archive(other, tmp_path / "after.zip")) >= before
    other.hand_in(invoice_of("LATER-1"))
    other.until_ended()
    other.dossier.each_holds_once(other.documents.values())
    assert {target: target.held([*firm.documents.values()]) for target in firm.dossier.targets} == sent
    assert len(world.received.events) == events
    world.koppel("delete", str(firm.id), "--confirm", str(firm.id))


_ENTRIES = "SELECT 1 FROM pos_ingest.entry e JOIN pos_ingest.receipt_book b ON b.id = e.book_id WHERE b.firm_id = $1"
_BY_CONNECTION = "SELECT 1 FROM {0}.{1} x JOIN {0}.connection c ON c.id = x.connection_id WHERE c.firm_id = $1"
_OF = {
    "connector_exact.oauth_token": _BY_CONNECTION.format("connector_exact", "oauth_token"),
    "connector_octopus.master": _BY_CONNECTION.format("connector_octopus", "master"),
    "webhooks.secret": "SELECT 1 FROM webhooks.secret s JOIN webhooks.endpoint e ON e.id = s.endpoint_id WHERE firm_id = $1",
    "webhooks.endpoint": "SELECT 1 FROM webhooks.endpoint WHERE firm_id = $1",
}


def test_when_its_years_are_over_the_rest_goes_too(world: World) -> None:
    """Rows are made eleven years older; the bytes of the other firm stay, though they are the same."""
    firm = world.leaving
    asyncio.run(_years_pass(world, firm.id))
    world.koppel("delete", str(firm.id), "--confirm", str(firm.id))
    shown = world.koppel("holdings", str(firm.id))
    left = {line.split()[1] for line in shown.splitlines()[1:] if line.split()[0] in world.mesh.services}
    assert left <= ENDED_BY_THEIR_SERVICE, shown
    asyncio.run(_erase(world))
    stored = {path.name for path in world.mesh.blob_folder.rglob("*") if path.is_file()}
    hashes = {document.key: sha256(document.content).hexdigest() for document in firm.documents.values()}
    assert hashes["OWN-0"] not in stored and hashes["SHARED-1"] in stored
    assert sha256(PDF).hexdigest() in stored, "the other firm has the same"


async def _years_pass(world: World, firm_id: UUID) -> None:
    connection = await asyncpg.connect(world.mesh.database_url)
    await connection.execute("SET session_replication_role = replica")  # a sealed book is not changed otherwise
    for name, service in world.mesh.services.items():
        await connection.execute(f"SET search_path TO {schema_of(name)}")
        for holding in holdings_of(service) if service.lineages else ():
            moments = [column for column in holding.table.columns if isinstance(column.type, Date | DateTime)]
            if not holding.kept_because or not moments:
                continue
            earlier = ", ".join(f"{column.name} = {column.name} - interval '11 years'" for column in moments)
            aged = Statement(f"UPDATE {holding.table.name} SET {earlier} WHERE {holding.of_firm}")
            await connection.execute(aged.sql, firm_id)
    await connection.close()


async def _erase(world: World) -> None:
    url = world.mesh.database_url
    settings = DOSSIER_API.settings(
        database_url=url, amqp_url=world.mesh.amqp_url, blob_url=world.mesh.blob_folder.as_uri()
    )
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE dossier_api.content_to_erase SET marked_at = marked_at - interval '2 hours'")
    await connection.close()
    async with open_context(DOSSIER_API, settings) as context, open_resources(context):
        while await erasing.erase_next(context):
            pass

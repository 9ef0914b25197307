"""connector-coda on a real database: facts are handed to its handlers as the inbox does, its loops are driven by the test."""

import itertools
import json
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from connector_coda import arranging, reading, releasing
from connector_coda.service import SERVICE
from connector_coda.settings import CodaSettings
from koppel_coda import Statement
from koppel_mesh.auth import Caller, InvalidToken
from koppel_mesh.clock import utc_now
from koppel_mesh.database import Database
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.server import build_app
from koppel_mesh.ids import new_id
from koppel_mesh.messages import (
    ConnectionChanged,
    ConnectionState,
    DeliveryChanged,
    DeliveryState,
    DocumentChanged,
    DocumentKind,
    DocumentReady,
    DocumentState,
    DossierChanged,
    EventData,
    ExportRules,
    ProblemData,
    Trigger,
    open_envelope,
)
from koppel_mesh.service import Context

from .samples import OUR_NAME, OURS, coda

FIRM = new_id()


class Tokens:
    """Stands where the issuer's verifier stands; the token's text is ``firm scope scope``."""

    async def verify(self, token: str) -> Caller:
        if not token.startswith("firm="):
            raise InvalidToken("unknown")
        firm, *scopes = token.removeprefix("firm=").split(",")
        return Caller("tester", UUID(firm) if firm else None, frozenset(scopes))


class DossierApi:
    """Stands where the other services are reached: has documents and dossiers, and files what it is sent."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.dossiers: dict[str, dict[str, Any]] = {}
        self.filed: list[tuple[str, bytes]] = []
        self.away = False

    async def get_bytes(self, path: str, **_: Any) -> bytes:
        if self.away:
            raise InternalCallError(None, "no_answer")
        assert path.startswith("/dossier-api/v1/documents/") and path.endswith("/content/coda")
        return self.contents[path.split("/")[4]]

    async def get_json(self, path: str, **_: Any) -> Any:
        if self.away:
            raise InternalCallError(None, "no_answer")
        if (found := self.dossiers.get(path.rpartition("/")[2])) is None:
            raise InternalCallError(404, "not_found")
        return found

    async def request(self, method: str, path: str, *, content: bytes, **_: Any) -> Any:
        if self.away:
            raise InternalCallError(None, "no_answer")
        assert (method, path.rpartition("/")[2]) == ("POST", "documents")
        is_new = (path, content) not in self.filed
        if is_new:
            self.filed.append((path, content))
        body = json.dumps({"id": str(new_id()), "state": "filed"}).encode()
        return type("Answer", (), {"status": 201 if is_new else 200, "content": body})()


class Coda:
    """The service's handlers, loops and routes without its broker; several of them may work on one database."""

    def __init__(self, database: Database, dossier_api: DossierApi, **settings: Any) -> None:
        known: dict[str, Any] = {"statement_patience_s": 0.0, **settings}
        unused: Any = None
        configured = CodaSettings(database_url="postgresql://unused", amqp_url="amqp://unused", **known)
        self.database = database
        self.dossier_api = dossier_api
        mesh: Any = dossier_api
        tokens: Any = Tokens()
        self.context = Context(SERVICE, configured, database, unused, mesh, tokens, unused, unused)
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=build_app(SERVICE, self.context)), base_url="http://coda"
        )
        self.dossier_id = new_id()
        self.connections: list[UUID] = []
        self._versions = itertools.count(1)

    # ── facts in ──

    async def deliver(self, *facts: EventData) -> None:
        """Hand facts to their handlers, as the inbox does: one transaction, grouped by type."""
        async with self.database.transaction() as tx:
            for event, handle in SERVICE.handlers.items():
                if group := [fact for fact in facts if type(fact) is event]:
                    await handle(self.context, tx, group)

    async def dossier(
        self, *, name: str = OUR_NAME, number: str = OURS, firm_id: UUID = FIRM, connections: int = 1
    ) -> UUID:
        """Make a dossier and its connections; what comes next is of this one."""
        self.dossier_id, self.connections = new_id(), []
        await self.deliver(
            DossierChanged(
                dossier_id=self.dossier_id,
                firm_id=firm_id,
                name=name,
                enterprise_number=number,
                language="nl",
                export=ExportRules(),
                version=1,
            )
        )
        self.dossier_api.dossiers[str(self.dossier_id)] = {
            "firm_id": str(firm_id),
            "name": name,
            "enterprise_number": number,
            "connections": [],
        }
        for _ in range(connections):
            await self.connect()
        return self.dossier_id

    async def connect(self, state: ConnectionState = ConnectionState.CONNECTED, of: UUID | None = None) -> UUID:
        """Make a connection, or let it have another state."""
        connection_id = of or new_id()
        if of is None:
            self.connections.append(connection_id)
        await self.deliver(
            ConnectionChanged(
                connection_id=connection_id,
                dossier_id=self.dossier_id,
                connector="connector-paper",
                state=state,
                version=next(self._versions),
            )
        )
        return connection_id

    def document(self, *statements: Statement, data: bytes | None = None, **changes: Any) -> DocumentChanged:
        """Have dossier-api know a file and return what it tells of it."""
        document_id = changes.pop("document_id", None) or new_id()
        self.dossier_api.contents[str(document_id)] = coda(*statements) if data is None else data
        known: dict[str, Any] = {
            "document_id": document_id,
            "dossier_id": self.dossier_id,
            "firm_id": FIRM,
            "revision": 1,
            "version": 1,
            "kind": DocumentKind.BANK_STATEMENT,
            "number": None,
            "issue_date": date(2026, 3, 9),
            "created_at": utc_now(),
            "state": DocumentState.FILED,
            "content": (),
        }
        return DocumentChanged(**{**known, **changes})

    @staticmethod
    def ready(document: DocumentChanged, **changes: Any) -> DocumentReady:
        """Return what export-scheduler says when the document is to go."""
        known: dict[str, Any] = {"export_id": new_id(), "trigger": Trigger.SCHEDULE, **changes}
        return DocumentReady(**document.model_dump(), **known)

    async def file(self, *statements: Statement, asked: bool = True, **changes: Any) -> UUID:
        """File a document and, unless it is said otherwise, have it asked to go."""
        document = self.document(*statements, **changes)
        await self.deliver(document, *([self.ready(document)] if asked else []))
        await self.work()
        return document.document_id

    async def answer(self, ready: DocumentReady, state: DeliveryState = DeliveryState.READY, **changes: Any) -> None:
        """Let every connection tell of its delivery of what was let go."""
        for connection_id in self.connections:
            problem: ProblemData | None = changes.get("problem")
            await self.deliver(
                DeliveryChanged(
                    delivery_id=UUID(int=(connection_id.int ^ ready.document_id.int)),
                    document_id=ready.document_id,
                    revision=ready.revision,
                    connector="connector-paper",
                    connection_id=connection_id,
                    state=state,
                    version=next(self._versions),
                    problem=problem,
                )
            )

    # ── work and facts out ──

    async def work(self) -> None:
        """Let every loop do all it has to do."""
        for loop in (reading.read_documents, arranging.arrange_dossier, releasing.release_statements):
            while await loop(self.context):
                pass

    async def published(self) -> list[EventData]:
        """Return what left since the last look."""
        async with self.database.transaction() as tx:
            bodies = (await tx.execute(text("DELETE FROM outbox RETURNING seq, body"))).all()
        return [open_envelope(row.body).data for row in sorted(bodies)]

    async def gone(self) -> list[UUID]:
        """Let everything go that can, each when the one before it is answered; return the documents in that order."""
        ids: list[UUID] = []
        while released := [fact for fact in await self.published() if isinstance(fact, DocumentReady)]:
            for fact in released:
                ids.append(fact.document_id)
                await self.answer(fact)
            await self.work()
        return ids

    async def problems(self) -> dict[UUID, str]:
        """Return the code of what is in the way of each document."""
        rows = await self.sql("SELECT id, problem ->> 'code' AS code FROM document WHERE problem IS NOT NULL")
        return {row["id"]: row["code"] for row in rows}

    async def sql(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            result = await tx.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    # ── HTTP ──

    async def call(
        self, method: str, path: str, *, firm: UUID = FIRM, scopes: str = "documents:read,documents:write", **asked: Any
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer firm={firm},{scopes}", **asked.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **asked)

    def at(self, path: str) -> str:
        """Return a path below the dossier."""
        return f"/v1/dossiers/{self.dossier_id}{path}"

    async def accounts(self) -> dict[str, dict[str, Any]]:
        """Return the accounts of the dossier by IBAN."""
        answer = await self.call("GET", self.at("/accounts"))
        assert answer.status_code == 200, answer.text
        return {item["iban"]: item for item in answer.json()["items"]}


@pytest.fixture
async def database(make_database: Callable[..., str]) -> AsyncIterator[Database]:
    database = Database(make_database(SERVICE), SERVICE.name)
    yield database
    await database.close()


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Coda]:
    running = Coda(database, DossierApi())
    await running.dossier()
    yield running
    await running.http.aclose()

"""The scheduler on a real database, with its handlers and loops driven by the test."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from export_scheduler import release, unanswered
from export_scheduler.service import SERVICE
from export_scheduler.settings import SchedulerSettings
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
    ExportFrequency,
    ExportRules,
    open_envelope,
)
from koppel_mesh.service import Context

FIRM = new_id()


class Tokens:
    """Stands where the issuer's verifier stands; the token's text is ``firm scope scope``."""

    async def verify(self, token: str) -> Caller:
        if not token.startswith("firm="):
            raise InvalidToken("unknown")
        firm, *scopes = token.removeprefix("firm=").split(",")
        return Caller("tester", UUID(firm) if firm else None, frozenset(scopes))


class DossierApi:
    """Stands where the other services are reached; knows which document came last, and the states of those that moved."""

    def __init__(self) -> None:
        self.newest: UUID | None = None
        self.states: dict[UUID, DocumentState] = {}
        self.away = False

    async def get_json(self, path: str, **_: Any) -> Any:
        documents = "/dossier-api/v1/documents"
        if self.away:
            raise InternalCallError(None, "no_answer")
        if path.startswith(f"{documents}/"):
            return {"state": self.states.get(UUID(path.rpartition("/")[2]), DocumentState.HELD)}
        assert path.startswith(f"{documents}?dossier_id=")
        return {"items": [{"id": str(self.newest)}] if self.newest else [], "next": None}


class Scheduler:
    """The service's handlers, loops and routes without its broker."""

    def __init__(self, database: Database, **settings: Any) -> None:
        known = SchedulerSettings(database_url="postgresql://unused", amqp_url="amqp://unused", **settings)
        unused: Any = None
        self.database = database
        self.dossier_api = DossierApi()
        self.context = Context(SERVICE, known, database, unused, self.dossier_api, Tokens(), unused, unused)  # type: ignore[arg-type]
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=build_app(SERVICE, self.context)), base_url="http://scheduler"
        )

    async def deliver(self, *facts: EventData) -> None:
        """Hand facts to their handlers, as the inbox does: one transaction, grouped by type."""
        async with self.database.transaction() as tx:
            for event, handle in SERVICE.handlers.items():
                if group := [fact for fact in facts if type(fact) is event]:
                    await handle(self.context, tx, group)

    async def turn(self) -> list[DocumentReady]:
        """Let every loop do all it has to do; return what left since the last turn."""
        for loop in (release.replan, release.release_queued, release.release_due):
            while await loop(self.context):
                pass
        return await self.published()

    async def repeated(self) -> list[DocumentReady]:
        """Announce again what nobody answers for; return what left."""
        await unanswered.repeat_unanswered(self.context)
        return await self.published()

    async def published(self) -> list[DocumentReady]:
        async with self.database.transaction() as tx:
            bodies = (await tx.execute(text("DELETE FROM outbox RETURNING seq, body"))).all()
        return [open_envelope(row.body).data for row in sorted(bodies)]  # type: ignore[misc]

    async def waiting(self) -> dict[str, tuple[int, int]]:
        """Return by what documents wait for how many do, and how many of those should have gone by now."""
        items = (await self.get("/v1/waiting")).json()["items"]
        return {item["waits_for"]: (item["count"], item["overdue"]) for item in items}

    async def sql(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            result = await tx.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def pass_time(self, by: timedelta) -> None:
        """Move everything that is planned into the past, which is what time passing comes to."""
        moved = ", ".join(
            f"{name} = {name} - CAST(:by AS interval)" for name in ("due_at", "opened_at", "sent_at", "repeat_at")
        )
        await self.sql(f"UPDATE document SET {moved}", by=by)

    async def export(
        self, dossier_id: UUID, body: dict[str, Any], *, firm: UUID = FIRM, key: str = ""
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer firm={firm},exports:write"} | ({"idempotency-key": key} if key else {})
        return await self.http.post(f"/v1/dossiers/{dossier_id}/exports", json=body, headers=headers)

    async def get(self, path: str, *, firm: UUID = FIRM) -> httpx2.Response:
        return await self.http.get(path, headers={"authorization": f"Bearer firm={firm},dossiers:read"})


@pytest.fixture
def database_url(make_database: Callable[..., str]) -> str:
    return make_database(SERVICE)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, SERVICE.name)
    yield database
    await database.close()


@pytest.fixture
async def scheduler(database: Database) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(database, export_patience_s=0.3)
    yield scheduler
    await scheduler.http.aclose()


def dossier(
    frequency: ExportFrequency,
    *,
    approval_required: bool = False,
    locks: bool = False,
    version: int = 1,
    firm_id: UUID = FIRM,
) -> DossierChanged:
    return DossierChanged(
        dossier_id=new_id(),
        firm_id=firm_id,
        name="Bakkerij Peeters",
        enterprise_number="0403170701",
        language="nl",
        export=ExportRules(frequency=frequency, approval_required=approval_required, lock_after_export=locks),
        version=version,
    )


def document(of: DossierChanged, number: str = "F-1", **changes: Any) -> DocumentChanged:
    known: dict[str, Any] = {
        "document_id": new_id(),
        "dossier_id": of.dossier_id,
        "firm_id": of.firm_id,
        "revision": 1,
        "kind": DocumentKind.SALES_INVOICE,
        "number": number,
        "issue_date": date(2026, 11, 20),
        "created_at": utc_now(),
        "state": DocumentState.FILED,
        "content": (),
    }
    return DocumentChanged(**{**known, **changes})


def delivery(of: DocumentChanged, state: DeliveryState, **changes: Any) -> DeliveryChanged:
    known: dict[str, Any] = {
        "delivery_id": new_id(),
        "document_id": of.document_id,
        "revision": of.revision,
        "connector": "connector-exact",
        "connection_id": new_id(),
        "state": state,
    }
    return DeliveryChanged(**{**known, **changes})


def connection(of: DossierChanged, state: ConnectionState = ConnectionState.AUTHORISING) -> ConnectionChanged:
    return ConnectionChanged(
        connection_id=new_id(), dossier_id=of.dossier_id, connector="connector-exact", state=state, version=1
    )


@pytest.fixture
def make() -> SimpleNamespace:
    """Makers of facts."""
    return SimpleNamespace(dossier=dossier, document=document, delivery=delivery, connection=connection)

"""webhooks on a real database, with receivers on the loopback; its handlers and loops are driven by the test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from sqlalchemy import text

from koppel_mesh.auth import Caller, InvalidToken
from koppel_mesh.clock import utc_now
from koppel_mesh.database import Database
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.server import build_app
from koppel_mesh.ids import new_id
from koppel_mesh.messages import (
    DeliveryChanged,
    DeliveryState,
    DocumentChanged,
    DocumentKind,
    DocumentState,
    EventData,
)
from koppel_mesh.runtime import open_resources
from koppel_mesh.service import Context
from webhooks import owner_mails
from webhooks.sending.challenge import send_challenges
from webhooks.sending.sender import send_due
from webhooks.service import SERVICE
from webhooks.settings import WebhookSettings

from .receiver import Receiver

KEYS = (Fernet.generate_key().decode(),)
PATIENCE_S = 60.0


class Tokens:
    """Stands where the issuer's verifier stands; the token's text is ``client,firm,scope,scope``."""

    async def verify(self, token: str) -> Caller:
        if token.count(",") < 2:
            raise InvalidToken("unknown")
        client, firm, *scopes = token.split(",")
        return Caller(client, UUID(firm) if firm else None, frozenset(scopes))


class Identity:
    """Stands where identity is reached; every firm consents to every client until a test says otherwise."""

    def __init__(self) -> None:
        self.withdrawn: set[tuple[str, UUID]] = set()
        self.away = False
        self.slow_s = 0.0
        self.asked = 0

    async def get_json(self, path: str, **_: Any) -> Any:
        route, _mark, query = path.partition("?")
        assert route == "/identity/v1/client-access"
        self.asked += 1
        await asyncio.sleep(self.slow_s)
        if self.away:
            raise InternalCallError(None, "no_answer")
        asked = parse_qs(query)
        pairs = [(client, firm) for client in asked["client_id"] for firm in asked["firm_id"]]
        assert len(path) < 8000, "longer than servers on the way commonly take"
        granted = {"kind": "partner", "scopes": ["webhooks:write"]}
        return {
            "items": [
                {"client_id": client, "firm_id": firm, **granted}
                for client, firm in pairs
                if (client, UUID(firm)) not in self.withdrawn
            ]
        }


class Hooks:
    """The service's handlers, loops and routes without its broker."""

    def __init__(self, database: Database, **settings: Any) -> None:
        """Take what its settings are; ``database_url`` is of no use but to a process that runs beside it."""
        given: dict[str, Any] = {
            "secret_keys": KEYS,
            "webhook_loopback": True,
            "webhook_deadline_s": 1.0,
            "webhook_retry_schedule_s": (0.05, 0.05, 0.05),
            **settings,
        }
        self._given = {"database_url": "postgresql://unused", "amqp_url": "amqp://unused", **given}
        known = WebhookSettings(**self._given)
        unused: Any = None
        self.database = database
        self.identity = Identity()
        self.context = Context(SERVICE, known, database, unused, self.identity, Tokens(), unused, unused)  # type: ignore[arg-type]
        app = build_app(SERVICE, self.context)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://webhooks")

    def set(self, **settings: Any) -> None:
        """Change settings until the end of the test."""
        self.context.settings = WebhookSettings(**{**self._given, **settings})

    def partner(self, firm_id: UUID | None = None, client: str = "till-vendor") -> "Partner":
        return Partner(self, client, firm_id or new_id())

    async def deliver(self, *facts: EventData) -> None:
        """Hand facts to their handlers, as the inbox does: one transaction, grouped by type."""
        async with self.database.transaction() as tx:
            for event, handle in SERVICE.handlers.items():
                if group := [fact for fact in facts if type(fact) is event]:
                    await handle(self.context, tx, group)

    async def until(self, condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> None:
        """Let the loops do their work until the condition holds."""
        end = time.monotonic() + patience_s
        while not (condition() if not asyncio.iscoroutinefunction(condition) else await condition()):
            assert time.monotonic() < end, "it never came to that"
            await send_challenges(self.context)
            await send_due(self.context)
            await owner_mails.send_due(self.context)
            await asyncio.sleep(0.01)

    async def work(self, for_s: float) -> None:
        """Let the loops do their work for some time."""
        end = time.monotonic() + for_s
        with pytest.raises(AssertionError, match="it never"):
            await self.until(lambda: False, end - time.monotonic())

    async def sql(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            result = await tx.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []


class Partner:
    """A client of one firm, as it calls the API."""

    def __init__(self, hooks: Hooks, client: str, firm_id: UUID) -> None:
        self.hooks = hooks
        self.client = client
        self.firm_id = firm_id
        self.scopes = "webhooks:write"

    async def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        headers = {
            "authorization": f"Bearer {self.client},{self.firm_id},{self.scopes}",
            **arguments.pop("headers", {}),
        }
        return await self.hooks.http.request(method, f"/v1{path}", headers=headers, **arguments)

    async def get(self, path: str) -> Any:
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def register(self, url: str, *types: str, **more: Any) -> Any:
        body = {"url": url, "event_types": list(types or ("document.received",)), **more}
        answer = await self.call("POST", "/endpoints", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def verified(self, receiver: Receiver, *types: str, **more: Any) -> Any:
        """Register a receiver and let it answer its challenge."""
        made = await self.register(receiver.url, *types, **more)

        async def is_active() -> bool:
            found: str = (await self.get(f"/endpoints/{made['id']}"))["state"]
            return found == "active"

        await self.hooks.until(is_active)
        return made

    async def deliveries(self, endpoint: Any) -> Any:
        return (await self.get(f"/endpoints/{endpoint['id']}/deliveries"))["items"]

    def document(self, **changes: Any) -> DocumentChanged:
        known: dict[str, Any] = {
            "document_id": new_id(),
            "dossier_id": new_id(),
            "firm_id": self.firm_id,
            "revision": 1,
            "kind": DocumentKind.SALES_INVOICE,
            "number": "F-1",
            "issue_date": date(2026, 11, 20),
            "created_at": utc_now(),
            "state": DocumentState.FILED,
            "content": (),
            "version": 1,
        }
        return DocumentChanged(**{**known, **changes})

    def delivery(self, of: DocumentChanged, state: DeliveryState, version: int, **changes: Any) -> DeliveryChanged:
        known: dict[str, Any] = {
            "delivery_id": of.document_id,
            "document_id": of.document_id,
            "revision": of.revision,
            "connector": "connector-exact",
            "connection_id": of.dossier_id,
            "state": state,
            "version": version,
            "firm_id": self.firm_id,
        }
        return DeliveryChanged(**{**known, **changes})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(_databases: Any) -> AsyncIterator[Hooks]:
    url = _databases.take(SERVICE)
    database = Database(url, SERVICE.name)
    hooks = Hooks(database, database_url=url)
    async with open_resources(hooks.context):
        yield hooks
    await hooks.http.aclose()
    await database.close()
    _databases.give_back(url, SERVICE)


@pytest_asyncio.fixture(loop_scope="module")
async def hooks(service: Hooks) -> AsyncIterator[Hooks]:
    """Give the service with nothing under way and its settings as they were."""
    settings = service.context.settings
    service.identity.withdrawn.clear()
    service.identity.away = False
    service.identity.slow_s = 0.0
    yield service
    service.context.settings = settings
    await service.sql("DELETE FROM endpoint")
    await service.sql("DELETE FROM owner_mail")
    await service.sql("UPDATE delivery SET due_at = NULL WHERE due_at IS NOT NULL")


@pytest_asyncio.fixture(loop_scope="module")
async def receivers() -> AsyncIterator[Callable[[], Any]]:
    """Start receivers, which end with the test."""
    started: list[Receiver] = []

    async def start(**arguments: Any) -> Receiver:
        receiver = Receiver()
        await receiver.start(**arguments)
        started.append(receiver)
        return receiver

    yield start
    for receiver in started:
        await receiver.stop()

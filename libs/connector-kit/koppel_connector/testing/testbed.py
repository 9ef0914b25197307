"""A connector at work on a real database, without broker: facts are handed to its handlers as the inbox does.

What it tells the mesh is read from its outbox. Loops run as in a pod; ``settle`` polls until nothing is under way.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx2
from cryptography.fernet import Fernet
from sqlalchemy.exc import DBAPIError

from koppel_connector.connection.importing import serve_imports
from koppel_connector.kit import Kit
from koppel_mesh.http.server import build_app
from koppel_mesh.ids import new_id
from koppel_mesh.messages import (
    STATEMENT_KINDS,
    DocumentKind,
    DocumentReady,
    DocumentState,
    DossierChanged,
    EventData,
    ExportRules,
    Trigger,
    open_envelope,
)
from koppel_mesh.migrations import upgrade
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.runtime import open_context, open_resources
from koppel_mesh.service import Context, Loop, Service

from .document_factory import DOSSIER_NAME, DOSSIER_NUMBER
from .internal_services import InternalServices

PATIENCE_S = 45.0
"""Long for a busy machine, and shorter than the minute that leases and pauses last in tests that must not wait for them."""
DEADLOCK_DETECTED = "40P01"
STATEMENT_ACCOUNT = "BE18001234567865 EUR"
"""The account whose turn it is where a test delivers a statement and says no more."""
FINAL = ("failed", "review")
"""States that only a person changes."""
FINAL_AFTER_S = 1.0
RUNNING_LOOPS = ("deliveries", "read-back", "probes", "sweeper", "reconciler", "notices", "imports")
QUICK = {
    "retry_schedule_s": (0.05, 0.1, 0.2, 0.4),
    "settle_s": 0.2,
    "deadline_s": 2.0,
    "pause_first_s": 0.1,
    "database_pool_size": 5,
}
"""Patience of a test: same code, shorter pauses."""

Browser = Callable[[str], Awaitable[Mapping[str, str]]]
"""A person who gives the consent: takes the vendor's address, returns the query with which the vendor sends them back."""


class Testbed:
    """One running connector and what a test may do to it."""

    __test__ = False  # pytest takes a class named Test… for a test case

    def __init__(self, context: Context, internal_services: InternalServices | None) -> None:
        self.context = context
        self._internal_services = internal_services
        self.firm_id = new_id()
        self.dossier_id = new_id()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    @property
    def kit(self) -> Kit:
        """Return the running kit."""
        kit: Kit = self.context.resources
        return kit

    @property
    def internal_services(self) -> InternalServices:
        """Return the stub of the other services; a worker process has none of its own."""
        assert self._internal_services is not None
        return self._internal_services

    # --------------------------------------------------------------------------------------------------------- connections

    def caller(self, token: str | None) -> httpx2.AsyncClient:
        """Return a caller of the connector's HTTP side, with this token."""
        transport = httpx2.ASGITransport(build_app(self.context.service, self.context), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(transport=transport, base_url="http://connector", headers=headers)

    def owner(self) -> httpx2.AsyncClient:
        """Return a caller who may do everything with the connections of the firm."""
        return self.caller(self.internal_services.token(self.firm_id))

    async def connect(self, settings: Mapping[str, Any], browser: Browser | None = None) -> UUID:
        """Make a connection, have the consent given where there is one, and its master data imported; return its id."""
        async with self.owner() as owner:
            body = {"dossier_id": str(self.dossier_id), "settings": settings}
            made = await owner.post("/v1/connections", json=body)
            assert made.status_code == 201, made.text
        connection_id = UUID(made.json()["id"])
        if browser is not None:
            await self.consent(connection_id, browser)
        await self._import_master_data(connection_id)
        return connection_id

    async def consent(self, connection_id: UUID, browser: Browser) -> None:
        """Have the consent given, the first or a new one."""
        async with self.owner() as owner:
            connection = (await owner.get(f"/v1/connections/{connection_id}")).json()
            vendor_page = await begin_consent(owner, connection["authorize_url"])
            returned = await owner.get("/oauth/callback", params=await browser(vendor_page))
            assert returned.status_code == 200, returned.text

    async def _import_master_data(self, connection_id: UUID) -> None:
        async def imported() -> bool:
            if not self._tasks:
                await serve_imports(self.context)
            done = "SELECT 1 FROM connection WHERE id = :id AND imported_at IS NOT NULL AND import_due_at IS NULL"
            return bool(await self.rows(done, id=connection_id))

        await self.until(imported, "the master data is imported")

    # ------------------------------------------------------------------------------------------------------------ facts in

    async def deliver(self, *events: EventData) -> None:
        """Hand facts to the connector, a batch per type, as the inbox does."""
        by_type: dict[type[EventData], list[EventData]] = {}
        for event in events:
            by_type.setdefault(type(event), []).append(event)
        for kind, batch in by_type.items():
            async with self.context.database.transaction() as tx:
                await self.context.service.handlers[kind](self.context, tx, batch)

    async def introduce_dossier(self) -> None:
        """Make the dossier known."""
        self.internal_services.add_dossier(self.dossier_id, self.firm_id)
        await self.deliver(
            DossierChanged(
                dossier_id=self.dossier_id,
                firm_id=self.firm_id,
                name=DOSSIER_NAME,
                enterprise_number=DOSSIER_NUMBER,
                language="nl",
                export=ExportRules(),
            )
        )

    def ready(self, document: Mapping[str, Any], files: Mapping[str, bytes], **changes: Any) -> DocumentReady:
        """Have dossier-api know ``document`` and return the fact that it is ready to go; of a statement, that it is its turn."""
        owner = {"dossier_id": str(self.dossier_id), "firm_id": str(self.firm_id)}
        self.internal_services.add_document({**document, **owner}, files)
        values: dict[str, Any] = {
            "document_id": UUID(str(document["id"])),
            "dossier_id": self.dossier_id,
            "firm_id": self.firm_id,
            "revision": int(document.get("revision", 1)),
            "kind": DocumentKind(document["kind"]),
            "number": document.get("number"),
            "issue_date": date(2026, 1, 15),
            "created_at": datetime(2026, 1, 15, 8, 0, tzinfo=UTC),
            "state": DocumentState.FILED,
            "content": (),
            "export_id": new_id(),
            "trigger": Trigger.SCHEDULE,
            "again": False,
        }
        values |= changes
        if values["kind"] in STATEMENT_KINDS:
            values.setdefault("sequence_key", STATEMENT_ACCOUNT)
        return DocumentReady(**values)

    # ----------------------------------------------------------------------------------------------------------- facts out

    async def rows(self, query: str, **values: Any) -> list[Any]:
        """Return the rows of a query in the connector's schema."""
        async with self.context.database.reading() as reading:
            return list(await Statement(query).all(reading, values))

    async def change(self, statement: str, **values: Any) -> None:
        """Change rows by hand: what time would do.

        Loops lock the same rows in an order of their own; of a deadlock the statement is said again.
        """
        while True:
            try:
                async with self.context.database.transaction() as tx:
                    return await Statement(statement).run(tx, values)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != DEADLOCK_DETECTED:
                    raise

    async def deliveries(self) -> list[Any]:
        """Return every delivery, oldest first."""
        return await self.rows("SELECT * FROM delivery ORDER BY id")

    async def published(self) -> list[EventData]:
        """Return everything the connector has told the mesh, in order."""
        rows = await self.rows("SELECT body FROM outbox ORDER BY seq")
        return [open_envelope(bytes(row.body)).data for row in rows]

    async def until(self, holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> None:
        """Poll until ``holds`` (a coroutine function) is true.

        Raises:
            AssertionError: it is not within the patience.
        """
        deadline = time.monotonic() + patience_s
        while not await holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {patience_s} s: {what}; {await self._summary()}")
            await asyncio.sleep(0.02)

    async def until_state(self, *states: str, patience_s: float = PATIENCE_S) -> list[Any]:
        """Wait until every delivery is in one of ``states`` and return them as they were then.

        Raises:
            AssertionError: they are not within the patience, or one has ended in a state that only a person changes.
        """
        ended_since: float | None = None
        rows: list[Any] = []

        async def holds() -> bool:
            nonlocal ended_since, rows
            rows = await self.deliveries()
            ended = any(row.state in FINAL and row.state not in states for row in rows)
            ended_since = (ended_since or time.monotonic()) if ended else None
            if ended_since is not None and time.monotonic() - ended_since > FINAL_AFTER_S:
                raise AssertionError(f"no longer every delivery in {states}; {await self._summary()}")
            return bool(rows) and all(row.state in states for row in rows)

        await self.until(holds, f"every delivery in {states}", patience_s)
        return rows

    async def until_blocked(self, code: str) -> list[Any]:
        """Wait until every delivery is blocked by the problem ``code`` (an import may have it tried again first); return them."""
        found: list[Any] = []

        async def holds() -> bool:
            found[:] = await self.deliveries()
            return bool(found) and all(row.state == "blocked" and row.problem["code"] == code for row in found)

        await self.until(holds, f"every delivery blocked by {code}")
        return found

    async def _summary(self) -> str:
        rows = await self.rows("SELECT state, problem, count(*) AS number FROM delivery GROUP BY state, problem")
        calls = await self.rows(
            "SELECT phase, operation, outcome, http_status, message FROM attempt ORDER BY id DESC LIMIT 5"
        )
        return f"deliveries {[tuple(row) for row in rows]}, last calls {[tuple(row) for row in calls]}"

    # --------------------------------------------------------------------------------------------------------------- loops

    def start(self, names: Sequence[str] = RUNNING_LOOPS) -> None:
        """Run the connector's loops."""
        self._stopping.clear()
        for loop in self.context.service.loops:
            if loop.name in names:
                self._tasks.append(asyncio.create_task(self._turn(loop)))

    async def stop(self) -> None:
        """Stop the loops."""
        self._stopping.set()
        for loop in self.context.service.loops:
            self.context.wake(loop.name)
        await asyncio.gather(*self._tasks)
        self._tasks.clear()

    async def _turn(self, loop: Loop) -> None:
        wake = self.context.wake_event(loop.name)
        while not self._stopping.is_set():
            wake.clear()
            with contextlib.suppress(OSError):
                if await loop.run_once(self.context):
                    continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(loop.interval_s, 0.2)):
                    await wake.wait()


async def begin_consent(browser: httpx2.AsyncClient, address: str) -> str:
    """Open the ``authorize_url`` of a connection in a browser, which keeps its cookie; return the vendor's page it is sent to."""
    asked = urlsplit(address)
    begun = await browser.get(f"/oauth/{asked.path.rpartition('/')[2]}", params=dict(parse_qsl(asked.query)))
    assert begun.status_code == 302, begun.text
    return str(begun.headers["location"])


@asynccontextmanager
async def open_testbed(
    service: Service, database_url: str, *, migrate: bool = True, start: bool = True, **settings: Any
) -> AsyncIterator[Testbed]:
    """Run ``service`` on a database; a small server of ours stands in for the other services of the mesh."""
    if migrate:
        await upgrade(database_url, service.name, service.lineages)
    async with InternalServices() as internal_services:
        known = {
            "database_url": database_url,
            "amqp_url": "amqp://unused",
            "public_url": internal_services.url,
            "secret_keys": Fernet.generate_key().decode(),
            "service_client_secret": "test-service-secret",
            **QUICK,
            **settings,
        }
        async with open_context(service, service.settings(**known)) as context, open_resources(context):
            testbed = Testbed(context, internal_services)
            internal_services.lead_to(service.name, partial(testbed.caller, None))
            await testbed.introduce_dossier()
            if start:
                testbed.start()
            try:
                yield testbed
            finally:
                await testbed.stop()

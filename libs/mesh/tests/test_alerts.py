"""Each alert that every service has: something is the matter, it fires; what its runbook says is done, and it is over."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from koppel_mesh import runtime
from koppel_mesh.auth import Caller
from koppel_mesh.broker import dead_queue_of, declare_topology, depth, queue_of
from koppel_mesh.database import Database
from koppel_mesh.housekeeping import READINESS
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentReady, DossierChanged, EventData, ExportRules
from koppel_mesh.migrations import MESH
from koppel_mesh.outbox import publish
from koppel_mesh.service import Context, Loop, Service
from koppel_mesh.settings import MeshSettings

from .conftest import SERVICE
from .forwarding import Forwarding
from .test_inbox import put, sealed, until_depth

Fact = Callable[..., DocumentReady]
SCHEMA = "test_service"
LATER = "UPDATE outbox SET created_at = created_at - interval '2 minutes'"


@asynccontextmanager
async def serving(service: Service, **settings: Any) -> AsyncIterator[tuple[Context, httpx2.AsyncClient]]:
    """Run a service; give its context, and a caller of its HTTP side."""
    known = MeshSettings.model_validate(settings)
    base = f"http://127.0.0.1:{known.port}/{SERVICE}"
    async with (
        runtime.running([service], {SERVICE: known}) as contexts,
        httpx2.AsyncClient(trust_env=False, base_url=base, timeout=15) as client,
    ):
        yield contexts[SERVICE], client


async def metrics(client: httpx2.AsyncClient, context: Context, *loops: str) -> str:
    """Let the loops measure now, and return what the service exposes."""
    for loop in loops:
        context.wake(loop)
    return (await client.get("/metrics")).text


async def ask(database: Database, query: str) -> list[Any]:
    async with database.transaction() as tx:
        result = await tx.execute(text(query))
        return list(result.all()) if result.returns_rows else []


async def why_it_waits(database: Database, alert: Any) -> Any:
    """Return what the query of the runbook shows first, once it has a reason."""
    alert.says("the reason stands in `last_error`; each service has such a table")
    async with asyncio.timeout(20):
        while not (row := (await ask(database, alert.query(dossier_api=SCHEMA)))[0]).last_error:
            await asyncio.sleep(0.05)
    return row


@contextmanager
def logged() -> Iterator[list[Any]]:
    """Give what is logged meanwhile, with tracebacks."""
    with capture_logs(processors=[structlog.processors.format_exc_info]) as found:
        yield found


@pytest.mark.alert("KoppelOutboxWaits", service=SERVICE)
async def test_what_waits_for_the_broker_follows_once_it_is_back(
    alert: Any, database: Database, database_url: str, amqp: str, fact: Fact, free_port: int
) -> None:
    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,))
    async with Forwarding(amqp) as way:
        settings = {"database_url": database_url, "amqp_url": way.address, "port": free_port}
        async with serving(service, **settings) as (context, client):
            page = partial(metrics, client, context, "outbox gauge")
            await alert.until(page, fires=False)
            await way.cut()
            async with database.transaction() as tx:
                await publish(tx, fact())
            await ask(database, LATER)
            await alert.until(page, fires=True)
            row = await why_it_waits(database, alert)
            assert (row.type, row.attempts) == (DocumentReady.type, 1) and "refused" in row.last_error
            alert.says("where the broker is away or blocks publishers", "help the broker")
            await way.open()
            alert.says("What waits follows within a minute.")
            await alert.until(page, fires=False)
            assert await depth(amqp, queue_of(SERVICE)) == 1


@pytest.mark.alert("KoppelOutboxWaits", service=SERVICE)
async def test_a_type_without_a_queue_is_named_and_follows_once_there_is_one(
    alert: Any, database: Database, database_url: str, amqp: str, fact: Fact, free_port: int
) -> None:
    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,))
    known = {"name": "Bakkerij", "enterprise_number": "0793904121", "language": "nl", "export": ExportRules()}
    of = fact()
    async with serving(service, database_url=database_url, amqp_url=amqp, port=free_port) as (context, client):
        page = partial(metrics, client, context, "outbox gauge")
        await alert.until(page, fires=False)
        async with database.transaction() as tx:
            await publish(tx, DossierChanged(dossier_id=of.dossier_id, firm_id=of.firm_id, **known))
        await ask(database, LATER)
        await alert.until(page, fires=True)
        row = await why_it_waits(database, alert)
        assert (row.type, row.attempts) == (DossierChanged.type, 1) and row.last_error
        alert.says("where a type has no queue yet, run `koppel migrate`")
        await declare_topology(amqp, {SERVICE: [DossierChanged.type]})  # as the command does for every service
        await alert.until(page, fires=False)


@pytest.mark.alert("KoppelDeadMessages", service=SERVICE)
async def test_dead_messages_go_again_once_their_cause_is_corrected(
    alert: Any,
    database_url: str,
    amqp: str,
    fact: Fact,
    free_port: int,
) -> None:
    is_corrected = False

    async def handle(_: Context, __: AsyncConnection, events: Sequence[EventData]) -> None:
        if not is_corrected:
            raise RuntimeError("a fault of ours")

    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,), handlers={DocumentReady: handle})
    settings = {"database_url": database_url, "amqp_url": amqp, "port": free_port}
    async with serving(service, **settings) as (context, client):
        page = partial(metrics, client, context, "dead queue gauge")
        await alert.until(page, fires=False)
        with logged() as log:
            await put(amqp, sealed(fact(), message_id := new_id()))
            await until_depth(amqp, dead_queue_of(SERVICE), 1)
        await alert.until(page, fires=True)
        alert.says("Look for `message refused` in the log: it has the message's id and the traceback")
        (line, *_) = [line for line in log if line["event"] == "message refused"]
        assert line["id"] == str(message_id) and "RuntimeError: a fault of ours" in line["exception"]
        alert.says("correct the cause; the messages go again by themselves, ten times")
        is_corrected = True
        context.settings = context.settings.model_copy(update={"dead_repeat_after_s": 0.1})
        await alert.until(page, fires=False)


@pytest.mark.alert("KoppelLoopFails", service=SERVICE)
async def test_a_loop_that_fails_is_named_and_the_others_go_on(
    alert: Any,
    database: Database,
    database_url: str,
    amqp: str,
    free_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtime, "PAUSE_AFTER_ERROR_S", 0.05)
    turns = sound = 0

    async def break_on_a_row(context: Context) -> None:
        nonlocal sound
        async with context.database.reading() as connection:
            for (body,) in (await connection.execute(text("SELECT body FROM quarantine"))).all():
                raise ValueError(f"row {bytes(body).decode()} is damaged")
        sound += 1

    async def go_on(_: Context) -> None:
        nonlocal turns
        turns += 1

    loops = (Loop("breaks", break_on_a_row, 0.05), Loop("goes on", go_on, 0.05))
    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,), loops=loops)
    async with serving(service, database_url=database_url, amqp_url=amqp, port=free_port) as (context, client):
        page = partial(metrics, client, context)
        await alert.until(page, fires=False)
        await ask(database, "INSERT INTO quarantine (body, reason, headers) VALUES ('f00d', 'test', '{}')")
        with logged() as log:
            await alert.until(page, fires=True)
        alert.says("Look for `loop failed` in the log of the service; it has the traceback and names the loop")
        (line, *_) = [line for line in log if line["event"] == "loop failed"]
        assert line["loop"] == "breaks" and "break_on_a_row" in line["exception"]
        alert.says("where one row breaks the loop, the traceback or the line before it names the row")
        assert "row f00d is damaged" in line["exception"]
        alert.says("The other loops of the service go on.")
        before = turns
        async with asyncio.timeout(20):
            while turns < before + 2:
                await asyncio.sleep(0.05)
        before = sound
        await ask(database, "DELETE FROM quarantine")
        async with asyncio.timeout(20):
            while sound == before:  # its turns follow each other: what failed before has been counted
                await asyncio.sleep(0.05)
        assert alert.fires(await page())
        alert.window_passes()
        assert not alert.fires(await page())


class Thing(BaseModel):
    name: str


router = APIRouter(prefix="/v1")


@router.post("/things", status_code=201)
async def make_thing(body: Thing, context: CurrentContext, request: Request, key: IdempotencyKey) -> Response:
    request.state.caller = Caller("tester", None, frozenset())
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        await tx.execute(
            text("INSERT INTO quarantine (body, reason, headers) VALUES (:body, 'test', '{}')"),
            {"body": body.name.encode()},
        )
        return await key.remember(tx, status=201, body=body)


@pytest.mark.alert("KoppelRequestsFail", service=SERVICE)
async def test_requests_fail_while_the_database_is_away_and_are_repeated(
    alert: Any, database: Database, database_url: str, amqp: str, free_port: int
) -> None:
    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,), routers=(router,))
    async with Forwarding(database_url) as way:
        settings = {"database_url": way.address, "amqp_url": amqp, "port": free_port}
        async with serving(service, **settings) as (context, client):
            page = partial(metrics, client, context)

            async def make(name: str) -> httpx2.Response:
                return await client.post("/v1/things", json={"name": name}, headers={"Idempotency-Key": name})

            assert not alert.fires(await page())
            assert [(await make(name)).status_code for name in ("one", "two")] == [201, 201]
            assert not alert.fires(await page())
            await way.cut()
            alert.says("503 with `try_again` is the database")
            for _ in range(2):
                failed = await make("three")
                assert (failed.status_code, failed.json()["code"]) == (503, "try_again")
                fires = alert.fires(await page())
            assert fires
            alert.says("bring the database back", "Callers repeat with the same `Idempotency-Key`")
            await way.open()
            async with asyncio.timeout(20):
                while (await make("three")).status_code != 201:
                    await asyncio.sleep(0.1)
            alert.fires(await page())
            alert.window_passes()
            assert (await make("two")).status_code == 201
            assert not alert.fires(await page())
    (count,) = (await ask(database, "SELECT count(*) FROM quarantine"))[0]
    assert count == 3


@pytest.mark.alert("KoppelNotReady", service=SERVICE)
async def test_a_process_without_its_database_is_not_ready_until_it_is_back(
    alert: Any, database_url: str, amqp: str, free_port: int
) -> None:
    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,))
    async with Forwarding(database_url) as way:
        settings = {"database_url": way.address, "amqp_url": amqp, "port": free_port}
        async with serving(service, **settings) as (context, client):
            page = partial(metrics, client, context, READINESS)
            async with asyncio.timeout(20):
                while f'koppel_ready{{service="{SERVICE}"}} 1.0' not in await page():
                    await asyncio.sleep(0.05)
            assert not alert.fires(await page())
            await way.cut()
            await alert.until(page, fires=True)
            alert.says("Look at `reasons` in the answer of its `/{service}/health/ready`")
            (reason,) = (await client.get("/health/ready")).json()["reasons"]
            assert reason.startswith("database: ")
            alert.says("where it is the database, bring it back", "It is ready again by itself.")
            await way.open()
            await alert.until(page, fires=False)

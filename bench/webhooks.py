"""Events to partners: facts are published as connectors publish them, and receivers note when their events come in."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2

from koppel_mesh.broker import Message, Publisher
from koppel_mesh.clock import utc_now
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryChanged, DeliveryState, Envelope, EventData, ReceiptsPeriodClosed

from .place import Place

ENDPOINTS, HANGING = 50, 10
BURST, ROUNDS = 3000, 30
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    per_second: float
    cpu_ms: float
    """Of the mesh's process for each of these events: what a busy machine changes little."""
    idle_p50_ms: float
    idle_p99_ms: float
    alone_p99_ms: float
    beside_p99_ms: float


@dataclass
class Receivers:
    """One server for all endpoints, told apart by their paths; those in ``hanging`` are never answered."""

    received: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each document's event came in at each endpoint."""
    hanging: set[str] = field(default_factory=set)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
                event = json.loads(await reader.readexactly(length))
                path = head.split(" ", 2)[1]
                challenge = event["data"].get("challenge")
                if challenge is None:
                    self.received.setdefault((path, event["subject"]), time.monotonic())
                    if path in self.hanging:
                        await asyncio.sleep(60)
                body = json.dumps({"challenge": challenge}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()


async def measure(at: Place) -> Figures:
    """Return the figures."""
    receivers = Receivers()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(await asyncio.start_server(receivers.serve, "127.0.0.1", 0))
        receivers.port = server.sockets[0].getsockname()[1]
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=at.url, trust_env=False, timeout=60))
        publisher = Publisher(at.servers.amqp_url, "bench")
        stack.push_async_callback(publisher.close)
        firms = [await _firm(at, http, receivers, number) for number in range(ENDPOINTS)]
        idle = [await _delays(publisher, receivers, [target]) for target in firms * 3]
        delays = sorted(delay for each in idle for delay in each)
        began, used_s = time.monotonic(), _cpu_s(at)
        await _delays(publisher, receivers, [firms[number % ENDPOINTS] for number in range(BURST)], _period_closed)
        per_second = BURST / (time.monotonic() - began)
        cpu_ms = (_cpu_s(at) - used_s) / BURST * 1000
        quick = firms[HANGING:]
        alone = await _rounds(publisher, receivers, quick, [])
        receivers.hanging = {path for path, _ in firms[:HANGING]}
        beside = await _rounds(publisher, receivers, quick, firms[:HANGING])
    return Figures(
        per_second,
        cpu_ms,
        _percentile(delays, 50),
        _percentile(delays, 99),
        _percentile(alone, 99),
        _percentile(beside, 99),
    )


def _cpu_s(at: Place) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in at.mesh)


Make = Callable[[UUID], EventData]
Target = tuple[str, UUID]
"""An endpoint's path, and the firm whose only endpoint it is."""


async def _rounds(
    publisher: Publisher, receivers: Receivers, quick: Sequence[Target], others: Sequence[Target]
) -> list[float]:
    """Send a stream to the quick endpoints, and as much to others beside them; return the delays of the quick."""
    delays: list[float] = []
    for _ in range(ROUNDS):
        await _publish(publisher, [_booked(firm) for _, firm in others])
        delays += await _delays(publisher, receivers, quick)
    return sorted(delays)


async def _delays(
    publisher: Publisher, receivers: Receivers, targets: Sequence[Target], make: "Make | None" = None
) -> list[float]:
    """Publish a fact for each target and wait for all; return the milliseconds that each took."""
    facts = [(path, (make or _booked)(firm)) for path, firm in targets]
    began = time.monotonic()
    await _publish(publisher, [fact for _, fact in facts])
    wanted = [(path, _subject(fact)) for path, fact in facts]
    end = began + PATIENCE_S
    while not all(key in receivers.received for key in wanted):
        if time.monotonic() > end:
            raise TimeoutError(f"{sum(key not in receivers.received for key in wanted)} events did not come")
        await asyncio.sleep(0.005)
    return [(receivers.received[key] - began) * 1000 for key in wanted]


async def _publish(publisher: Publisher, facts: Sequence[EventData]) -> None:
    for start in range(0, len(facts), 500):
        outcome = await publisher.publish([_message(fact) for fact in facts[start : start + 500]], deadline_s=20)
        if outcome.failed:
            raise next(iter(outcome.failed.values()))


def _message(fact: EventData) -> Message:
    message_id, source = new_id(), "/koppel/bench"
    subject = str(fact.subject_id)
    sealed = Envelope(id=message_id, source=source, type=fact.type, subject=subject, time=utc_now(), data=fact)
    return Message(message_id, fact.type, sealed.to_bytes())


def _subject(fact: EventData) -> str:
    return str(fact.document_id if isinstance(fact, DeliveryChanged) else fact.subject_id)


def _period_closed(firm_id: UUID) -> EventData:
    """Return a fact that no other service takes, so that webhooks alone is measured."""
    today = utc_now().date()
    return ReceiptsPeriodClosed(
        period_id=new_id(),
        receipt_book_id=new_id(),
        dossier_id=new_id(),
        firm_id=firm_id,
        starts_on=today,
        ends_on=today,
        number="G-00001",
        total=Decimal("106.00"),
    )


def _booked(firm_id: UUID) -> EventData:
    return DeliveryChanged(
        delivery_id=new_id(),
        document_id=new_id(),
        revision=1,
        connector="connector-exact",
        connection_id=new_id(),
        state=DeliveryState.BOOKED,
        version=1,
        firm_id=firm_id,
        entry_number="26700001",
    )


async def _firm(at: Place, http: httpx2.AsyncClient, receivers: Receivers, number: int) -> Target:
    """Make a firm with a client and one endpoint, and wait until the endpoint is verified."""
    firm_id, path = new_id(), f"/{number}"
    administrator = await _token(http, "koppel-services", at.service_secret)
    asked = {"client_id": f"bench-{number}", "name": "bench", "firm_id": str(firm_id), "scopes": ["webhooks:write"]}
    made = await _call(http, administrator, "POST", "/identity/v1/clients", asked)
    token = await _token(http, asked["client_id"], made["client_secret"])
    wanted = {
        "url": f"http://127.0.0.1:{receivers.port}{path}",
        "event_types": ["delivery.booked", "receipts.period_closed"],
    }
    endpoint = await _call(http, token, "POST", "/webhooks/v1/endpoints", wanted)
    tested = await _call(http, token, "POST", f"/webhooks/v1/endpoints/{endpoint['id']}/test")
    if tested["state"] != "active":
        raise RuntimeError(f"an endpoint is {tested['state']}: {tested}")
    return path, firm_id


async def _token(http: httpx2.AsyncClient, client_id: Any, secret: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    answer = (await http.post("/identity/oauth/token", data=form)).raise_for_status()
    return str(answer.json()["access_token"])


async def _call(http: httpx2.AsyncClient, token: str, method: str, path: str, body: Any = None) -> Any:
    answer = await http.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})
    return answer.raise_for_status().json()


def _percentile(ordered: Sequence[float], share: int) -> float:
    return ordered[min(len(ordered) * share // 100, len(ordered) - 1)]

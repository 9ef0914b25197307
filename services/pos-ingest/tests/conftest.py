"""pos-ingest on a real database; facts are handed to its handlers as the inbox does, its loops are driven by the tests.

The service is started once for a file of tests; each test has a dossier of its own.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

import httpx2
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from koppel_bookkeeping.parties import name_key, number_key
from koppel_mesh.auth import Caller, InvalidToken
from koppel_mesh.database import Database
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.server import build_app
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DossierChanged, EventData, ExportRules
from koppel_mesh.service import Context
from pos_ingest.service import SERVICE
from pos_ingest.settings import PosSettings

FIRM, OTHER_FIRM = new_id(), new_id()
OURS = "0000000196"
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
T = TypeVar("T")


class Tokens:
    """Stands where the issuer's verifier stands; the token's text is ``firm=ID,scope``."""

    async def verify(self, token: str) -> Caller:
        if not token.startswith("firm="):
            raise InvalidToken("unknown")
        firm, *scopes = token.removeprefix("firm=").split(",")
        return Caller("tester", UUID(firm) if firm else None, frozenset(scopes))


@dataclass(frozen=True)
class Filed:
    """A document that was handed in."""

    dossier_id: str
    media_type: str
    content: bytes
    document_id: UUID

    @property
    def parts(self) -> dict[str, bytes]:
        """Return the parts of a multipart body by name."""
        boundary = b"--" + self.media_type.partition("boundary=")[2].encode()
        found = {}
        for part in self.content.split(boundary)[1:-1]:
            head, _, data = part.partition(b"\r\n\r\n")
            found[head.partition(b'name="')[2].partition(b'"')[0].decode()] = data.removesuffix(b"\r\n")
        return found


class DossierApi:
    """Stands where the other services are reached: knows dossiers, and files what is handed in, each key once."""

    def __init__(self) -> None:
        self.dossiers: dict[str, dict[str, Any]] = {}
        self.relations: dict[str, list[dict[str, Any]]] = {}
        """By dossier."""
        self.filed: dict[str, Filed] = {}
        """By ``Idempotency-Key``."""
        self.refuses: tuple[int | None, str] | None = None
        """Status and code; no status: it is away."""
        self.loses_answers = 0
        """How many times it files a document and nobody hears of it."""

    async def request(
        self, method: str, path: str, *, content: bytes, headers: dict[str, str], **_: Any
    ) -> httpx2.Response | Any:
        """File a document as dossier-api does: with the same key and body it is the same document."""
        if self.refuses is not None:
            raise InternalCallError(*self.refuses, "zoals gevraagd")
        assert (method, path.split("/")[1:4:2], path.rpartition("/")[2]) == (
            "POST",
            ["dossier-api", "dossiers"],
            "documents",
        )
        key = headers["Idempotency-Key"]
        known = self.filed.setdefault(key, Filed(path.split("/")[4], headers["Content-Type"], content, new_id()))
        if known.content != content:
            raise InternalCallError(409, "idempotency_key_reused")
        if self.loses_answers:
            self.loses_answers -= 1
            raise InternalCallError(None, "no_answer")
        return SimpleNamespace(status=201, content=json.dumps({"id": str(known.document_id)}).encode())

    async def put_json(self, path: str, body: Any) -> Any:
        """Keep relations, by source and code."""
        if not all(0 < len(item["code"].strip()) <= 60 for item in body["items"]):
            raise InternalCallError(422, "invalid_request")
        kept = self.relations.setdefault(path.split("/")[4], [])
        for item in body["items"]:
            given = {"vat_number": None, "enterprise_number": None, **item, "source": body["source"]}
            kept[:] = [one for one in kept if (one["source"], one["code"]) != (body["source"], item["code"])] + [given]

    async def get_json(self, path: str, *, params: dict[str, str] | None = None, **_: Any) -> Any:
        if path.endswith("/relations"):
            return {"items": self._found(path.split("/")[4], params or {})}
        if (found := self.dossiers.get(path.rpartition("/")[2])) is None:
            raise InternalCallError(404, "not_found")
        return found

    def _found(self, dossier_id: str, wanted: dict[str, str]) -> list[dict[str, Any]]:
        """Return relations by the filters of dossier-api's list."""
        if any(len(wanted.get(name, "")) > most for name, most in (("name", 200), ("code", 60), ("number", 40))):
            raise InternalCallError(422, "invalid_request")
        return [
            one
            for one in self.relations.get(dossier_id, [])
            if wanted.get("code", one["code"]) == one["code"]
            and name_key(wanted.get("name", one["name"])) == name_key(one["name"])
            and number_key(wanted.get("number", one["vat_number"])) == number_key(one["vat_number"])
        ]


@dataclass
class ContextAt(Context):
    """A context whose clock a test sets."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


class Till:
    """The running service, and a caller of it with a dossier."""

    def __init__(self, database_url: str, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self.run = run
        self.dossier_api = DossierApi()
        unused: Any = None
        mesh: Any = self.dossier_api
        tokens: Any = Tokens()
        settings = PosSettings(
            database_url=database_url, amqp_url="amqp://unused", secret_keys=(Fernet.generate_key().decode(),)
        )
        self.database = Database(database_url, SERVICE.name)
        self.context = ContextAt(SERVICE, settings, self.database, unused, mesh, tokens, unused, unused)
        assert SERVICE.resources is not None
        self._resources = SERVICE.resources(self.context)
        self.context.resources = run(self._resources.__aenter__())
        app = build_app(SERVICE, self.context)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://pos")
        self.dossier_id = new_id()

    def end(self) -> None:
        async def end() -> None:
            await self.http.aclose()
            await self._resources.__aexit__(None, None, None)
            await self.database.close()

        self.run(end())

    # ── facts in ──

    def deliver(self, *facts: EventData) -> None:
        async def handle() -> None:
            async with self.database.transaction() as tx:
                for kind in {type(fact) for fact in facts}:
                    same = [fact for fact in facts if type(fact) is kind]
                    await SERVICE.handlers[kind](self.context, tx, same)

        self.run(handle())

    def dossier(self, firm_id: UUID = FIRM, **changes: Any) -> UUID:
        """Make another dossier, which the calls from now on are about."""
        self.dossier_id = new_id()
        known = {"name": "Bakkerij Peeters", "enterprise_number": OURS, "language": "nl", **changes}
        fact = DossierChanged(dossier_id=self.dossier_id, firm_id=firm_id, export=ExportRules(), version=1, **known)
        self.deliver(fact)
        return self.dossier_id

    # ── HTTP ──

    async def acall(self, method: str, path: str, *, firm: UUID = FIRM, **asked: Any) -> httpx2.Response:
        """Call below the dossier, or at an address that begins with ``/v1``."""
        headers = {"authorization": f"Bearer firm={firm},receipts:write", **asked.pop("headers", {})}
        address = path if path.startswith("/v1") else f"/v1/dossiers/{self.dossier_id}{path}"
        return await self.http.request(method, address, headers=headers, **asked)

    def call(self, method: str, path: str, **asked: Any) -> httpx2.Response:
        return self.run(self.acall(method, path, **asked))

    def book(self, **changes: Any) -> str:
        """Make a receipt book and return its path below the dossier."""
        given = {"name": f"Winkel {new_id()}", "number_format": f"{new_id().hex[-10:]}-{{InvoiceNumber:5}}", **changes}
        answer = self.call("POST", "/receipt-books", json=given)
        assert answer.status_code == 201, answer.text
        return f"/receipt-books/{answer.json()['id']}"

    def enter(self, book: str, on: str, *lines: dict[str, Any], **changes: Any) -> httpx2.Response:
        """Enter takings of a day; without lines 106.00 at 6 %."""
        given = lines or ({"vat_rate": "6", "amount": "106.00"},)
        body = {"external_reference": str(new_id()), "lines": list(given), **changes}
        return self.call("PUT", f"{book}/days/{on}", json=body)

    def entered(self, book: str, on: str, *lines: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
        """Enter takings that are taken, and return the entries."""
        answer = self.enter(book, on, *lines, **changes)
        assert answer.status_code == 201, answer.text
        return answer.json()["entries"]

    def chain(self, book: str) -> list[dict[str, Any]]:
        """Return every entry of a book."""
        items: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.call("GET", f"{book}/chain?limit=200{after}").json()
            items += page["items"]
            if page["next"] is None:
                return items
            after = f"&after={page['next']}"

    def close(self, book: str, through: str) -> dict[str, Any]:
        """Close a book through a day."""
        answer = self.call("POST", f"{book}/close", json={"through": through})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def periods(self, book: str) -> list[dict[str, Any]]:
        """Return the closed periods of a book, the latest first."""
        items: list[dict[str, Any]] = self.call("GET", f"{book}/periods?limit=200").json()["items"]
        return items

    # ── what it does by itself ──

    def loop(self, name: str) -> None:
        """Let a loop do all that it has to do."""
        (found,) = [loop for loop in SERVICE.loops if loop.name == name]

        async def work() -> None:
            while await found.run_once(self.context):
                pass

        self.run(work())

    def hand_in(self) -> list[Filed]:
        """Hand in all that is due, and return what this dossier got since it was made."""
        self.loop("hand in")
        return [one for one in self.dossier_api.filed.values() if one.dossier_id == str(self.dossier_id)]

    # ── the database, the clock ──

    def sql(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async def ask() -> list[dict[str, Any]]:
            async with self.database.transaction() as tx:
                result = await tx.execute(text(statement), values)
                return [dict(row) for row in result.mappings()] if result.returns_rows else []

        found: list[dict[str, Any]] = self.run(ask())
        return found

    def at(self, moment: str) -> None:
        """Set the clock, in UTC."""
        self.context.at = datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[Coroutine[Any, Any, T]], T]]:
    """Run coroutines on one event loop in a thread: a service lives as long as its loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="pos-ingest", daemon=True)
    thread.start()
    yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def service(_databases: Any, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Iterator[Till]:
    url = _databases.take(SERVICE)
    running = Till(url, run)
    yield running
    running.end()
    _databases.give_back(url, SERVICE)


@pytest.fixture
def till(service: Till) -> Till:
    """Give the service, at noon of a Friday in March, with a dossier that nobody else has."""
    service.context.at = NOON
    service.dossier_api.refuses = None
    service.dossier()
    return service

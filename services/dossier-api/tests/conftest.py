"""dossier-api on a real database and a real port, with tokens signed by an issuer of the tests' own."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import uvicorn
from joserfc import jwk, jwt
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from dossier_api.service import SERVICE
from koppel_mesh.auth import SCOPES
from koppel_mesh.http.server import build_app
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ConnectionChanged, DeliveryChanged, open_envelope
from koppel_mesh.runtime import open_context, open_resources
from koppel_mesh.service import Context
from koppel_mesh.settings import MeshSettings
from koppel_sandbox.ports import free_port

from .document_samples import OURS

FIRM = UUID("0199a000-0000-7000-8000-000000000001")
OTHER_FIRM = UUID("0199a000-0000-7000-8000-000000000002")
KEY = jwk.ECKey.generate_key("P-256", {"kid": "test"})


class OtherServices:
    """The issuer of tokens, and a connector that notes what it is asked."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.asked: list[str] = []
        self.answer = 202

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/issuer/.well-known/openid-configuration", self._metadata),
            Route("/issuer/jwks", self._keys),
            Route("/issuer/token", self._token, methods=["POST"]),
            Route("/connector-exact/v1/{path:path}", self._connector, methods=["POST"]),
        ]

    def token(self, firm_id: UUID | None = FIRM, scope: str = " ".join(SCOPES)) -> str:
        claims = {"iss": f"{self.base_url}/issuer", "aud": "koppel", "sub": "tester", "exp": int(time.time()) + 600}
        bound = {"firm_id": str(firm_id)} if firm_id else {}
        return jwt.encode({"alg": "ES256", "kid": "test"}, {**claims, **bound, "scope": scope}, KEY)

    async def _metadata(self, _: Request) -> JSONResponse:
        issuer = f"{self.base_url}/issuer"
        return JSONResponse({"issuer": issuer, "jwks_uri": f"{issuer}/jwks", "token_endpoint": f"{issuer}/token"})

    async def _keys(self, _: Request) -> JSONResponse:
        return JSONResponse(jwk.KeySet([KEY]).as_dict(private=False))

    async def _token(self, _: Request) -> JSONResponse:
        return JSONResponse({"access_token": self.token(None), "token_type": "Bearer", "expires_in": 600})

    async def _connector(self, request: Request) -> JSONResponse:
        self.asked.append(request.url.path)
        return JSONResponse({"code": "not_waiting", "detail": "it is booked"}, self.answer)


class DossierClient:
    """A caller of the running service."""

    def __init__(self, http: httpx2.AsyncClient, other_services: OtherServices, context: Context) -> None:
        self.http = http
        self.other_services = other_services
        self.context = context

    async def call(
        self,
        method: str,
        path: str,
        *,
        firm: UUID | None = FIRM,
        headers: dict[str, str] | None = None,
        **arguments: Any,
    ) -> httpx2.Response:
        bearer = {"Authorization": f"Bearer {self.other_services.token(firm)}"}
        return await self.http.request(
            method, f"/dossier-api/v1{path}", headers={**bearer, **(headers or {})}, **arguments
        )

    async def dossier(self, *, firm: UUID | None = FIRM, **fields: Any) -> dict[str, Any]:
        body = {"name": "Bakkerij Peeters", "enterprise_number": OURS, **fields}
        answer = await self.call("POST", "/dossiers", firm=firm, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def hand_in(
        self, dossier_id: str, body: bytes, media_type: str = "application/xml", query: str = "", **more: Any
    ) -> httpx2.Response:
        headers = {"Content-Type": media_type, **more.pop("headers", {})}
        return await self.call(
            "POST", f"/dossiers/{dossier_id}/documents{query}", content=body, headers=headers, **more
        )

    async def filed(self, dossier_id: str, body: bytes, media_type: str = "application/xml") -> dict[str, Any]:
        answer = await self.hand_in(dossier_id, body, media_type)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def document(self, document_id: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/documents/{document_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def deliver(self, *facts: DeliveryChanged | ConnectionChanged) -> None:
        """Hand facts to their handler, as the inbox does: one transaction."""
        async with self.context.database.transaction() as tx:
            for event, handle in SERVICE.handlers.items():
                if group := [fact for fact in facts if type(fact) is event]:
                    await handle(self.context, tx, group)

    async def take_events(self) -> list[Any]:
        """Return what was announced since the last time."""
        async with self.context.database.transaction() as tx:
            rows = (await tx.execute(text("DELETE FROM outbox RETURNING seq, body"))).all()
        return [open_envelope(row.body).data for row in sorted(rows)]


@pytest.fixture
async def client(make_database: Callable[..., str], tmp_path: Path) -> AsyncIterator[DossierClient]:
    url = make_database(SERVICE)
    port = free_port()
    other_services = OtherServices(f"http://127.0.0.1:{port}")
    settings = MeshSettings(
        database_url=url,
        amqp_url="amqp://unused",
        blob_url=f"file://{tmp_path}/blobs",
        public_url=other_services.base_url,
        oidc_issuer=f"{other_services.base_url}/issuer",
        service_client_secret="secret",
        body_limit_bytes=3_000_000,
    )
    async with open_context(SERVICE, settings) as context, open_resources(context):
        app = Starlette(routes=[Mount("/dossier-api", build_app(SERVICE, context)), *other_services.routes])
        async with (
            _listening(app, port),
            httpx2.AsyncClient(base_url=other_services.base_url, timeout=30, trust_env=False) as caller,
        ):
            yield DossierClient(caller, other_services, context)


@asynccontextmanager
async def _listening(app: Starlette, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield
    # The server's own shutdown sleeps, which adds up over hundreds of tests; the caller has gone by now.
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()


@pytest.fixture
def fact() -> Callable[..., DeliveryChanged]:
    """Give facts about one delivery of a document."""
    delivery_id, connection_id = new_id(), new_id()

    def make(document: dict[str, Any], state: str, version: int, **fields: Any) -> DeliveryChanged:
        given = {"delivery_id": delivery_id, "connection_id": connection_id, "connector": "connector-exact"}
        return DeliveryChanged.model_validate(
            {**given, "document_id": document["id"], "revision": 1, "state": state, "version": version, **fields}
        )

    return make


PROBLEM = {
    "code": "period_closed",
    "message": {"nl": "Periode gesloten", "fr": "Période fermée", "en": "Period closed"},
    "who_can_fix": "accountant",
}

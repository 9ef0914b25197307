"""identity on a real database and a port of its own, and calls to it as clients make them."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio
from cryptography.fernet import Fernet

from identity.service import SERVICE
from identity.settings import IdentitySettings
from koppel_mesh.http.client import Response
from koppel_mesh.ids import new_id
from koppel_mesh.runtime import running
from koppel_mesh.service import Context
from koppel_sandbox.ports import free_port

SECRET = "services-secret-for-tests"
PARTNER_SCOPES = ["documents:read", "documents:write", "webhooks:write"]


def settings_for(database_url: str, port: int, **more: Any) -> IdentitySettings:
    """Return what identity needs to run on that database and port."""
    return IdentitySettings.model_validate(
        {
            "database_url": database_url,
            "amqp_url": "amqp://127.0.0.1:9/",
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "secret_keys": Fernet.generate_key().decode(),
            "service_client_secret": SECRET,
            **more,
        }
    )


class Client:
    """A client of identity, with its id and secret."""

    def __init__(self, at: "Identity", client_id: str, secret: str, row_id: str = "") -> None:
        self.at = at
        self.client_id = client_id
        self.secret = secret
        self.row_id = row_id
        self._bearer = ""

    async def form(self, path: str = "token", **form: str) -> Response:
        """Post a form with the client's credentials."""
        credentials = {"client_id": self.client_id, "client_secret": self.secret}
        return await self.at.request("POST", f"/oauth/{path}", data={**credentials, **form})

    async def ask(self, **form: str) -> Response:
        """Ask for a token."""
        return await self.form(grant_type="client_credentials", **form)

    async def token(self, **form: str) -> str:
        """Return a token."""
        answer = await self.ask(**form)
        assert answer.status == 200, answer.text
        return str(json.loads(answer.content)["access_token"])

    async def call(self, method: str, path: str, key: str | None = None, **arguments: Any) -> Response:
        """Make a call with a token of the client, a new one when the one before is refused."""
        for _ in range(2):
            self._bearer = self._bearer or await self.token()
            headers = {"Authorization": f"Bearer {self._bearer}"} | ({"Idempotency-Key": key} if key else {})
            answer = await self.at.request(method, f"/v1{path}", headers=headers, **arguments)
            if answer.status != 401:
                break
            self._bearer = ""
        return answer

    async def made(self, path: str, body: Any, status: int = 201, **arguments: Any) -> Any:
        """Return what a POST has made."""
        answer = await self.call("POST", path, json=body, **arguments)
        assert answer.status == status, answer.text
        return json.loads(answer.content)

    async def get(self, path: str) -> Any:
        """Return what a GET answers."""
        answer = await self.call("GET", path)
        assert answer.status == 200, answer.text
        return json.loads(answer.content)


class Identity:
    """The running service."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.services = Client(self, context.settings.service_client_id, SECRET)

    async def request(self, method: str, path: str, **arguments: Any) -> Response:
        url = f"{self.context.settings.public_url}/identity{path}"
        return await self.context.http.request(method, url, deadline_s=10, **arguments)

    async def client(self, kind: str, scopes: list[str], firm_id: UUID | None = None) -> Client:
        """Make a client."""
        body = {"client_id": f"{kind}-{new_id()}", "name": kind.title(), "kind": kind, "scopes": scopes}
        made = await self.services.made("/clients", body | ({"firm_id": str(firm_id)} if firm_id else {}))
        return Client(self, made["client_id"], made["client_secret"], made["id"])

    async def partner(self, scopes: list[str] = PARTNER_SCOPES) -> Client:
        """Make a partner that no firm consents to yet."""
        return await self.client("partner", scopes)

    async def owner(self, firm_id: UUID | None = None) -> tuple[UUID, Client]:
        """Make a firm and who administers it."""
        firm_id = firm_id or new_id()
        return firm_id, await self.client("firm", ["admin"], firm_id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def identity(_databases: Any) -> AsyncIterator[Identity]:
    url, port = _databases.take(SERVICE), free_port()
    settings = settings_for(url, port)
    async with running([SERVICE], {"identity": settings}) as contexts:
        yield Identity(contexts["identity"])
    _databases.give_back(url, SERVICE)

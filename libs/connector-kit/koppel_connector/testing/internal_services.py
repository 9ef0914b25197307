"""The other services of the mesh as a connector sees them, as a small HTTP server: tokens, dossiers, documents, files."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey

from .document_factory import DOSSIER_NAME, DOSSIER_NUMBER
from .loopback import LoopbackServer, Request, http_answer

Answer = tuple[int, bytes, str]


class InternalServices(LoopbackServer):
    """Serves what dossier-api and identity would."""

    def __init__(self) -> None:
        self.documents: dict[str, Mapping[str, Any]] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.dossiers: dict[str, Mapping[str, Any]] = {}
        self.put: dict[str, Any] = {}
        """Path → the body last put there."""
        self.down = False
        self._behind: tuple[str, Callable[[], httpx2.AsyncClient]] | None = None
        self._key = ECKey.generate_key("P-256", {"kid": "test", "alg": "ES256", "use": "sig"})

    def lead_to(self, service: str, caller: Callable[[], httpx2.AsyncClient]) -> None:
        """Have the paths of a service lead to it, as the ingress does: vendors speak back at its public address."""
        self._behind = f"/{service}/", caller

    def token(self, firm_id: UUID | None, *scopes: str) -> str:
        """Return a signed access token of a caller; unbound when ``firm_id`` is None."""
        claims: dict[str, Any] = {
            "iss": f"{self.url}/identity",
            "aud": "koppel",
            "sub": "a-person",
            "exp": int(time.time()) + 600,
            "scope": " ".join(scopes or ("connections:read", "connections:write")),
        }
        if firm_id is not None:
            claims["firm_id"] = str(firm_id)
        return jwt.encode({"alg": "ES256", "kid": "test"}, claims, self._key)

    def add_document(self, document: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Have dossier-api know a document."""
        identifier = str(document["id"])
        self.documents[identifier] = document
        for role, content in files.items():
            self.files[identifier, role] = content

    def add_dossier(self, dossier_id: UUID, firm_id: UUID) -> None:
        """Have dossier-api know a dossier."""
        self.dossiers[str(dossier_id)] = {
            "id": str(dossier_id),
            "firm_id": str(firm_id),
            "name": DOSSIER_NAME,
            "enterprise_number": DOSSIER_NUMBER,
            "language": "nl",
        }

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        """Answer one request as dossier-api or identity would, or the service that stands behind."""
        if self._behind and request.target.startswith(self._behind[0]):
            prefix, caller = self._behind
            async with caller() as service:
                path = request.target.removeprefix(prefix.rstrip("/"))
                got = await service.request(request.method, path, content=request.body)
            writer.write(http_answer(got.status_code, got.content, {"Content-Type": "application/json"}))
            return True
        target = urlsplit(request.target)
        if target.path == "/dossier-api/v1/documents" and not self.down:
            status, content, media_type = self._documents(dict(parse_qsl(target.query)))
        else:
            status, content, media_type = self._answer(request.method, target.path, request.body)
        writer.write(http_answer(status, content, {"Content-Type": media_type}))
        return True

    def _answer(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/identity/.well-known/openid-configuration":
            return _json(
                200,
                {
                    "issuer": f"{self.url}/identity",
                    "token_endpoint": f"{self.url}/identity/oauth/token",
                    "jwks_uri": f"{self.url}/identity/jwks",
                },
            )
        if path == "/identity/jwks":
            return _json(200, {"keys": [self._key.as_dict(private=False)]})
        if path == "/identity/oauth/token":
            return _json(200, {"access_token": "service-token", "token_type": "Bearer", "expires_in": 3600})
        if self.down:
            return _json(503, {"code": "away", "title": "away"})
        if method == "PUT":
            self.put[path] = json.loads(body)
            return _json(200, {})
        parts = path.strip("/").split("/")
        if parts[:3] == ["dossier-api", "v1", "documents"]:
            return self._document(parts[3:])
        if parts[:3] == ["dossier-api", "v1", "dossiers"] and parts[3] in self.dossiers:
            return _json(200, self.dossiers[parts[3]])
        return _json(404, {"code": "not_found", "title": "not found"})

    def _documents(self, query: Mapping[str, str]) -> Answer:
        """Answer as the list of documents does, latest issue date first, a page at a time."""
        found = [
            each
            for each in self.documents.values()
            if each["dossier_id"] == query["dossier_id"] and query["from"] <= (each["issue_date"] or "") <= query["to"]
        ]
        found.sort(key=lambda each: (each["issue_date"], each["id"]), reverse=True)
        start, size = int(query.get("after", 0)), int(query["limit"])
        following = str(start + size) if len(found) > start + size else None
        return _json(200, {"items": found[start : start + size], "next": following})

    def _document(self, parts: list[str]) -> Answer:
        if parts[0] not in self.documents:
            return _json(404, {"code": "not_found", "title": "not found"})
        if len(parts) == 1:
            return _json(200, self.documents[parts[0]])
        content = self.files.get((parts[0], parts[-1]))
        return (200, content, "application/octet-stream") if content is not None else _json(404, {"code": "not_found"})


def _json(status: int, body: Any) -> Answer:
    return status, json.dumps(body, default=str).encode(), "application/json"

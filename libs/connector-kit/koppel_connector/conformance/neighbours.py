"""The neighbours a connector has inside the mesh, as a small real HTTP server: tokens, dossiers, documents and their files."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey

Answer = tuple[int, bytes, str]


class Neighbours:
    """Serves what dossier-api and identity would; use as an async context manager."""

    def __init__(self) -> None:
        self.documents: dict[str, Mapping[str, Any]] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.dossiers: dict[str, Mapping[str, Any]] = {}
        self.put: dict[str, Any] = {}
        """Path → the body last put there."""
        self.down = False
        self.url = ""
        self._server: asyncio.Server | None = None
        self._key = ECKey.generate_key("P-256", {"kid": "test", "alg": "ES256", "use": "sig"})

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

    async def __aenter__(self) -> "Neighbours":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

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
            "name": "Bakkerij De Korenaar",
            "enterprise_number": "0403019261",
            "language": "nl",
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                method, target, _, body = request
                status, content, media_type = self._answer(method, urlsplit(target).path, body)
                writer.write(http_answer(status, content, {"Content-Type": media_type}))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

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

    def _document(self, parts: list[str]) -> Answer:
        if parts[0] not in self.documents:
            return _json(404, {"code": "not_found", "title": "not found"})
        if len(parts) == 1:
            return _json(200, self.documents[parts[0]])
        content = self.files.get((parts[0], parts[-1]))
        return (200, content, "application/octet-stream") if content is not None else _json(404, {"code": "not_found"})


def _json(status: int, body: Any) -> Answer:
    return status, json.dumps(body, default=str).encode(), "application/json"


async def read_request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes] | None:
    """Read one HTTP/1.1 request: method, target, headers in lower case, body. None at the end of the connection."""
    line = (await reader.readline()).decode("latin-1").strip()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while header := (await reader.readline()).decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return method, target, headers, body


def http_answer(status: int, content: bytes, headers: Mapping[str, str] = {}) -> bytes:
    """Return the bytes of one HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content

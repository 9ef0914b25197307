"""The neighbours that pos-ingest reaches over HTTP when it runs as a process."""

import asyncio
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from koppel_mesh.http.internal_client import InternalCallError

from .conftest import DossierApi

PATIENCE_S = 60.0


class Neighbours(ThreadingHTTPServer):
    """dossier-api, which may be stopped on its way, and whoever gives tokens."""

    daemon_threads = True

    def __init__(self, dossier_api: DossierApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.dossier_api = dossier_api
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._place: str | None = None
        self._reached, self._goes_on = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def hold_at(self, place: str) -> None:
        """Stop the next call that comes to ``relations``, ``before`` a document is filed, or ``after``."""
        self._place = place
        self._reached.clear()
        self._goes_on.clear()

    def until_held(self) -> None:
        """Wait until a call stands there."""
        assert self._reached.wait(PATIENCE_S), f"no call came to {self._place}"

    def go_on(self) -> None:
        """Let it go on."""
        self._place = None
        self._goes_on.set()

    def pass_by(self, place: str) -> None:
        """Go past a place where a call may be held."""
        if self._place == place:
            self._reached.set()
            self._goes_on.wait(PATIENCE_S)


class _Handler(BaseHTTPRequestHandler):
    server: Neighbours
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path.endswith("/openid-configuration"):
            self._answer(200, {"issuer": self.server.url, "token_endpoint": f"{self.server.url}/identity/oauth/token"})
            return
        if address.path.endswith("/relations"):
            self.server.pass_by("relations")
        try:
            found = asyncio.run(self.server.dossier_api.get_json(address.path, params=dict(parse_qsl(address.query))))
        except InternalCallError as error:
            self._answer(error.status or 503, {"code": error.code})
            return
        self._answer(200, found)

    def do_PUT(self) -> None:
        asyncio.run(self.server.dossier_api.put_json(self.path, json.loads(self._body())))
        self._answer(200, {})

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/oauth/token"):
            self._answer(200, {"access_token": "of-a-service", "expires_in": 3600})
            return
        self.server.pass_by("before")
        headers = {name: self.headers[name] for name in ("Content-Type", "Idempotency-Key")}
        try:
            filed: Any = asyncio.run(self.server.dossier_api.request("POST", self.path, content=body, headers=headers))
        except InternalCallError as error:
            self._answer(error.status or 503, {"code": error.code})
            return
        self.server.pass_by("after")
        self._answer(filed.status, json.loads(filed.content))

    def _body(self) -> bytes:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # whoever sent it was killed: half a document is none
            raise ConnectionResetError
        return body

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        written = json.dumps(body).encode()
        with suppress(ConnectionError):  # who asked may be dead
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

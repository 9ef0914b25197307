"""identity over HTTP, for the service as a process: it gives tokens, says who may see whom, and may be held on the way."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATIENCE_S = 60.0


class IdentityServer(ThreadingHTTPServer):
    """Every client may see every firm."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.held, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def hold(self) -> None:
        """Stop the next question who may see whom."""
        self.held.clear()
        self.goes_on.clear()


class _Handler(BaseHTTPRequestHandler):
    server: IdentityServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if not address.path.endswith("/client-access"):
            self._answer({"issuer": self.server.url, "token_endpoint": f"{self.server.url}/identity/oauth/token"})
            return
        self.server.held.set()
        self.server.goes_on.wait(PATIENCE_S)
        asked = parse_qs(address.query)
        pairs = [(client, firm) for client in asked["client_id"] for firm in asked.get("firm_id", [None])]
        granted = {"kind": "partner", "scopes": ["webhooks:write"]}
        self._answer({"items": [{"client_id": client, "firm_id": firm, **granted} for client, firm in pairs]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "of-a-service", "expires_in": 3600})

    def _answer(self, body: dict[str, Any]) -> None:
        written = json.dumps(body).encode()
        with suppress(ConnectionError):  # who asked may be dead
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

"""A partner that receives webhooks: it checks each signature, answers the challenge, and keeps what it has not had yet."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from standardwebhooks import Webhook

TYPES = ["document.received", "delivery.exported", "delivery.booked", "connection.state_changed"]
Mood = Literal["slow", "unavailable", "throttling", "resetting"]


class Receiver(ThreadingHTTPServer):
    """Listens on a port of the loopback; use ``serving``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.secret = ""
        self.events: dict[str, Any] = {}
        """By ``webhook-id``, in the order in which they were taken first."""
        self.mood: Mood | None = None
        """How it fails; None: it does not. One that is slow or resets has taken the event all the same."""
        self.slow_s = 3.0

    @contextmanager
    def serving(self) -> Iterator["Receiver"]:
        with self:
            threading.Thread(target=self.serve_forever, daemon=True).start()
            yield self
            self.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def types(self) -> list[str]:
        return [event["type"] for event in self.events.values()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers go away in the middle; that is theirs to handle."""


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Webhook(self.server.secret).verify(body, dict(self.headers), json_parse=False)
        event = json.loads(body)
        answer = json.dumps({"challenge": event["data"].get("challenge")}).encode()
        mood = self.server.mood
        if mood in ("unavailable", "throttling"):
            self._answer(503 if mood == "unavailable" else 429, b"", {"Retry-After": "1"})
            return
        if event["type"] != "endpoint.challenge":
            self.server.events.setdefault(self.headers["webhook-id"], event)
        if mood == "resetting":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        if mood == "slow":
            time.sleep(self.server.slow_s)
        with suppress(OSError):
            self._answer(200, answer, {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def register(client: Any, receiver: Receiver, **more: Any) -> str:
    """Register it for the events of the client's firm; return the path of the endpoint, whose challenge is to be met yet."""
    made = client.post("/webhooks/v1/endpoints", json={"url": receiver.url, "event_types": TYPES, **more})
    assert made.status_code == 201, made.text
    receiver.secret = made.json()["secret"]
    return f"/webhooks/v1/endpoints/{made.json()['id']}"

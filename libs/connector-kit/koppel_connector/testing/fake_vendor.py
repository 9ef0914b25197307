"""A vendor of one's own in a few lines: routes over real HTTP, objects in memory, a search that may be late.

    class Books(FakeVendor):
        @route("GET", "/entries/{id}")
        def entry(self, asked: Asked) -> Any:
            return self.held("entry")[asked.named["id"]]

A handler returns what becomes JSON, or raises ``Refusal``. Faults are the gate's (``fault_gate.py``).
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from koppel_connector.contract.wire import to_json
from koppel_mesh.clock import utc_now

from .loopback import LoopbackServer, Request, http_answer

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Asked:
    """One request, as a handler reads it."""

    named: Mapping[str, str]
    """What stands in the path's places: ``{id}``."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the body, with exact numbers."""
        return json.loads(self.content, parse_float=Decimal)


class Refusal(Exception):
    """The vendor's no: a status and what becomes JSON."""

    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Have a method of a ``FakeVendor`` answer these requests; ``{name}`` in the path stands for one part of it."""

    def marked(handler: Handler) -> Handler:
        pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))
        handler.__dict__["route"] = (method, pattern)
        return handler

    return marked


class FakeVendor(LoopbackServer):
    """A vendor in memory; subclass and give it routes."""

    open_paths: tuple[str, ...] = ()
    """What may be called without a login."""

    def __init__(self) -> None:
        self.index_delay_s = 0.0
        """How long a search does not find what was just made."""
        self._objects: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self._made_at: dict[tuple[str, str], datetime] = {}
        methods = [getattr(self, name) for name in dir(type(self))]
        self._routes = [(*method.__dict__["route"], method) for method in methods if hasattr(method, "route")]

    # ----------------------------------------------------------------------------------------------------------- objects

    def keep(self, kind: str, key: str, **values: Any) -> dict[str, Any]:
        """Make an object, or change the one with this key."""
        self._made_at.setdefault((kind, key), utc_now())
        self._objects[kind][key] = {**self._objects[kind].get(key, {}), **values, "id": key}
        return self._objects[kind][key]

    def held(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return every object of a kind, by key: what stands in the vendor's own database."""
        return self._objects[kind]

    def search(self, kind: str, **like: Any) -> list[dict[str, Any]]:
        """Return the objects whose values are these, as the vendor's search shows them: late."""
        shown_before = utc_now() - timedelta(seconds=self.index_delay_s)
        return [
            each
            for key, each in self._objects[kind].items()
            if self._made_at[kind, key] <= shown_before and like.items() <= each.items()
        ]

    # ----------------------------------------------------------------------------------------------------------- requests

    def authorise(self, asked: Asked) -> None:
        """Raise ``Refusal`` where a request is not let in; every one is, unless a subclass says otherwise."""

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        """Answer one request by its route."""
        try:
            status, body = 200, self._handled(request)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        content = body if isinstance(body, bytes) else to_json(body).encode()
        writer.write(http_answer(status, content, {"Content-Type": "application/json"}))
        return True

    def _handled(self, request: Request) -> Any:
        split = urlsplit(request.target)
        for method, pattern, handler in self._routes:
            if method == request.method and (match := pattern.fullmatch(split.path)):
                named = {name: unquote(value) for name, value in match.groupdict().items()}
                asked = Asked(named, dict(parse_qsl(split.query)), request.headers, request.body)
                if split.path not in self.open_paths:
                    self.authorise(asked)
                return handler(asked)
        raise Refusal(404, {"error": "UNKNOWN_PATH"})

"""``python -m bench.instant_vendor --port N``: an Exact Online that answers what every document asks at once.

The Document, its files, the entry and its read-back are answered from a dictionary, with the limits' headers and in the
shapes of the sandbox; everything else (consent, tokens, master data) is the sandbox's, behind it. So a figure of the mesh does
not tell how fast a strict fake is that runs on the same cores.
"""

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

import httpx2
import uvicorn
import uvloop

from koppel_sandbox.exact.app import create_app

_ENTRY_ID = re.compile(r"guid'([0-9a-fA-F-]{36})'")
LIMIT = 10**9
_DAY_S, _MINUTE_S = 86_400, 60
_PASSED_ON = ("accept", "authorization", "content-type", "prefer")


class Books:
    """What the hot calls leave behind."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Any]] = {}
        self._counts: Counter[tuple[str, int, int]] = Counter()

    def limits(self, division: str) -> str:
        """Count one call of a division, and return the headers that tell what is left (exact §4)."""
        now, lines = int(time.time()), []
        for infix, window_s in (("", _DAY_S), ("Minutely-", _MINUTE_S)):
            window = now // window_s
            self._counts[division, window_s, window] += 1
            lines += [
                f"X-RateLimit-{infix}Limit: {LIMIT}",
                f"X-RateLimit-{infix}Remaining: {LIMIT - self._counts[division, window_s, window]}",
                f"X-RateLimit-{infix}Reset: {(window + 1) * window_s * 1000}",
            ]
        return "\r\n".join(("Content-Type: application/json", *lines, ""))

    def answer(self, method: str, path: str, query: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        """Return status and body of a call that every document makes; None for any other."""
        resource = path.rpartition("/")[2]
        if method == "POST" and resource in {"Documents", "DocumentAttachments"}:
            return 201, {"d": {"ID": str(uuid4())}}
        if resource != "SalesEntries":
            return None
        if method == "POST":
            return 201, {"d": self._book(json.loads(body, parse_float=Decimal))}
        found = (self._entries.get(key.lower()) for key in _ENTRY_ID.findall(query))
        return 200, {"d": {"results": [row for row in found if row is not None]}}

    def _book(self, entry: dict[str, Any]) -> dict[str, Any]:
        lines = entry.pop("SalesEntryLines")
        tax = sum((Decimal(str(line.get("VATAmountFC", 0))) for line in lines), Decimal(0))
        total = sum((Decimal(str(line["AmountFC"])) for line in lines), tax)
        number = 26_700_001 + len(self._entries)
        row = {
            **entry,
            "EntryNumber": number,
            "AmountFC": total,
            "VATAmountFC": tax,
            "Type": 20,
            "Status": 20,
            "SalesEntryLines": {"results": lines},
        }
        self._entries[str(entry["EntryID"]).lower()] = row
        return row


class Connection(asyncio.Protocol):
    """One kept HTTP/1.1 connection."""

    def __init__(self, books: Books, behind: httpx2.AsyncClient) -> None:
        self._books, self._behind = books, behind
        self._received = b""
        self._transport: asyncio.Transport
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            lines = self._received[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            until = end + 4 + int(headers.get("content-length", 0))
            if len(self._received) < until:
                return
            body, self._received = self._received[end + 4 : until], self._received[until:]
            method, target, _ = lines[0].split(" ")
            path, _, query = target.partition("?")
            if (answer := self._books.answer(method, path, query.replace("%27", "'"), body)) is not None:
                limits = self._books.limits(path.split("/")[3])
                self._write(answer[0], json.dumps(answer[1], default=float).encode(), limits)
            else:
                task = asyncio.ensure_future(self._pass_on(method, target, headers, body))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _write(self, status: int, body: bytes, headers: str) -> None:
        head = f"HTTP/1.1 {status} Instant\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode("latin-1") + body)

    async def _pass_on(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        kept = {name: headers[name] for name in _PASSED_ON if name in headers}
        answer = await self._behind.request(method, target, headers=kept, content=body)
        told = {"content-type", "location"} | {name for name in answer.headers if name.startswith("x-ratelimit")}
        lines = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items() if name in told)
        self._write(answer.status_code, answer.content, lines)


async def serve(port: int) -> None:
    """Answer on ``port`` until the process is ended."""
    config = uvicorn.Config(
        create_app(f"http://127.0.0.1:{port}"), host="127.0.0.1", port=0, access_log=False, log_config=None
    )
    sandbox = uvicorn.Server(config)
    running = asyncio.create_task(sandbox.serve())
    while not sandbox.started:
        await asyncio.sleep(0.01)
    inner = sandbox.servers[0].sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{inner}", trust_env=False, timeout=60) as behind:
        books = Books()
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: Connection(books, behind), "127.0.0.1", port)
        await running


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))

"""A small vendor on paper: OAuth with rotating tokens, a ledger that can be searched, limits with headers, faults on request.

Raw sockets, because a framework cannot answer half.
"""

import asyncio
import json
import secrets
import time
from collections import Counter, deque
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from koppel_connector.testing import DOSSIER_NAME, DOSSIER_NUMBER, Fault, LoopbackServer, Request, http_answer


class PaperVendor(LoopbackServer):
    def __init__(self, *, per_minute: int = 10_000, refresh_not_before_s: float = 0.0) -> None:
        self.per_minute = per_minute
        self.refresh_not_before_s = refresh_not_before_s
        self.access_valid_s = 600
        self.refuses = 0
        """So many calls get a 401 though their token is good."""
        self.accounts = [{"id": "a1", "code": "700000", "name": "Verkopen"}]
        self.pin = "4071"
        self.company = {"name": DOSSIER_NAME, "number": DOSSIER_NUMBER}
        self.speaks_of_limits = True
        self.exists_already = 0
        """So many bookings are refused because the entry is there already, though it is not."""
        self.ledger: list[dict[str, Any]] = []
        self.outage: Literal["drops", "503"] | None = None
        self.accounts_are_ill = False
        self.books_are_ill = False
        """What every call meets, whatever it asks."""
        self.breaks_on: bytes | None = None
        """Whatever holds this breaks the connection before anything is done."""
        self.retry_after_s: int | None = None
        self.faults: deque[Fault] = deque()
        self.search_fails = 0
        """So many searches end in a fault of the vendor's."""
        self.search_of_numbers_is_refused = False
        self.reading_is_throttled = False
        """Every look at the books gets a 429, though calls are left in the minute."""
        self.numbers_taken = 0
        """So many bookings are refused because their number was taken meanwhile."""
        self.token_faults: deque[str] = deque()
        self.token_takes_s = 0.0
        self.index_delay_s = 0.0
        self.books_in_s = 0.0
        self.garbles: dict[str, str] = {}
        """What stands in its answers in place of a text."""
        self.answers_in_s = 0.0
        """How long it thinks about a question, whatever it is."""
        self.booked_at_once = True
        self.seen: list[tuple[str, str]] = []
        self.spent_uses = 0
        self.over_limit = 0
        self.codes: set[str] = set()
        self.authentication: dict[str, float] = {}
        self.refresh: dict[str, float] = {}
        self.spent: set[str] = set()
        self.minutes: Counter[int] = Counter()

    async def refuse_connections(self) -> None:
        """Stop listening, and drop what comes over connections that stand."""
        self.outage = "drops"
        await self.__aexit__()

    async def accept_connections(self) -> None:
        """Listen again at the same address."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", int(self.url.rpartition(":")[2]))
        self.outage = None

    def new_code(self) -> str:
        code = f"code!{secrets.token_urlsafe(8)}"
        self.codes.add(code)
        return code

    async def allow(self, address: str) -> dict[str, str]:
        """Give the consent, as a person does in the browser."""
        asked = parse_qs(urlsplit(address).query)
        assert asked["client_id"] == ["koppel"]
        assert asked["redirect_uri"][0].endswith("/connector-paper/oauth/callback")
        return {"code": self.new_code(), "state": asked["state"][0]}

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        method, target, headers, body = request
        path, query = urlsplit(target).path, {k: v[0] for k, v in parse_qs(urlsplit(target).query).items()}
        self.seen.append((method, path))
        if self.outage == "drops" or (self.breaks_on and self.breaks_on in body):
            writer.transport.abort()
            return False
        if self.outage == "503":
            asked = {"Retry-After": self.retry_after_s} if self.retry_after_s is not None else {}
            return await self._say(writer, 503, {}, asked)
        if path == "/token":
            await asyncio.sleep(self.token_takes_s)
            if self.token_faults and self.token_faults[0] == "hang":
                self.token_faults.popleft()
                await asyncio.sleep(8)
                return False
            if self.token_faults and self.token_faults[0] == "acts_then_resets":
                self.token_faults.popleft()
                self._token({k: v[0] for k, v in parse_qs(body.decode()).items()})
                writer.transport.abort()
                return False
            return await self._say(writer, *self._token({k: v[0] for k, v in parse_qs(body.decode()).items()}))
        if path == "/login":
            return await self._say(writer, *self._log_in(json.loads(body)))
        if self.authentication.get(headers.get("authorization", "").removeprefix("Bearer "), 0) < time.monotonic():
            return await self._say(writer, 401, {"error": "token"})
        if self.refuses > 0:
            self.refuses -= 1
            return await self._say(writer, 401, {"error": "token"})
        minute = int(time.time() // 60)
        self.minutes[minute] += 1
        rate_limits = {"X-Limit": self.per_minute, "X-Remaining": max(self.per_minute - self.minutes[minute], 0)}
        rate_limits["X-Reset"] = (minute + 1) * 60_000
        if self.minutes[minute] > self.per_minute:
            self.over_limit += 1
            return await self._say(writer, 429, {}, rate_limits if self.speaks_of_limits else {})
        if method == "GET" and path == "/entries" and self.search_fails > 0:
            self.search_fails -= 1
            return await self._say(writer, 503, {}, rate_limits)
        if method == "POST" and path == "/entries":
            return await self._book(writer, json.loads(body), rate_limits)
        await asyncio.sleep(self.answers_in_s)
        return await self._say(writer, *self._read(path, query), rate_limits)

    async def _book(self, writer: asyncio.StreamWriter, entry: dict[str, Any], rate_limits: dict[str, Any]) -> bool:
        await asyncio.sleep(self.books_in_s)
        fault = self.faults.popleft() if self.faults else None
        match fault:
            case Fault.RESETS:
                writer.transport.abort()
                return False
            case Fault.THROTTLES:
                return await self._say(writer, 429, {}, {"X-Remaining": 0, "X-Reset": rate_limits["X-Reset"]})
            case Fault.UNAUTHORISED:
                self.authentication.clear()
                return await self._say(writer, 401, {"error": "token"})
            case Fault.FORBIDS:
                return await self._say(writer, 403, {"error": "no right to book"}, rate_limits)
        if self.exists_already > 0:
            self.exists_already -= 1
            return await self._say(writer, 409, {"error": "exists already"}, rate_limits)
        if self.numbers_taken > 0:
            self.numbers_taken -= 1
            return await self._say(writer, 423, {"error": "number taken"}, rate_limits)
        if entry.get("reject"):
            return await self._say(writer, 422, {"error": entry["reject"]}, rate_limits)
        number = f"26700{len(self.ledger) + 1:03d}"
        made = {**entry, "id": secrets.token_hex(8), "number": number, "made": time.monotonic()}
        self.ledger.append({**made, "booked": self.booked_at_once})
        match fault:
            case Fault.ACTS_THEN_HANGS:
                await asyncio.sleep(3)
                return False
            case Fault.ACTS_THEN_RESETS:
                writer.transport.abort()
                return False
            case Fault.ACTS_THEN_HALF_ANSWER:
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n" + b'{"id": "')
                await writer.drain()
                return False
            case Fault.ACTS_THEN_ERROR:
                return await self._say(writer, 502, {"error": "bad gateway"}, rate_limits)
        return await self._say(writer, 201, {"id": made["id"]}, rate_limits)

    def _read(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        if path == "/entries" and "numbers" in query:
            if self.search_of_numbers_is_refused:
                return 403, {"error": "no right to search"}
            return 200, [entry for entry in self.ledger if entry.get("document") in query["numbers"].split(",")]
        if path == "/entries":
            now = time.monotonic()
            found = [
                {"id": entry["id"]}
                for entry in self.ledger
                if entry["reference"] == query["reference"] and entry["made"] + self.index_delay_s <= now
            ]
            return 200, found
        if path == "/books" and self.reading_is_throttled:
            return 429, {}
        if path == "/books" and self.books_are_ill:
            return 503, {}
        if path == "/books":
            wanted = set(query["ids"].split(","))
            return 200, {
                entry["id"]: {"number": entry["number"] if entry["booked"] else None, "total": entry["total"]}
                for entry in self.ledger
                if entry["id"] in wanted
            }
        if path == "/me":
            return 200, {"name": "An Accountant"}
        if path == "/company":
            return 200, self.company
        if path == "/accounts":
            return (503, {}) if self.accounts_are_ill else (200, self.accounts)
        if path == "/relations":
            return 404, {"errorCode": -16, "errorMessage": "nothing"}
        return 404, {"errorCode": -1, "error": "no such page"}

    def _log_in(self, given: dict[str, str]) -> tuple[int, Any]:
        if given["pin"] != self.pin:
            return 401, {"error": "wrong pin"}
        session = f"session-{secrets.token_urlsafe(24)}"
        self.authentication[session] = time.monotonic() + self.access_valid_s
        return 200, {"session": session}

    def _token(self, form: dict[str, str]) -> tuple[int, Any]:
        fault = self.token_faults.popleft() if self.token_faults else None
        if fault == "error":
            return 503, {}
        if form["grant_type"] == "authorization_code":
            if form["code"] not in self.codes:
                return 400, {"error": "invalid_grant"}
            self.codes.discard(form["code"])
        else:
            token = form["refresh_token"]
            if token in self.spent:
                self.spent_uses += 1
                return 401, {"error": "unauthorized_client", "error_description": "Old refresh token used."}
            if fault == "echoes":
                return 401, {"error": "invalid_client", "error_description": f"who sends {token}?"}
            issued = self.refresh.get(token)
            if issued is None or fault == "revoked":
                return 400, {"error": "invalid_grant"}
            if time.monotonic() - issued < min(self.refresh_not_before_s, self.access_valid_s):
                return 400, {"error": "access_denied", "error_description": "access_token not expired"}
            del self.refresh[token]
            self.spent.add(token)
        authentication, refresh = f"at-{secrets.token_urlsafe(24)}", f"rt-{secrets.token_urlsafe(24)}"
        self.authentication[authentication] = time.monotonic() + self.access_valid_s
        self.refresh[refresh] = time.monotonic()
        return 200, {"access_token": authentication, "refresh_token": refresh, "expires_in": str(self.access_valid_s)}

    async def _say(
        self, writer: asyncio.StreamWriter, status: int, body: Any, headers: dict[str, Any] | None = None
    ) -> bool:
        shown = {name: str(value) for name, value in (headers or {}).items()}
        said = json.dumps(body)
        for text, garbled in self.garbles.items():
            said = said.replace(text, json.dumps(garbled)[1:-1])
        writer.write(http_answer(status, said.encode(), {"Content-Type": "application/json", **shown}))
        await writer.drain()
        return True

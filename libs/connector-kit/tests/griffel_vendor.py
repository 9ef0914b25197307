"""Griffel, an invented bookkeeping package with an HTTP API: what docs/adding-a-connector.md builds a connector to.

A password opens a session, and three wrong ones lock the user. Relations and files carry an id of the caller's, so that the
same PUT twice makes one; entries do not, and are found by their reference. The caller gives an entry its number. An empty
search is 404 with NO_RESULT. A credit note's amounts are negative.
"""

import secrets
from decimal import Decimal
from typing import Any

from koppel_connector.testing.fake_vendor import Asked, FakeVendor, Refusal, route

WRONG_PASSWORDS_MAX = 3


class Griffel(FakeVendor):
    open_paths = ("/api/login",)

    def __init__(self) -> None:
        super().__init__()
        self.password = "geheim-4071"
        self.wrong_passwords = 0
        self.sessions: set[str] = set()
        for code, side in (("V1", "sale"), ("A1", "purchase")):
            self.keep("journal", code, code=code, side=side, name=f"Dagboek {code}", next_number=26001)

    def authorise(self, asked: Asked) -> None:
        if asked.headers.get("x-session") not in self.sessions:
            raise Refusal(401, {"error": "SESSION_OVER"})

    @route("POST", "/api/login")
    def log_in(self, asked: Asked) -> Any:
        if self.wrong_passwords >= WRONG_PASSWORDS_MAX:
            raise Refusal(423, {"error": "LOCKED"})
        if asked.json()["password"] != self.password:
            self.wrong_passwords += 1
            raise Refusal(401, {"error": "WRONG_PASSWORD"})
        session = secrets.token_urlsafe(24)
        self.sessions.add(session)
        return {"session": session}

    @route("GET", "/api/journals")
    def journals(self, _: Asked) -> Any:
        return list(self.held("journal").values())

    @route("GET", "/api/relations")
    def relations(self, asked: Asked) -> Any:
        return self._found("relation", asked)

    @route("PUT", "/api/relations/{id}")
    def put_relation(self, asked: Asked) -> Any:
        return self.keep("relation", asked.named["id"], **asked.json())

    @route("PUT", "/api/files/{id}/{name}")
    def put_file(self, asked: Asked) -> Any:
        self.keep("file", asked.named["id"], name=asked.named["name"], content=asked.content)
        return {"id": asked.named["id"]}

    @route("POST", "/api/entries")
    def post_entry(self, asked: Asked) -> Any:
        entry = asked.json()
        journal = self.held("journal")[entry["journal"]]
        if entry["number"] != journal["next_number"]:
            raise Refusal(409, {"error": "NUMBER_TAKEN"})
        if entry["relation"] not in self.held("relation") or not set(entry["files"]) <= set(self.held("file")):
            raise Refusal(422, {"error": "UNKNOWN_REFERENCE"})
        net, vat = (sum((Decimal(line[name]) for line in entry["lines"]), Decimal(0)) for name in ("net", "vat"))
        if net + vat != Decimal(entry["total"]):
            raise Refusal(422, {"error": "NOT_BALANCED", "lines": str(net + vat), "total": entry["total"]})
        journal["next_number"] += 1
        return self.keep("entry", secrets.token_hex(8), **entry)

    @route("GET", "/api/entries")
    def entries(self, asked: Asked) -> Any:
        return self._found("entry", asked)

    def _found(self, kind: str, asked: Asked) -> Any:
        found = self.search(kind, **asked.query)
        if not found:
            raise Refusal(404, {"error": "NO_RESULT"})
        return found

"""A running sandbox, and somebody logged in at it."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from koppel_sandbox.exact.rows import ChangeLog, rows_of, state_of
from koppel_sandbox.exact.seed import BAKERY, CLIENT_ID, CLIENT_SECRET, guid
from koppel_sandbox.exact.testing import SandboxServer

REDIRECT = "http://127.0.0.1:1/callback"


class Login:
    """A client application with one user's consent."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.state = server.state
        self.http = httpx2.Client(base_url=server.url, trust_env=False, timeout=5)
        self.pair: dict[str, Any] = {}

    def authorize(self, **changes: str) -> httpx2.Response:
        query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "response_type": "code", "state": "a b&c"} | changes
        return self.http.get("/api/oauth2/auth", params=query)

    def code(self) -> str:
        return str(httpx2.URL(self.authorize().headers["location"]).params["code"])

    def token(self, **form: str) -> httpx2.Response:
        return self.http.post("/api/oauth2/token", data={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | form)

    def exchange(self, code: str) -> httpx2.Response:
        return self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT)

    def refresh(self, refresh_token: str) -> httpx2.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def consent(self) -> "Login":
        self.pair = self.exchange(self.code()).json()
        self.http.headers["Authorization"] = f"Bearer {self.pair['access_token']}"
        self.http.headers["Accept"] = "application/json"
        return self

    def call(self, method: str, resource: str, *, division: int = BAKERY, **arguments: Any) -> httpx2.Response:
        return self.http.request(method, f"/api/v1/{division}/{resource}", **arguments)

    def rows(self, resource: str, **params: str) -> list[dict[str, Any]]:
        answer = self.call("GET", resource, params={f"${name}": value for name, value in params.items()})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["d"]["results"]
        return found

    def post(self, resource: str, body: Any, *, prefer: bool = True) -> httpx2.Response:
        headers = {"Prefer": "return=representation"} if prefer else {}
        return self.call("POST", resource, json=body, headers=headers)


class Kept:
    """What a folder would hold of a sandbox: every row that its change log named, as it was then."""

    def __init__(self, server: SandboxServer) -> None:
        self._state = server.state
        self._rows = {row.place: row for row in rows_of(self._state)}
        self._log = ChangeLog(self._state)

    def insist_on_all(self) -> None:
        """Insist that nothing changed without being named, and that a restart would bring the same sandbox back."""
        for row in self._log.changes():
            if row.value is None:
                self._rows.pop(row.place, None)
            else:
                self._rows[row.place] = row
        assert self._rows == {row.place: row for row in rows_of(self._state)}
        again = state_of(self._rows.values())
        assert {row.place: row for row in rows_of(again)} == self._rows
        assert again.access == self._state.access


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="module")
def kept(server: SandboxServer) -> Kept:
    return Kept(server)


@pytest.fixture
def exact(server: SandboxServer, kept: Kept) -> Iterator[Login]:
    server.control("reset")
    login = Login(server).consent()
    login.http.event_hooks["response"] = [lambda _: kept.insist_on_all()]
    yield login
    login.http.close()
    kept.insist_on_all()


def sale(number: str = "F-1", **changes: Any) -> dict[str, Any]:
    """Return a sales entry that Exact takes."""
    line = {"GLAccount": guid(f"{BAKERY} account 700000"), "AmountFC": 100.0, "VATCode": "21"}
    entry = {"Customer": guid(f"{BAKERY} relation 1"), "Journal": "700", "EntryDate": "2026-01-15", "YourRef": number}
    return entry | {"SalesEntryLines": [line]} | changes


def message(answer: httpx2.Response) -> str:
    """Return the sentence of a refusal."""
    return str(answer.json()["error"]["message"]["value"])

"""A running sandbox Octopus, and somebody logged in at it."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from koppel_sandbox.octopus.app import LAYOUT
from koppel_sandbox.octopus.seed import BAKERY, PASSWORD, SOFTWARE_HOUSE, USER
from koppel_sandbox.octopus.testing import SandboxServer
from koppel_sandbox.rows import ChangeLog

REST = "/octopus-rest-api/v1"
YEAR = 3
LONG_AGO = "2000-01-01 00:00:00.000"


class Login:
    """A client with a login token and a dossier token."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.state = server.state
        self.http = httpx2.Client(base_url=server.url, trust_env=False, timeout=5)
        self.token = ""
        self.dossier = 0
        self.dossier_token = ""

    def authenticate(self, user: str = USER, password: str = PASSWORD, uuid: str | None = SOFTWARE_HOUSE) -> Any:
        headers = {} if uuid is None else {"softwareHouseUuid": uuid}
        return self.http.post(f"{REST}/authentication", json={"user": user, "password": password}, headers=headers)

    def log_in(self) -> "Login":
        self.token = self.authenticate().json()["token"]
        return self

    def connect(self, dossier: int, **query: Any) -> httpx2.Response:
        answer = self.http.post(
            f"{REST}/dossiers", params={"dossierId": dossier, **query}, headers={"Token": self.token}
        )
        if answer.status_code == 200:
            self.dossier, self.dossier_token = dossier, answer.json()["Dossiertoken"]
        return answer

    def call(self, method: str, path: str, *, api: str = REST, token: str | None = None, **arguments: Any) -> Any:
        headers = {"dossierToken": self.dossier_token if token is None else token} | arguments.pop("headers", {})
        return self.http.request(method, f"{api}/dossiers/{self.dossier}{path}", headers=headers, **arguments)

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def rows(self, path: str, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def book(self, given: dict[str, Any] | None = None, **changes: Any) -> httpx2.Response:
        """Post a booking; ``attachments`` go beside it."""
        files = changes.pop("attachments", None)
        body = {"buySellBookingServiceData": purchase(**changes) if given is None else given}
        answer: httpx2.Response = self.call(
            "POST", "/buysellbookings", json=body | ({} if files is None else {"attachments": files})
        )
        return answer

    def feed(self, since: str = LONG_AGO, **params: Any) -> Any:
        return self.get("/buysellbookings/modified", bookyearId=-1, modifiedTimeStamp=since, **params)

    def journal(self, key: str, year: int = YEAR) -> dict[str, Any]:
        (found,) = [one for one in self.rows(f"/bookyears/{year}/journals") if one["journalKey"] == key]
        return dict(found)

    def ledger(self) -> Any:
        return self.http.get(f"/_control/dossiers/{self.dossier}/ledger").json()


class Kept:
    """What a folder would hold of a sandbox: every row that its change log named, as it was then."""

    def __init__(self, server: SandboxServer) -> None:
        self._state = server.state
        self._rows = {row.place: row for row in LAYOUT.rows_of(self._state)}
        self._log = ChangeLog(LAYOUT, self._state)

    def insist_on_all(self) -> None:
        """Insist that nothing changed without being named."""
        for row in self._log.changes():
            if row.value is None:
                self._rows.pop(row.place, None)
            else:
                self._rows[row.place] = row
        assert self._rows == {row.place: row for row in LAYOUT.rows_of(self._state)}

    def insist_on_restart(self) -> None:
        """Insist that a restart would bring the same sandbox back."""
        again = LAYOUT.state_of(self._rows.values())
        assert {row.place: row for row in LAYOUT.rows_of(again)} == self._rows


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="module")
def kept(server: SandboxServer) -> Iterator[Kept]:
    known = Kept(server)
    yield known
    known.insist_on_restart()


@pytest.fixture
def octopus(server: SandboxServer, kept: Kept) -> Iterator[Login]:
    server.control("reset")
    login = Login(server).log_in()
    login.connect(BAKERY)
    yield login
    login.http.close()
    kept.insist_on_all()


def line(**changes: Any) -> dict[str, Any]:
    """Return a line of a purchase."""
    return {"accountKey": 613200, "baseAmount": 250.0, "vatCodeKey": "D21", "vatAmount": 52.5} | changes


def purchase(**changes: Any) -> dict[str, Any]:
    """Return a purchase that Octopus takes, the first of its journal."""
    booking = {
        "bookyearKey": {"id": YEAR},
        "journalKey": "A1",
        "documentSequenceNr": 1,
        "relationIdentificationServiceData": {"relationKey": {"id": 2}, "externalRelationId": 0},
        "bookyearPeriodeNr": 202602,
        "documentDate": "2026-05-04",
        "expiryDate": "2026-06-03",
        "comment": "F2026-0311",
        "reference": "+++202/6000/01711+++",
        "orderReference": "",
        "amount": 355.0,
        "currencyCode": "EUR",
        "exchangeRate": 1.0,
        "paymentMethod": 0,
        "bookingLines": [line(), line(accountKey=604000, baseAmount=49.53, vatCodeKey="H6", vatAmount=2.97)],
    }
    return booking | changes


def sale(**changes: Any) -> dict[str, Any]:
    """Return a sale that Octopus takes, the first of its journal."""
    lines = [line(accountKey=700000, baseAmount=100.0, vatCodeKey="21", vatAmount=21.0)]
    keys = {"relationKey": {"id": 1}, "externalRelationId": 0}
    booked = {"journalKey": "V1", "amount": 121.0, "bookingLines": lines, "relationIdentificationServiceData": keys}
    return purchase(**(booked | changes))


def refused(answer: Any) -> tuple[int, int]:
    """Return status and code of a refusal, whose body must be whole."""
    body = answer.json()
    assert body.keys() == {"errorCode", "errorMessage", "technicalInfo"}, body
    assert body["errorMessage"], body
    assert body["technicalInfo"], body
    return answer.status_code, body["errorCode"]

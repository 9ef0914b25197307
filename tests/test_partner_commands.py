"""``koppel partner`` and ``koppel listen`` as people type them, against the whole mesh."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from typer.testing import CliRunner

from koppel_local.cli import app
from koppel_local.partners import OF_RUN
from koppel_mesh.auth import SCOPES
from koppel_mesh.ids import new_id

from .conftest import SECRET, Mesh
from .firm_client import invoice

KOPPEL = str(Path(sys.executable).with_name("koppel"))
PATIENCE_S = 60.0


class Office:
    """A firm, whose client may everything, and the command line on it."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh, self.firm_id = mesh, new_id()
        self.client = mesh.client(self.firm_id)
        self.client_id, self.secret = mesh._credentials(self.firm_id, sorted(SCOPES))
        self.partner = f"till-{self.firm_id}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "KOPPEL_PUBLIC_URL": mesh.url,
            "KOPPEL_SERVICE_CLIENT_SECRET": SECRET,
            "KOPPEL_CLIENT_ID": self.client_id,
            "KOPPEL_CLIENT_SECRET": self.secret,
        }

    def koppel(self, *arguments: str, code: int = 0, **more: str) -> str:
        done = CliRunner().invoke(app, arguments, env=self.environment | more)
        assert done.exit_code == code, done.output
        return str(done.output)

    def token(self, client_id: str, secret: str) -> Any:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        with self.mesh.anonymous() as client:
            return client.post("/identity/oauth/token", data=form)

    def hand_in(self) -> str:
        body = {"name": "Bakkerij", "enterprise_number": "0000000196", "language": "nl"}
        dossier = self.client.post("/dossier-api/v1/dossiers", json=body).json()["id"]
        content = invoice(f"L-{str(new_id())[-8:]}")
        where = f"/dossier-api/v1/dossiers/{dossier}/documents"
        made = self.client.post(where, content=content, headers={"content-type": "application/xml"})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def until_told(self, document_id: str) -> None:
        """Wait until partners can read that a document was received."""
        end = time.monotonic() + PATIENCE_S
        while document_id not in self.client.get("/webhooks/v1/events", params={"limit": 200}).text:
            assert time.monotonic() < end, document_id
            time.sleep(0.1)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep to a folder in which nobody has run ``koppel up``."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def office(mesh: Mesh) -> Office:
    return Office(mesh)


def secret_in(said: str) -> str:
    (found,) = re.findall(r"^client_secret=(\S+)$", said, re.MULTILINE)
    return str(found)


def test_the_life_of_a_partner(office: Office) -> None:
    partner = office.partner
    first = secret_in(office.koppel("partner", "add", partner, "--name", "Till vendor"))
    assert "There is a client with this id" in office.koppel("partner", "add", partner, code=1)
    assert re.search(rf"{partner} +Till vendor +enabled +.*webhooks:write", office.koppel("partner", "list"))
    assert "No firm consents" in office.koppel("partner", "show", partner)
    assert office.token(partner, first).status_code == 400
    assert str(office.firm_id) in office.koppel("partner", "consent", partner, "--reason", "our tills")
    token = office.token(partner, first).json()
    assert set(token["scope"].split()) == {
        *("dossiers:read", "documents:read", "documents:write", "webhooks:read", "webhooks:write")
    }
    assert re.search(
        rf"{office.firm_id} +dossiers:read|{office.firm_id} +documents", office.koppel("partner", "show", partner)
    )
    second = secret_in(office.koppel("partner", "secret", partner, "--overlap-s", "60"))
    assert [office.token(partner, each).status_code for each in (first, second)] == [200, 200]
    third = secret_in(office.koppel("partner", "secret", partner, "--overlap-s", "0"))
    assert [office.token(partner, each).status_code for each in (first, second, third)] == [401, 401, 200]
    assert "may have: webhooks:read." in office.koppel("partner", "scopes", partner, "webhooks:read")
    assert office.token(partner, third).json()["scope"] == "webhooks:read"
    assert "disabled" in office.koppel("partner", "disable", partner)
    assert office.token(partner, third).status_code == 401
    assert "enabled" in office.koppel("partner", "enable", partner)
    assert "does nothing any more" in office.koppel("partner", "withdraw", partner)
    assert office.token(partner, third).status_code == 400
    assert "does not consent" in office.koppel("partner", "withdraw", partner, code=1)


@pytest.mark.parametrize(
    ("arguments", "more", "sentence"),
    [
        (("add", "x"), {}, "client_id"),
        (("add", "wrong-scope", "--scope", "everything"), {}, "not a scope"),
        (("add", "too-much", "--scope", "admin"), {}, "A partner cannot have the scope admin"),
        (("show", "nobody-at-all"), {}, "There is no partner nobody-at-all"),
        (("consent", "nobody-at-all"), {}, "There is no partner of this id"),
        (("list",), {"KOPPEL_SERVICE_CLIENT_SECRET": "wrong"}, "Koppel gave no token to client koppel-services"),
        (("list",), {"KOPPEL_SERVICE_CLIENT_SECRET": ""}, "Set KOPPEL_SERVICE_CLIENT_SECRET"),
        (("list",), {"KOPPEL_PUBLIC_URL": "http://127.0.0.1:9"}, "Nothing answers at"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else None,
)
def test_what_is_refused_ends_with_a_sentence(office: Office, arguments: Any, more: Any, sentence: str) -> None:
    assert sentence in office.koppel("partner", *arguments, code=1, **more)


def test_where_koppel_up_runs_its_secret_is_known(office: Office, tmp_path: Path) -> None:
    (tmp_path / ".koppel" / "run").mkdir(parents=True)
    (tmp_path / OF_RUN).write_text(json.dumps({"KOPPEL_SERVICE_CLIENT_SECRET": SECRET}))
    assert "scopes" in office.koppel("partner", "list", KOPPEL_SERVICE_CLIENT_SECRET="")


class Program(ThreadingHTTPServer):
    """The program that somebody develops: checks signatures with the secret that ``koppel listen`` shows."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.secret = ""
        self.statuses = [200]
        """Of its answers, one after the other; the last remains."""
        self.seen: list[tuple[str, bytes]] = []
        self.unverified = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    server: Program

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            Webhook(self.server.secret).verify(body, dict(self.headers), json_parse=False)
        except WebhookVerificationError:
            self.server.unverified += 1
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        self.server.seen.append((self.headers["webhook-id"], body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def program() -> Iterator[Program]:
    with Program() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Listening:
    """A running ``koppel listen``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.lines.append(line)

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert self._process.poll() is None and time.monotonic() < end, self.lines
            time.sleep(0.05)

    def interrupt(self) -> int:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code


@contextmanager
def listening(office: Office, program: Program, *arguments: str, **more: str) -> Iterator[Listening]:
    # A shell that runs the tests in the background has all of them ignore Ctrl-C.
    heeds = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", heeds, KOPPEL, "listen", program.url, *arguments]
    environment = office.environment | {"PYTHONUNBUFFERED": "1"} | more
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            running = Listening(process)
            running.until(lambda: running.lines)
            program.secret = running.lines[0].rsplit(" ", 1)[1].strip()
            yield running
        finally:
            process.kill()


def test_events_reach_a_program_signed_again_when_it_fails_and_go_on_where_they_ended(
    office: Office, program: Program
) -> None:
    before = office.hand_in()
    office.until_told(before)  # what was before anybody listens is not handed over
    program.statuses = [500, 200]
    with listening(office, program, "--event-type", "document.received") as running:
        document = office.hand_in()
        running.until(lambda: any("HTTP 200" in line for line in running.lines))
        assert running.interrupt() == 0
    assert [document in line for line in running.lines[1:3]] == [True, True]
    assert "HTTP 500, again soon" in running.lines[1]
    assert len(program.seen) == 2 and len({event_id for event_id, _ in program.seen}) == 1 and program.unverified == 0
    assert "1 events were taken, 0 given up." in running.lines[-1]
    last_id = program.seen[0][0]
    assert running.lines[-1].strip().endswith(f"--after {last_id}")
    missed = office.hand_in()
    on_a_terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "160"}
    with listening(
        office, program, "--event-type", "document.received", "--after", last_id, **on_a_terminal
    ) as running:
        running.until(lambda: len(program.seen) == 3)
        assert missed.encode() in program.seen[-1][1]
        running.until(lambda: any("attempts" in line for line in running.lines))
        assert running.interrupt() == 0
    assert any(missed in line and "HTTP 200" in line for line in running.lines)


def test_a_program_that_takes_nothing_does_not_end_it(office: Office, program: Program) -> None:
    program.statuses = [302]
    secret = f"whsec_{'A' * 32}"
    with listening(office, program, "--secret", secret, "--event-type", "document.received") as running:
        assert secret in running.lines[0]
        office.hand_in()
        running.until(lambda: any("given up" in line for line in running.lines))
        assert running.interrupt() == 0
    assert "0 events were taken, 1 given up." in running.lines[-1]


def test_a_partner_of_several_firms_names_one(office: Office, program: Program) -> None:
    offices = [office, Office(office.mesh)]
    partner = f"feed-{office.firm_id}"
    secret = secret_in(office.koppel("partner", "add", partner, "--name", "Bank feed"))
    for each in offices:
        each.koppel("partner", "consent", partner)
    as_partner = {"KOPPEL_CLIENT_ID": partner, "KOPPEL_CLIENT_SECRET": secret}
    assert str(office.firm_id) in office.koppel("listen", program.url, code=1, **as_partner)
    with listening(office, program, "--firm", str(office.firm_id), **as_partner) as running:
        others, own = offices[1].hand_in(), office.hand_in()
        running.until(lambda: any(own in line for line in running.lines))
        assert running.interrupt() == 0
    assert not any(others in line for line in running.lines)


def test_what_cannot_be_listened_to_ends_with_a_sentence(office: Office) -> None:
    program = "http://127.0.0.1:9/"
    assert "whsec_" in office.koppel("listen", program, "--secret", "hunter2", code=1)
    assert "gave no token" in office.koppel("listen", program, code=1, KOPPEL_CLIENT_SECRET="wrong")
    assert "no event: everything" in office.koppel("listen", program, "--event-type", "everything", code=1)
    assert "event" in office.koppel("listen", program, "--after", str(new_id()), code=1)

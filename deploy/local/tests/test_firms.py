"""``koppel firm delete`` over services of which some are slow and some are away."""

import json
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from koppel_local.cli import app
from koppel_mesh.ids import new_id

FIRM = str(new_id())
SERVICES = ("dossier-api", "connector-exact", "pos-ingest", "export-scheduler", "identity")


class Mesh(ThreadingHTTPServer):
    """Answers as services would; a service is done after some calls, never, or is away."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.done_after: Counter[str] = Counter(dict.fromkeys(SERVICES, 1))
        self.away: set[str] = set()

    def deleted(self, service: str) -> dict[str, Any]:
        self.asked.append(service)
        is_done = self.asked.count(service) >= self.done_after[service]
        kept = {"table": "document", "rows": 7, "kept": 7, "kept_until": "2036-12-31", "kept_because": "a duty"}
        return {
            "firm_id": FIRM,
            "complete": is_done,
            "deleted": {"relation": 2},
            "under_way": {} if is_done else {"delivery": 1},
            "to_do": {} if is_done else {"delivery": "Look in the vendor's books."},
            "left": [kept] if service == "dossier-api" else [],
        }


class Handler(BaseHTTPRequestHandler):
    server: Mesh

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 60})

    def do_GET(self) -> None:
        self._answer(200, {"paths": {f"/{name}/v1/firms/{{firm_id}}/data": {} for name in SERVICES} | {"/x/v1/y": {}}})

    def do_DELETE(self) -> None:
        address = urlsplit(self.path)
        service = address.path.split("/")[1]
        assert address.path == f"/{service}/v1/firms/{FIRM}/data" and address.query == f"confirm={FIRM}"
        if service in self.server.away:
            self._answer(503, {"title": "Not available right now.", "code": "try_again"})
        else:
            self._answer(200, self.server.deleted(service))

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mesh() -> Iterator[Mesh]:
    with Mesh() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def delete(mesh: Mesh, *more: str, typed: str = FIRM, code: int = 0) -> str:
    environment = {
        "KOPPEL_PUBLIC_URL": f"http://127.0.0.1:{mesh.server_port}",
        "KOPPEL_SERVICE_CLIENT_SECRET": "s",
    }
    done = CliRunner().invoke(app, ["firm", "delete", FIRM, *more], input=f"{typed}\n", env=environment)
    assert done.exit_code == code, done.output
    return str(done.output)


def test_who_lets_in_comes_first_and_who_keeps_the_documents_last(mesh: Mesh) -> None:
    said = delete(mesh)
    assert mesh.asked == ["identity", "export-scheduler", "pos-ingest", "connector-exact", "dossier-api"]
    assert "2036-12-31" in said and "a duty" in said


def test_another_id_deletes_nothing(mesh: Mesh) -> None:
    assert "nothing was deleted" in delete(mesh, typed=str(new_id()), code=1)
    assert mesh.asked == []


def test_what_is_under_way_is_waited_for(mesh: Mesh) -> None:
    mesh.done_after["connector-exact"] = 3
    said = delete(mesh)
    assert mesh.asked.count("connector-exact") == 3 and mesh.asked[-1] == "dossier-api"
    assert [line.split() for line in said.splitlines() if line.startswith("connector-exact")] == [
        ["connector-exact", "6"]
    ]


def test_documents_stay_while_something_may_still_read_them(mesh: Mesh) -> None:
    mesh.done_after["connector-exact"] = 1000
    said = delete(mesh, "--wait-s", "1.5", code=1)
    assert "connector-exact is not done: 1 of delivery under way.\nLook in the vendor's books." in said
    assert "dossier-api was not asked" in said and "dossier-api" not in mesh.asked


def test_a_service_that_is_away_is_named_and_the_others_are_asked(mesh: Mesh) -> None:
    mesh.away = {"pos-ingest"}
    said = delete(mesh, code=1)
    assert "pos-ingest did not answer: Not available right now." in said
    assert mesh.asked == ["identity", "export-scheduler", "connector-exact"]

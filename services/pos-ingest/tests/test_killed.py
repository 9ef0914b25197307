"""The service killed as a process, at every step of a close: another goes on, and there is one invoice, one statement (P2)."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

import koppel_coda
import koppel_ubl
from koppel_connector.testing.service_process import ServiceProcess
from koppel_sandbox.ports import free_port
from pos_ingest.closing.receipt_periods import open_day

from .conftest import Filed, Till
from .neighbours import PATIENCE_S, Neighbours

POS_INGEST = "pos_ingest.service:SERVICE"
CLOSING = [
    ("SELECT FROM receipt_book FOR UPDATE", "FROM receipt_book WHERE id"),
    ("LOCK TABLE entry IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO entry"),
    ("LOCK TABLE invoice_number IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO invoice_number"),
    ("LOCK TABLE receipt_period IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO receipt_period"),
    ("LOCK TABLE hand_in IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO hand_in"),
    ("LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO outbox"),
    ("LOCK TABLE cash_statement IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO cash_statement"),
    ("LOCK TABLE cash_book IN SHARE ROW EXCLUSIVE MODE", "UPDATE cash_book"),
]
"""What is held, and the statement of the close that waits for it when the process dies."""
_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE :statement
"""


class Scene:
    """A month that has ended, with takings and a drawer; the process that closes it; its neighbours."""

    def __init__(self, till: Till, neighbours: Neighbours) -> None:
        self.till, self.neighbours = till, neighbours
        till.context.at = datetime.now(UTC)
        first_open: date = open_day(till.context.at)
        self.ended_on = first_open.replace(day=1) - timedelta(days=1)
        sold_on = self.ended_on - timedelta(days=2)
        given = {"name": "Kas", "start_date": sold_on.isoformat(), "start_balance": "150.00"}
        cash_book = till.call("POST", "/cash-books", json=given).json()["id"]
        self.book = till.book(number_format="G-{InvoiceNumber:5}", cash_book_id=cash_book)
        till.entered(self.book, sold_on.isoformat(), payments=[{"method": "cash", "amount": "106.00"}])

    @contextmanager
    def process(self) -> Iterator[ServiceProcess]:
        """Run the service for the block, at the end of which it is killed."""
        settings = self.till.context.settings
        process = ServiceProcess(
            POS_INGEST,
            {
                "KOPPEL_DATABASE_URL": settings.database_url,
                "KOPPEL_SECRET_KEYS": settings.secret_keys[0].get_secret_value(),
                "KOPPEL_PUBLIC_URL": self.neighbours.url,
                "KOPPEL_SERVICE_CLIENT_SECRET": "of-a-service",
                "KOPPEL_LOG_LEVEL": "error",
                "KOPPEL_PORT": str(free_port()),
                "KOPPEL_AMQP_URL": f"amqp://127.0.0.1:{free_port()}",
            },
        )
        try:
            yield process
        finally:
            process.kill()

    def killed_before(self, held: str, statement: str) -> None:
        """Hold something in the database, and kill the process when a statement of its waits for it."""

        async def kill() -> None:
            async with self.till.database.transaction() as tx:
                await tx.execute(text(held))
                with self.process() as process:
                    await until_waiting(self.till, process, statement)

        self.till.run(kill())

    def close(self) -> None:
        """Close what there is to close, here."""
        self.till.loop("close receipts")
        self.till.loop("close cash books")

    def lease_ends(self) -> None:
        """Let the time pass after which somebody else takes over what the dead process had claimed."""
        self.till.sql("UPDATE hand_in SET due_at = now() WHERE due_at IS NOT NULL")

    def went_on(self) -> None:
        """Do what is left as another process does, and see that there is one of each."""
        for _ in range(2):
            self.close()
            self.lease_ends()
            filed = self.till.hand_in()
        self.holds_one_of_each(filed)

    def handed_in(self) -> int:
        """Return how many of the dossier's documents dossier-api has."""
        asked = "SELECT count(document_id) AS number FROM hand_in WHERE dossier_id = :id"
        number: int = self.till.sql(asked, id=self.till.dossier_id)[0]["number"]
        return number

    def holds_one_of_each(self, filed: list[Filed]) -> None:
        (receipts,) = [one for one in filed if one.media_type.startswith("multipart/")]
        (statement,) = [one for one in filed if one.media_type == "text/plain"]
        invoice = koppel_ubl.read(receipts.parts["ubl"])
        assert (invoice.number, invoice.totals.with_vat) == ("DR-G-00001", Decimal("106.00"))
        assert koppel_coda.read(statement.content)[0].closing == Decimal("256.00")
        (period,) = self.till.periods(self.book)
        assert (period["number"], period["ends_on"]) == ("DR-G-00001", self.ended_on.isoformat())
        assert period["document_id"] == str(receipts.document_id)
        assert self.handed_in() == 2
        told = self.till.sql("SELECT count(*) AS number FROM outbox WHERE type = 'receipts.period_closed.v1'")
        assert told == [{"number": 1}]


async def until_waiting(till: Till, process: ServiceProcess, statement: str) -> None:
    end = time.monotonic() + PATIENCE_S
    async with till.database.reading() as reading:
        while not (await reading.execute(text(_WAITING), {"statement": f"%{statement}%"})).scalar_one():
            assert process.lives, "it ended by itself"
            assert time.monotonic() < end, f"it never came to {statement}"
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def _neighbours(service: Till) -> Iterator[Neighbours]:
    ServiceProcess.prepare(POS_INGEST)
    neighbours = Neighbours(service.dossier_api)
    yield neighbours
    neighbours.shutdown()
    neighbours.server_close()


@pytest.fixture
def scene(till: Till, _neighbours: Neighbours) -> Iterator[Scene]:
    till.sql("DELETE FROM outbox")
    yield Scene(till, _neighbours)
    _neighbours.go_on()


@pytest.mark.parametrize(("held", "statement"), CLOSING, ids=[statement for _, statement in CLOSING])
def test_killed_while_it_closes(scene: Scene, held: str, statement: str) -> None:
    scene.killed_before(held, statement)
    scene.went_on()


def test_killed_after_the_close_before_anything_is_handed_in(scene: Scene) -> None:
    scene.close()
    scene.killed_before("LOCK TABLE hand_in IN SHARE ROW EXCLUSIVE MODE", "UPDATE hand_in SET due_at")
    scene.went_on()


@pytest.mark.parametrize("place", ["relations", "before", "after"])
def test_killed_in_the_middle_of_handing_in(scene: Scene, place: str) -> None:
    """While it makes the document, before dossier-api has filed it, and after, when nobody hears the answer."""
    scene.neighbours.hold_at(place)
    with scene.process():
        scene.neighbours.until_held()
    scene.neighbours.go_on()
    scene.went_on()


def test_killed_after_the_answer_before_it_is_kept(scene: Scene) -> None:
    scene.close()
    scene.neighbours.hold_at("after")

    async def kill() -> None:
        with scene.process() as process:
            await asyncio.to_thread(scene.neighbours.until_held)
            async with scene.till.database.transaction() as tx:
                await tx.execute(text("SELECT FROM hand_in FOR UPDATE"))
                scene.neighbours.go_on()
                await until_waiting(scene.till, process, "UPDATE hand_in SET due_at = NULL")
                process.kill()

    scene.till.run(kill())
    scene.went_on()


def test_started_again_it_goes_on_by_itself(scene: Scene) -> None:
    scene.killed_before(*CLOSING[5])
    scene.lease_ends()
    with scene.process():
        end = time.monotonic() + PATIENCE_S
        while scene.handed_in() < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
    scene.went_on()

"""Tickets: how many a second are taken over a floor that inserts the same rows, and what closing a month of them costs."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil

from koppel_local.api import Api
from koppel_local.till import tickets_of
from koppel_mesh.clock import brussels_date, utc_now

from .place import ENTERPRISE_NUMBER, Place

TICKETS, BATCH, AT_ONCE = 24_000, 500, 4
REGISTERS = tuple(f"K{number}" for number in range(4))
PROCESSES = 2
"""Of the whole mesh, beside each other: one for each core."""
ROWS_AT_ONCE = 250
"""Of the floor, as pos-ingest inserts them."""
PATTERN = 1_000
FEW, MANY = 10_000, 100_000
"""Tickets of a month that is closed: copies of the pattern."""
WARM_UP = 12_000
"""Of a year that is closed before, as Typst remembers the last ten PDFs that it made."""
PATIENCE_S = 120.0
_COPY = """
    INSERT INTO pos_ingest.ticket (id, dossier_id, firm_id, book_id, register, receipt, sold_on, content_hash, sale_hash, content,
        takings, is_invoice)
    SELECT uuidv7(), dossier_id, firm_id, $1::uuid, register, right($1::text, 8) || '-' || copy || '-' || receipt,
        $2::date + mod(number, $3::integer)::integer AS day, content_hash, sale_hash, content, takings, is_invoice
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS number FROM pos_ingest.ticket WHERE book_id = $4 LIMIT $6) pattern,
        generate_series(1, $5) copy
    ORDER BY day
"""


@dataclass(frozen=True)
class Taken:
    """Tickets a second, of the service and of the floor."""

    per_second: float
    floor: float


@dataclass(frozen=True)
class MonthClosed:
    """What it took to close a month: its days entered, its invoice at dossier-api with the detail in it."""

    tickets: int
    seconds: float
    entered_s: float
    """Of these, until the caller heard that the book is closed."""
    peak_mb: float
    """The most that a process of the mesh had in memory meanwhile."""


class _Bakery:
    """A dossier whose tills are at work."""

    def __init__(self, url: str, api: Api) -> None:
        self._url, self._api = url, api
        rules = {"frequency": "never", "approval_required": False, "lock_after_export": False}
        asked = {"name": "Bakery", "enterprise_number": ENTERPRISE_NUMBER, "language": "nl", "export": rules}
        self.path = f"/pos-ingest/v1/dossiers/{api.call('POST', '/dossier-api/v1/dossiers', body=asked)['id']}"
        self.book = self.add_book("Shop")
        items = [{"name": name, "receipt_book_id": self.book} for name in REGISTERS]
        api.call("PUT", f"{self.path}/registers", body={"items": items})

    def add_book(self, name: str) -> str:
        """Make a receipt book; return its id."""
        asked = {"name": name, "number_format": f"{name}-{{InvoiceNumber}}", "period": "month"}
        return str(self._api.call("POST", f"{self.path}/receipt-books", body=asked)["id"])

    def close(self, book: str, through: date) -> tuple[float, float]:
        """Close a book; return after how many seconds that was answered, and after how many its invoice was a document."""
        started = time.monotonic()
        path = f"{self.path}/receipt-books/{book}"
        headers = {"Authorization": self._api.authorization}
        with httpx2.Client(base_url=self._url, headers=headers, trust_env=False, timeout=PATIENCE_S) as client:
            answer = client.post(f"{path}/close", json={"through": through.isoformat()})
        closed = answer.raise_for_status().json()["periods"]
        answered_s = time.monotonic() - started
        assert all(period["number"] for period in closed), "they have takings"
        while any(not period["document_id"] for period in self._api.call("GET", f"{path}/periods")["items"]):
            if time.monotonic() > started + PATIENCE_S:
                raise TimeoutError("the invoice did not become a document")
            time.sleep(0.05)
        return answered_s, time.monotonic() - started


async def measure_taking(at: Place) -> Taken:
    """Return how fast tickets are taken."""
    with closing(at.api()) as api:
        return Taken(await _take(at, _Bakery(at.url, api), TICKETS), await _floor(at))


async def measure_closing(at: Place) -> list[MonthClosed]:
    """Return what closing a month of few tickets costs, and a month of many."""
    with closing(at.api()) as api:
        bakery = _Bakery(at.url, api)
        await _take(at, bakery, PATTERN)
        await _close(at, bakery, WARM_UP, months=12)
        return [await _close(at, bakery, count) for count in (FEW, MANY)]


async def _take(at: Place, bakery: _Bakery, count: int) -> float:
    """Return the tickets a second that the service takes. They are of today: those of the past would be entered meanwhile."""
    batches = list(_batches(AT_ONCE * BATCH + count))
    api = at.api()
    headers = {"Authorization": api.authorization, "Content-Type": "application/json"}
    api.close()
    async with httpx2.AsyncClient(base_url=at.url, headers=headers, trust_env=False, timeout=120) as client:

        async def send(batches: Iterator[bytes]) -> None:
            for batch in batches:
                answer = await client.post(f"{bakery.path}/tickets", content=batch)
                answer.raise_for_status()
                if not all(each["status"] == "accepted" for each in answer.json()):
                    raise RuntimeError(answer.text[:500])

        async def send_at_once(batches: list[bytes]) -> None:
            waiting = iter(batches)
            await asyncio.gather(*(send(waiting) for _ in range(AT_ONCE)))

        await send_at_once(batches[:AT_ONCE])
        started = time.monotonic()
        await send_at_once(batches[AT_ONCE:])
        return count / (time.monotonic() - started)


def _batches(count: int) -> Iterator[bytes]:
    """Yield what the tills hand over, in batches."""
    now = utc_now()
    each = count // len(REGISTERS)
    tills = [list(tickets_of(register, brussels_date(now), each, now)) for register in REGISTERS]
    for start in range(0, each, BATCH):
        for tickets in tills:
            yield json.dumps(tickets[start : start + BATCH]).encode()


async def _floor(at: Place) -> float:
    """Return the tickets a second of a program that inserts the rows which are there once more, and does nothing else."""
    pool = await asyncpg.create_pool(at.servers.database_url, min_size=AT_ONCE, max_size=AT_ONCE)
    try:
        async with pool.acquire() as connection:
            await connection.execute("CREATE TABLE bench_ticket (LIKE pos_ingest.ticket INCLUDING ALL)")
            rows = await connection.fetch("SELECT * FROM pos_ingest.ticket")
            columns = await connection.fetch(
                "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute"
                " WHERE attrelid = 'bench_ticket'::regclass AND attnum > 0 ORDER BY attnum"
            )
        arrays = ", ".join(f"${place}::{column['type']}[]" for place, column in enumerate(columns, 1))
        insert = f"INSERT INTO bench_ticket SELECT * FROM unnest({arrays})"
        groups = [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]
        waiting = iter([[list(values) for values in zip(*group, strict=True)] for group in groups])

        async def insert_some() -> None:
            for values in waiting:
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute(insert, *values)

        started = time.monotonic()
        await asyncio.gather(*(insert_some() for _ in range(AT_ONCE)))
        return len(rows) / (time.monotonic() - started)
    finally:
        await pool.close()


async def _close(at: Place, bakery: _Bakery, count: int, *, months: int = 1) -> MonthClosed:
    """Close the last month, or more, with copies of tickets that were taken, each with a name and a day."""
    ends_on = starts_on = brussels_date(utc_now()).replace(day=1) - timedelta(days=1)
    for _ in range(months - 1):
        starts_on = starts_on.replace(day=1) - timedelta(days=1)
    starts_on = starts_on.replace(day=1)
    days = (ends_on - starts_on).days + 1
    book = bakery.add_book(f"Shop of {count}")
    connection = await at.connect()
    try:
        await connection.execute("VACUUM ANALYZE pos_ingest.ticket")
        values: tuple[Any, ...] = (book, starts_on, days, bakery.book, count // PATTERN, PATTERN)
        await connection.execute(_COPY, *values, timeout=PATIENCE_S)
    finally:
        await connection.close()
    for process in at.mesh:
        _forget_peak(process)
    entered_s, seconds = await asyncio.to_thread(bakery.close, book, ends_on)
    return MonthClosed(count, seconds, entered_s, max(_peak_mb(process) for process in at.mesh))


def _forget_peak(process: psutil.Process) -> None:
    """Let the peak be what is resident now (``clear_refs`` in proc(5))."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def _peak_mb(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024

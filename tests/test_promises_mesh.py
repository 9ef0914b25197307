"""P3, P5 and P6 over HTTP and the whole mesh: nothing that left is believed without looking, trouble stays its own and speaks.

All of it ends with P1: nothing is booked twice, no call left without its row.

What each test would miss without its guard: fair claims (a slow neighbour holds every worker), the clock over ``exported``,
the comparison to the cent, blocked-not-failed, quarantine, and the trace that a message carries.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import uuid4

import aio_pika
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from koppel_mesh.broker import dead_queue_of, depth, queue_of
from koppel_mesh.database import async_url
from koppel_mesh.ids import new_id
from koppel_sandbox import Sandbox

from .firm_client import FirmClient, invoice
from .span_collector import SpanCollector, collecting

QUIET_SELLER = "0000000295"


class Two(NamedTuple):
    """A firm with two dossiers, each with a company of its own at the vendor."""

    firm: FirmClient
    first: str
    second: str

    @property
    def services(self) -> tuple[str, ...]:
        """Who takes messages of this firm's documents."""
        return ("dossier-api", "export-scheduler", self.firm.vendor.connector)


@pytest.fixture(scope="module")
def collector() -> Iterator[SpanCollector]:
    with collecting() as started:
        yield started


@pytest.fixture(scope="module")
def mesh(run_mesh: Any, collector: SpanCollector) -> Iterator[Any]:
    with run_mesh(
        environment=collector.environment,
        settle_s=0.2,
        retry_schedule_s=(0.2,) * 8,
        unbooked_after_s=0.5,
        export_patience_s=0.2,
        deadline_s=4,
        lease_s=8,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def two(mesh: Any, sandbox: Sandbox) -> Iterator[Two]:
    with mesh.driver(sandbox) as vendor:
        firm = FirmClient(mesh.client(new_id()), vendor)
        vendor.lift_limits()
        first, second = firm.add_dossier("Bakkerij"), firm.add_dossier("Studio", QUIET_SELLER)
        for dossier_id, company in zip((first, second), vendor.companies, strict=True):
            firm.connect(dossier_id, company)
        yield (given := Two(firm, first, second))
        what_always_holds(mesh, given)


@pytest.fixture(autouse=True)
def _a_good_day(two: Two) -> Iterator[None]:
    yield
    two.firm.vendor.clear_faults()


def what_always_holds(mesh: Any, two: Two) -> None:
    """Check at the end of them all: nothing booked twice, no call without its row in the sync log, no message given up."""
    vendor = two.firm.vendor
    for company in vendor.companies:
        held = Counter(entry.document_number for entry in vendor.entries(company))
        assert not {number: count for number, count in held.items() if count > 1}
    attempts = asyncio.run(count(mesh, f"{schema_of(vendor.connector)}.attempt"))
    assert vendor.call_count() <= attempts
    assert [asyncio.run(depth(mesh.amqp_url, dead_queue_of(each))) for each in two.services] == [0, 0, 0]


def schema_of(service: str) -> str:
    return service.replace("-", "_")


async def count(mesh: Any, table: str) -> int:
    engine = create_async_engine(async_url(mesh.database_url))
    async with engine.connect() as connection:
        rows: int = (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
    await engine.dispose()
    return rows


def test_a_slow_and_noisy_dossier_leaves_its_neighbour_its_pace(two: Two) -> None:
    firm, noisy, quiet = two
    firm.vendor.slow_down(firm.vendor.companies[0], seconds=1.0)
    loud = [firm.take_in(noisy, invoice(f"LOUD-{number:03d}")) for number in range(30)]
    firm.until_booked(*(firm.take_in(quiet, invoice(f"CALM-{number}", QUIET_SELLER)) for number in range(5)))
    assert firm.states(loud).count("booked") < len(loud) / 2, "the neighbour did not have to wait for the noise"
    firm.vendor.clear_faults()
    firm.until_booked(*loud)


def test_a_storm_of_429_costs_time_and_no_document(two: Two) -> None:
    firm, stormy, quiet = two
    firm.vendor.throttle(firm.vendor.companies[0], times=3, retry_after_s=1)
    held_up = [firm.take_in(stormy, invoice(f"STORM-{number}")) for number in range(8)]
    firm.until_booked(*(firm.take_in(quiet, invoice(f"DRY-{number}", QUIET_SELLER)) for number in range(2)))
    firm.until_booked(*held_up)
    assert all(firm.problem_of(each) is None for each in held_up)


def test_a_right_taken_away_blocks_one_dossier_and_is_reported(two: Two) -> None:
    firm, blocked, quiet = two
    company = firm.vendor.companies[0]
    firm.vendor.deny_booking(company)
    waiting = firm.take_in(blocked, invoice("RIGHT-1"))
    problem = firm.until_problem(waiting, "missing_right")
    assert problem["who_can_fix"] == "accountant"
    firm.until_booked(firm.take_in(quiet, invoice("RIGHT-2", QUIET_SELLER)))
    firm.vendor.allow_booking(company)
    firm.retry(problem)
    firm.until_booked(waiting)


def test_what_comes_before_there_is_a_connection_is_booked_when_there_is(two: Two) -> None:
    firm = two.firm
    late = firm.add_dossier("Te laat gekoppeld")
    documents = [firm.take_in(late, invoice(f"EARLY-{number}")) for number in range(3)]

    def waits_for_a_connection() -> bool:
        waiting = firm.get("/export-scheduler/v1/waiting")["items"]
        return {"waits_for": "connection", "count": 3, "overdue": 0} in waiting

    firm.until(waits_for_a_connection, "they wait for a connection")
    firm.connect(late, firm.vendor.companies[0])
    firm.until_booked(*documents)


def test_hostile_files_are_refused_and_the_next_one_is_taken(two: Two) -> None:
    firm, dossier, _ = two
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Invoice>&e;</Invoice>'
    half = invoice("HALF-1")[:-400]
    for content in (entity, half, b"\x00" * 1000, b"", b"<a>" * 5000):
        refused = firm.hand_in(dossier, content)
        assert 400 <= refused.status_code < 500, refused.text
        assert refused.json()["code"]
    firm.until_booked(firm.take_in(dossier, invoice("HOSTILE-1")))


async def test_messages_that_say_nothing_are_put_aside(mesh: Any, two: Two) -> None:
    firm, dossier, _ = two
    aside = {service: await count(mesh, f"{schema_of(service)}.quarantine") for service in two.services}
    broker = await aio_pika.connect(mesh.amqp_url)
    async with broker:
        channel = await broker.channel()
        for service in two.services:
            for body in (b"not json", b"{}", b'{"specversion": "1.0", "type": "nobody.knows.v1"}'):
                await channel.default_exchange.publish(aio_pika.Message(body), routing_key=queue_of(service))
    firm.until_booked(firm.take_in(dossier, invoice("NOISE-1")))
    end = time.monotonic() + 60
    for service in two.services:
        # A service that has no part in the booking may hear of them later.
        while await count(mesh, f"{schema_of(service)}.quarantine") < aside[service] + 3 and time.monotonic() < end:
            await asyncio.sleep(0.1)
        assert await count(mesh, f"{schema_of(service)}.quarantine") == aside[service] + 3, service
        assert await depth(mesh.amqp_url, dead_queue_of(service)) == 0


def test_exported_and_not_seen_in_the_books_becomes_a_problem_by_itself(two: Two) -> None:
    firm, dossier, _ = two
    firm.vendor.fail_reading(firm.vendor.companies[0])
    document_id = firm.take_in(dossier, invoice("UNSEEN-1"))
    problem = firm.until_problem(document_id, "exported_not_booked")
    assert all(problem["message"][language] for language in ("nl", "fr", "en"))
    assert firm.document(document_id)["state"] == "exported"
    firm.vendor.clear_faults()
    firm.retry(problem)
    firm.until_booked(document_id)
    assert firm.problem_of(document_id) is None


@pytest.mark.parametrize(
    ("number", "changed_to", "code"),
    [("GONE-1", None, "exported_not_booked"), ("CENT-1", Decimal("582.78"), "totals_differ")],
)
def test_an_entry_that_is_not_what_was_sent_is_never_called_booked(
    two: Two, number: str, changed_to: Decimal | None, code: str
) -> None:
    firm, dossier, _ = two
    vendor, company = firm.vendor, firm.vendor.companies[0]
    vendor.fail_reading(company)
    document_id = firm.take_in(dossier, invoice(number))
    unseen = firm.until_problem(document_id, "exported_not_booked")
    if changed_to is None:
        vendor.delete_entry(company, number)
    else:
        vendor.change_total(company, number, changed_to)
    vendor.clear_faults()
    reads = vendor.read_count(company)
    firm.retry(unseen)
    firm.until(lambda: vendor.read_count(company) > reads, "another look in the books")
    assert firm.until_problem(document_id, code)["who_can_fix"] == "accountant"
    assert firm.document(document_id)["state"] != "booked"
    held = [entry.total for entry in vendor.entries(company) if entry.document_number == number]
    assert held == ([] if changed_to is None else [changed_to]), "nothing is overwritten or sent again"


def test_one_trace_leads_from_the_request_to_the_vendor(two: Two, collector: SpanCollector) -> None:
    firm, dossier, _ = two
    traces = {f"TRACE-{number}": uuid4().hex for number in range(3)}
    documents = [
        firm.take_in(dossier, invoice(number), traceparent=f"00-{trace_id}-00f067aa0ba902b7-01")
        for number, trace_id in traces.items()
    ]
    firm.until_booked(*documents)

    def spans_of(trace_id: str) -> tuple[int, int]:
        """Count those of the request that took a document in, and those of the vendor's call that booked it."""
        spans = [span for span in collector.spans if span.trace_id == trace_id]
        asked = [
            (span.attributes.get("http.request.method", ""), span.attributes.get("url.path", "")) for span in spans
        ]
        return [span.name for span in spans].count("POST dossier-api"), sum(
            firm.vendor.is_booking(*each) for each in asked
        )

    firm.until(lambda: {spans_of(trace_id) for trace_id in traces.values()} == {(1, 1)}, "each trace is whole")

"""``python -m bench [NAME…]``: the figures, each with its target; exit code 1 when one is missed."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from . import calls, fanout, formats, growth, lines, outages, start, targets, tickets, webhooks
from .place import INSTANT, place

MISSED: list[str] = []


def tell(name: str, value: float, target: float, *, at_least: bool, detail: str) -> None:
    """Print one figure, the ratio first."""
    met = value >= target if at_least else value <= target
    if not met:
        MISSED.append(name)
    print(f"{value:8.2f}  {name} ({'at least' if at_least else 'at most'} {target:g}: {'met' if met else 'MISSED'})")
    print(f"          {detail}", flush=True)


def bench_fanout() -> None:
    """Documents a second over the floor's."""
    with place(vendor=INSTANT, processes=fanout.PROCESSES) as at:
        ratio, work, floor = asyncio.run(fanout.measure(at))
    detail = (
        f"{work.per_second:.1f} documents/s from POST to booked; floor {floor:.1f}/s with"
        f" {work.commits / work.documents:.1f} commits and {work.publishes / work.documents:.1f} publishes per document"
    )
    tell("fan-out over the floor", ratio, 0.30, at_least=True, detail=detail)


def bench_targets() -> None:
    """Cost of each further target of a document over that of the first."""
    with place(vendor=INSTANT) as at:
        costs = asyncio.run(targets.measure(at))
    for name, before, after in zip(targets.TARGETS[1:], costs, costs[1:], strict=False):
        detail = f"{before * 1000:.1f} ms of processor a document without it, {after * 1000:.1f} ms with it"
        ratio = (after - before) / costs[0]
        tell(f"cost of a further target, {name}, over the first", ratio, 0.5, at_least=False, detail=detail)


def bench_calls() -> None:
    """Calls to the vendors per booked invoice."""
    with place() as at:
        alone, stream, purposes = asyncio.run(calls.measure_exact(at))
        alone_at_octopus, stream_at_octopus, purposes_at_octopus = asyncio.run(calls.measure_octopus(at))
    detail = f"a lone invoice; {stream:.2f} in a stream of {calls.STREAM}"
    tell("vendor calls per booked invoice", alone, 5, at_least=False, detail=detail)
    _list_calls(purposes)
    detail = f"of {calls.STREAM}; {alone_at_octopus:.0f} for a lone invoice"
    tell("Octopus calls per booked invoice in a stream", stream_at_octopus, 1.1, at_least=False, detail=detail)
    _list_calls(purposes_at_octopus)


def _list_calls(purposes: Counter[str]) -> None:
    for operation, count in purposes.items():
        print(f"          {count} × {operation}")


def bench_growth() -> None:
    """Cost of a document among many over the cost among few."""
    with place() as at:
        ratio, few_s, many_s = asyncio.run(growth.measure(at))
    detail = (
        f"{few_s * 1000:.1f} ms a document beside {growth.FEW:,} stored, {many_s * 1000:.1f} ms beside {growth.MANY:,}"
    )
    tell("cost growth", ratio, 1.3, at_least=False, detail=detail)


def bench_start() -> None:
    """Warm start to the first booked document, and memory."""
    seconds, mesh_mb, servers_mb = start.measure()
    tell(
        "seconds from a warm start to the first booked document",
        seconds,
        15,
        at_least=False,
        detail="make run, demo included",
    )
    detail = f"every service in one process, idle; PostgreSQL and RabbitMQ beside it: {servers_mb:.0f} MB"
    tell("resident memory in MB", mesh_mb, 350, at_least=False, detail=detail)


def bench_tickets() -> None:
    """Tickets a second, and the close of a month of them."""
    with place(vendor=INSTANT, processes=tickets.PROCESSES) as at:
        taken = asyncio.run(tickets.measure_taking(at))
    with place(vendor=INSTANT) as at:
        few, many = asyncio.run(tickets.measure_closing(at))
    detail = f"{taken.per_second / taken.floor:.2f} of a floor that inserts the same rows, {taken.floor:,.0f}/s"
    tell("tickets taken a second", taken.per_second, 1500, at_least=True, detail=detail)
    detail = (
        f"{many.entered_s:.1f} s of it until its days are entered and closed; {few.seconds:.1f} s for {few.tickets:,}"
    )
    tell(f"seconds to close a month of {many.tickets:,} tickets", many.seconds, 10, at_least=False, detail=detail)
    detail = f"{many.peak_mb:.0f} MB at most in a process of the mesh, {few.peak_mb:.0f} MB for {few.tickets:,}"
    ratio = many.peak_mb / few.peak_mb
    tell("memory of closing ten times the tickets", ratio, 1.1, at_least=False, detail=detail)


def bench_lines() -> None:
    """Lines of meaning of each connector."""
    for name, counted in lines.count().items():
        tell(
            f"lines of meaning of {name}",
            counted,
            lines.GOALS.get(name, lines.GOALS["connector-exact"]),
            at_least=False,
            detail="without imports and data",
        )


def bench_formats() -> None:
    """UBL and CODA against their peers."""
    reading = formats.reading_ubl()
    detail = f"{reading.ours_ms:.2f} ms an invoice of 9 KB, the parser alone {reading.theirs_ms:.2f} ms"
    tell("UBL read over lxml's parser", reading.value, 4, at_least=False, detail=detail)
    checking = formats.checking_ubl()
    detail = f"all rules in {checking.ours_ms:.2f} ms, the official ones in saxonche in {checking.theirs_ms:.2f} ms"
    tell("UBL check, times the official rules' speed", checking.value, 30, at_least=True, detail=detail)
    with TemporaryDirectory() as folder:
        coda = formats.reading_coda(Path(folder))
    detail = f"{formats.MOVEMENTS:,} movements in {coda.ours_ms:.0f} ms, pycoda in {coda.theirs_ms:.0f} ms"
    tell("CODA read, times pycoda's speed", coda.value, 0.5, at_least=True, detail=detail)
    ratio, small_mb, large_mb = formats.memory_of_coda()
    detail = (
        f"{large_mb:.0f} MB resident for a file of {formats.LARGE_MB} MB, {small_mb:.0f} MB for {formats.SMALL_MB} MB"
    )
    tell("memory of a large CODA file over a small one", ratio, 1.1, at_least=False, detail=detail)


def bench_webhooks() -> None:
    """Events to partners: how many, how soon, and beside endpoints that hang."""
    with place() as at:
        found = asyncio.run(webhooks.measure(at))
    detail = (
        f"{webhooks.BURST:,} events at once to {webhooks.ENDPOINTS} endpoints, each to one;"
        f" {found.cpu_ms:.1f} ms of processor an event in the mesh's process"
    )
    tell("events delivered to partners a second", found.per_second, 300, at_least=True, detail=detail)
    detail = f"from the fact's publishing to its receipt, idle; half of them within {found.idle_p50_ms:.0f} ms"
    tell("milliseconds to a partner, p99", found.idle_p99_ms, 300, at_least=False, detail=detail)
    detail = (
        f"{found.beside_p99_ms:.0f} ms beside {webhooks.HANGING} that hang 30 s, {found.alone_p99_ms:.0f} ms before"
    )
    ratio = found.beside_p99_ms / found.alone_p99_ms
    tell("p99 of quick endpoints beside hanging ones over before", ratio, 1.5, at_least=False, detail=detail)


def bench_outages(vendor: str, durations_s: Sequence[float]) -> None:
    """Recovery after outages of one vendor."""
    with place(gated=True) as at:
        recoveries = asyncio.run(outages.measure(at, vendor, durations_s))
    for each in recoveries:
        name = f"seconds to the first document at its end after {each.lasted_s:g} s of {vendor} that {each.kind}"
        detail = (
            f"all of {outages.DOCUMENTS} after {each.last_s:.1f} s; pauses as in production, a search settles in 0.2 s"
        )
        tell(name, each.first_s, 10, at_least=False, detail=detail)
        tell(
            "seconds to the last of them", each.last_s, 60, at_least=False, detail="of one company, one after the other"
        )


BENCHES: dict[str, Callable[[], None]] = {
    "fanout": bench_fanout,
    "targets": bench_targets,
    "calls": bench_calls,
    "growth": bench_growth,
    "start": bench_start,
    "tickets": bench_tickets,
    "formats": bench_formats,
    "lines": bench_lines,
    "outages": partial(bench_outages, "exact", outages.SHORT_S),
    "webhooks": bench_webhooks,
}
ASKED_FOR: dict[str, Callable[[], None]] = {
    **{f"outages-{vendor}": partial(bench_outages, vendor, outages.SHORT_S) for vendor in outages.VENDORS},
    **{f"long-outages-{vendor}": partial(bench_outages, vendor, outages.LONG_S) for vendor in outages.VENDORS},
}
"""Minutes, or half an hour, long, and so only where they are named: ``outages-octopus``, ``long-outages-mail`` …"""

if __name__ == "__main__":
    for wanted in sys.argv[1:] or BENCHES:
        (BENCHES | ASKED_FOR)[wanted]()
    if MISSED:
        print(f"missed: {', '.join(MISSED)}")
    sys.exit(bool(MISSED))

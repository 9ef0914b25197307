"""The two formats against their peers: same bytes, same run, each peer in its own process where it is not our dependency."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from libs.ubl.tests.oracle.official_rules import PYTHON, official_rules
from lxml import etree

import koppel_coda
import koppel_ubl

ROOT = Path(__file__).parents[1]
INVOICE = ROOT / "libs/ubl/tests/samples/valid/own__be-10-mixed-rates-allowance-charge.xml"
STATEMENT = ROOT / "libs/coda/tests/samples/bakery-two-days.cod"
ROUNDS = 1_000
WARMING, CHECKS, OFFICIAL_EVERY = 50, 500, 5
MOVEMENTS = 5_000
SMALL_MB, LARGE_MB = 10, 500
_PYCODA = """
import json, sys, time
from coda.parser import Parser
data = open(sys.argv[1], "rb").read()
taken = []
for _ in range(5):
    started_at = time.perf_counter()
    statements = Parser().parse(data)
    taken.append(time.perf_counter() - started_at)
print(json.dumps([min(taken), sum(len(one.movements) for one in statements)]))
"""


class Ratio(NamedTuple):
    """A figure with what it was made of, both in milliseconds."""

    value: float
    ours_ms: float
    theirs_ms: float


def _best_ms(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the shortest time of each; in turn, so that a slower moment of the machine meets all of them."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for position, work in enumerate(works):
            started_at = time.perf_counter()
            work()
            best[position] = min(best[position], time.perf_counter() - started_at)
    return [seconds * 1000 for seconds in best]


def reading_ubl() -> Ratio:
    """Return how much longer our reader takes than the parser alone."""
    data = INVOICE.read_bytes()
    ours, theirs = _best_ms(lambda: koppel_ubl.read(data), lambda: etree.fromstring(data))
    return Ratio(ours / theirs, ours, theirs)


def checking_ubl() -> Ratio:
    """Return how much faster our rules are than the official ones in their processor, both warm; each invoice is met once.

    The invoices are those of one sender: what ours remember, the kinds of lines and parties, they share; what they say differs.
    """
    # All are made before: making one checks it too, and the numbers in it would be known from there.
    invoices = list(_invoices(WARMING + CHECKS))
    ours, theirs = [], []
    with official_rules() as official:
        for number, data in enumerate(invoices):
            started_at = time.perf_counter()
            report = koppel_ubl.check(data)
            ours.append(time.perf_counter() - started_at)
            if report.findings:
                raise RuntimeError(f"invoice {number} is not valid: {report.rules()}")
            if number % OFFICIAL_EVERY == 0:
                theirs.append(official.judge(etree.fromstring(data)).seconds)
    ours_ms = min(ours[WARMING:]) * 1000
    theirs_ms = min(theirs[WARMING // OFFICIAL_EVERY :]) * 1000
    return Ratio(theirs_ms / ours_ms, ours_ms, theirs_ms)


def _invoices(times: int) -> Iterator[bytes]:
    """Give valid invoices like ``INVOICE``, with other numbers, days, names, quantities and prices in each."""
    draw = random.Random(0)
    model = koppel_ubl.read(INVOICE.read_bytes())
    assert isinstance(model, koppel_ubl.Invoice)
    for number in range(times):
        lines = tuple(
            replace(
                line,
                net=None,
                vat=replace(line.vat, exemption_code="VATEX-EU-132") if line.vat.category == "E" else line.vat,
                quantity=Decimal(draw.randint(1, 99)),
                price=koppel_ubl.Price(net=Decimal(draw.randint(100, 99_999)).scaleb(-2)),
                item=replace(line.item, name=f"{line.item.name} {draw.randint(1, 9_999)}"),
            )
            for line in model.lines
        )
        draft = replace(
            model,
            number=f"2026-{number:05}",
            issue_date=date(2026, 1, 1) + timedelta(days=draw.randint(0, 300)),
            seller=replace(model.seller, name=f"Voorbeeld {draw.randint(1, 9_999)} BV"),
            lines=lines,
            vat_total=None,
            vat_breakdown=(),
            totals=koppel_ubl.Totals(),
        )
        yield koppel_ubl.write(koppel_ubl.build(draft))


def reading_coda(place: Path) -> Ratio:
    """Return our speed over pycoda's, on one statement of 5,000 movements."""
    path = place / "statement.cod"
    path.write_bytes(_long_statement())
    data = path.read_bytes()
    (ours,) = _best_ms(lambda: koppel_coda.read(data), rounds=5)
    answer = subprocess.run([str(PYTHON), "-c", _PYCODA, str(path)], check=True, capture_output=True, text=True)
    seconds, movements = json.loads(answer.stdout)
    if movements != MOVEMENTS:
        raise RuntimeError(f"pycoda read {movements} movements of {MOVEMENTS}")
    return Ratio(seconds * 1000 / ours, ours, seconds * 1000)


def _long_statement() -> bytes:
    first, _ = koppel_coda.read(STATEMENT.read_bytes())
    movements = tuple(first.movements[index % 2] for index in range(MOVEMENTS))
    closing = first.old_balance.amount + sum((one.amount for one in movements), Decimal(0))
    assert first.new_balance is not None
    new_balance = koppel_coda.Balance(closing, first.new_balance.on, first.new_balance.paper_number)
    return koppel_coda.write(
        [koppel_coda.Statement(first.header, first.account, first.old_balance, new_balance, movements)]
    )


def memory_of_coda() -> tuple[float, float, float]:
    """Return the memory of reading 500 MB over that of 10 MB, and both in MB; each in a process of its own."""
    small, large = (_memory_mb(megabytes) for megabytes in (SMALL_MB, LARGE_MB))
    return large / small, small, large


def _memory_mb(megabytes: int) -> float:
    answer = subprocess.run(
        [sys.executable, "-m", "bench.formats", str(megabytes)], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return float(answer.stdout)


class _Endless:
    """The same statements again and again, as a stream that is nowhere whole."""

    def __init__(self, data: bytes, times: int) -> None:
        self._data, self._times, self._rest = data, times, b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and self._times:
            self._rest += self._data
            self._times -= 1
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _read_megabytes(megabytes: int) -> None:
    data = STATEMENT.read_bytes() * 20
    stream = cast("BinaryIO", _Endless(data, megabytes * 1_000_000 // len(data)))
    for statement in koppel_coda.iter_statements(stream):
        assert statement.movements
    print(_peak_mb())


def _peak_mb() -> float:
    """Return the most memory this process held; ``getrusage`` would tell of the process that started it too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _read_megabytes(int(sys.argv[1]))

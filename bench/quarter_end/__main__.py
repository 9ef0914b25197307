"""``python -m bench.quarter_end [--seed N] [--firms N] [--documents N]``: waiting times, pods needed, a plot."""

import argparse
import random
import time
from pathlib import Path

from .firms import DOCUMENTS, FIRMS, Firm, firms
from .report import (
    HANDING_IN_S,
    READS_S,
    SCHEDULER_S,
    Row,
    percentile,
    pods_for,
    rows,
    span,
    svg,
    table,
    text_plot,
)
from .simulation import Outcome, simulate
from .vendors import VENDORS, VirtualVendor

PLOT = Path(".koppel/quarter-end.svg")
PODS = (1, 2, 4, 8, 16, 32)
LONGER_S = 900.0
"""Pods are enough when 95 of 100 firms wait no longer than this, beyond what their vendor's limits ask for."""


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--firms", type=int, default=FIRMS)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    given = parser.parse_args()
    started = time.process_time()
    everybody = firms(random.Random(given.seed), given.firms, given.documents)
    print(
        f"seed {given.seed}: {len(everybody):,} firms, {sum(firm.size for firm in everybody):,} documents", flush=True
    )
    found: list[Row] = []
    a_minute: list[int] = []
    for vendor in VENDORS:
        here = [firm for firm in everybody if firm.vendor == vendor.name]
        made, outcome = _enough(here, vendor, given.seed)
        found += made
        a_minute.append(max(outcome.a_minute.values()))
    print(f"\n{table(found)}\n\n{text_plot(found)}\n")
    small = [row for row in found if row.firm.size <= 50]
    print(f"wait of the median document, over firms: p50 {span(percentile((row.median_s for row in found), 0.5))}")
    print(f"firms of at most 50 documents: p99 of the last {span(percentile((row.last_s for row in small), 0.99))}")
    _print_other_pods(everybody, sum(a_minute))
    svg(found, PLOT)
    print(f"plot: {PLOT}; {time.process_time() - started:.0f} s of processor")


def _enough(here: list[Firm], vendor: VirtualVendor, seed: int) -> tuple[list[Row], Outcome]:
    """Return how firms fare with as few pods as are enough, and print every number of pods that was tried."""
    alone = simulate(here, vendor, None, seed)
    print(f"\n{vendor.service}: {len(here)} firms, {sum(firm.size for firm in here):,} documents")
    for pods in PODS:
        outcome = simulate(here, vendor, pods, seed)
        made = rows(here, outcome, alone)
        longer = [max(0.0, row.last_s - row.alone_s) for row in made]
        over = ", ".join(f"{name} {span(percentile(longer, share))}" for name, share in _SHARES)
        busiest = max(outcome.a_minute.values())
        done = span(max(outcome.ended.values()))
        print(
            f"  {pods:2} pods: longer than alone by {over}; at most {busiest:,} a minute, all sent after {done}",
            flush=True,
        )
        if percentile(longer, 0.95) <= LONGER_S:
            break
    return made, outcome


_SHARES = (("p50", 0.5), ("p95", 0.95), ("max", 1.0))


def _print_other_pods(everybody: list[Firm], sent_a_minute: int) -> None:
    handed_in: dict[int, int] = {}
    for firm in everybody:
        for moment in firm.ready:
            if moment > 0:
                handed_in[int(moment // 60)] = handed_in.get(int(moment // 60), 0) + 1
    most = max(handed_in.values(), default=0)
    api_s = most * HANDING_IN_S + sent_a_minute * READS_S
    print(
        f"dossier-api: {pods_for(1.0, api_s)} pods for {most:,} handed in and {sent_a_minute:,} read in the busiest minutes"
    )
    print(f"export-scheduler: {pods_for(SCHEDULER_S, sent_a_minute)} pods")


if __name__ == "__main__":
    main()

"""What the simulation says: waiting times by size, pods needed, and the plot of waiting against size."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from .firms import Firm
from .simulation import CONNECTOR_S, Outcome

CLASSES: Final = (50, 200, 1_000, 5_000, 10**9)
"""Firms of at most so many documents."""
BUSY: Final = 0.6
"""The share of a processor that is planned for; the rest is for peaks within a minute and for what goes wrong."""
HANDING_IN_S, READS_S, SCHEDULER_S = 0.0070, 0.0035, 0.0030
"""Processor seconds of dossier-api for a document handed in and for one that is read to be sent, and of export-scheduler.

Decision 8's table dealt out to services: 35 ms of it are Python's, of which the connector's are 21.5 (``CONNECTOR_S``)."""
assert math.isclose(HANDING_IN_S + READS_S + SCHEDULER_S + CONNECTOR_S, 0.035)
COLOURS: Final = {"exact": "#1f5fbf", "octopus": "#c2571a", "mail": "#2d8a4e"}
WIDTH, HEIGHT, MARGIN = 900, 520, 60


@dataclass(frozen=True)
class Row:
    """How one firm fared."""

    firm: Firm
    median_s: float
    """Of its documents, from ready to sent."""
    last_s: float
    """Of the one that waited longest."""
    alone_s: float
    """The same, where it never waits for another firm: what the vendor's limits ask for."""


def rows(firms: Sequence[Firm], crowded: Outcome, alone: Outcome) -> list[Row]:
    """Return a row for each firm."""
    return [
        Row(firm, median(crowded.waits[firm.name]), max(crowded.waits[firm.name]), max(alone.waits[firm.name]))
        for firm in firms
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def span(seconds: float) -> str:
    """Return a time as people read it."""
    for unit, length in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def table(of: Sequence[Row]) -> str:
    """Return the waiting times of firms, by size."""
    heading = f"{'documents of a firm':>20}{'firms':>7}{'documents':>11}   until the last of them: p50, p95, p99, max; p95 alone"
    lines = [heading]
    for least, most in zip((0, *CLASSES), CLASSES, strict=False):
        here = [row for row in of if least < row.firm.size <= most]
        if here:
            waits = [row.last_s for row in here]
            shown = "".join(f"{span(percentile(waits, share)):>10}" for share in (0.5, 0.95, 0.99, 1.0))
            name = f"{least + 1:,} to {most:,}" if most < 10**9 else f"over {least:,}"
            alone = span(percentile((row.alone_s for row in here), 0.95))
            lines.append(f"{name:>20}{len(here):7}{sum(row.firm.size for row in here):11,}   {shown}{alone:>12}")
    return "\n".join(lines)


def pods_for(seconds_a_document: float, a_minute: float) -> int:
    """Return the pods of one processor that so many documents a minute need."""
    return max(1, math.ceil(a_minute / 60 * seconds_a_document / BUSY))


def text_plot(of: Sequence[Row], columns: int = 64, lines: int = 14) -> str:
    """Return firms by size (to the right) and waiting of the last document (upwards), both by powers of ten."""
    grid = [[" "] * columns for _ in range(lines)]
    right, top = _scales(of)
    for row in of:
        x = min(columns - 1, int(_place(row.firm.size, 1, right) * columns))
        y = min(lines - 1, int(_place(row.last_s, 1, top) * lines))
        mark = {"exact": "e", "octopus": "o", "mail": "m"}[row.firm.vendor]
        grid[lines - 1 - y][x] = mark if grid[lines - 1 - y][x] in (" ", mark) else "*"
    shown = [
        f"{span(10 ** (math.log10(top) * (lines - n) / lines)):>9} |{''.join(line)}" for n, line in enumerate(grid)
    ]
    return "\n".join(
        [*shown, f"{'':>9} +{'-' * columns}", f"{'':>11}1 document{f'{right:,.0f} documents':>{columns - 10}}"]
    )


def svg(of: Sequence[Row], file: Path) -> None:
    """Write the plot: a point for each firm, a bar to what the vendor's limits alone ask for."""
    right, top = _scales(of)

    def at(row: Row, wait_s: float) -> tuple[float, float]:
        x = MARGIN + _place(row.firm.size, 1, right) * (WIDTH - 2 * MARGIN)
        return x, HEIGHT - MARGIN - _place(wait_s, 1, top) * (HEIGHT - 2 * MARGIN)

    marks = []
    for row in of:
        (x, y), (_, floor) = at(row, row.last_s), at(row, row.alone_s)
        colour = COLOURS[row.firm.vendor]
        marks.append(f'<path d="M{x:.1f} {y:.1f}V{floor:.1f}" stroke="{colour}" stroke-opacity=".25"/>')
        marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}" fill-opacity=".6"/>')
    axes = [f'<path d="M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" stroke="#333" fill="none"/>']
    for power in range(math.ceil(math.log10(top)) + 1):
        y = HEIGHT - MARGIN - _place(10**power, 1, top) * (HEIGHT - 2 * MARGIN)
        axes.append(f'<text x="{MARGIN - 6}" y="{y:.0f}" text-anchor="end">{span(10**power)}</text>')
    for power in range(math.ceil(math.log10(right)) + 1):
        x = MARGIN + _place(10**power, 1, right) * (WIDTH - 2 * MARGIN)
        axes.append(f'<text x="{x:.0f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{10**power:,}</text>')
    for place, (name, colour) in enumerate(COLOURS.items()):
        axes.append(f'<text x="{WIDTH - MARGIN}" y="{20 + 16 * place}" fill="{colour}" text-anchor="end">{name}</text>')
    title = "Wait for a firm's last document (upwards) by its documents; a bar ends where its vendor's limits alone would put it"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="{MARGIN}" y="20">{title}</text>'
        f"{''.join(axes)}{''.join(marks)}</svg>\n"
    )


def _scales(of: Sequence[Row]) -> tuple[float, float]:
    return max(10.0, max(row.firm.size for row in of)), max(10.0, max(row.last_s for row in of))


def _place(value: float, least: float, most: float) -> float:
    return min(1.0, max(0.0, math.log10(max(value, least) / least) / math.log10(most / least)))

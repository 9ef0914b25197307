"""Calls to the vendor per booked invoice, in steady state: master data known, PDF and UBL attached, totals verified."""

from collections import Counter

from .fanout import book
from .place import Place, dossiers

STREAM = 40


async def measure(at: Place) -> tuple[float, float, Counter[str]]:
    """Return the calls of a lone invoice, the mean in a stream, and what the lone one's calls were."""
    homes = dossiers(at, 1)
    await book(at, homes, 1, "M")  # the first one makes the relation
    before = len(at.requests())
    await book(at, homes, 1, "L")
    lone = at.requests()[before:]
    before += len(lone)
    await book(at, homes, STREAM, "S")
    stream = len(at.requests()) - before
    return len(lone), stream / STREAM, Counter(f"{line['method']} {line['resource']}" for line in lone)

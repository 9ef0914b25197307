"""Calls to the vendor per booked invoice, in steady state: master data known, PDF and UBL attached, totals verified."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing

from koppel_sandbox.octopus.driver import OctopusDriver

from .fanout import book
from .place import Place, add_dossier, connect, dossiers

STREAM = 40
Calls = Callable[[], list[str]]
"""Returns every call that a vendor has seen, in words."""


async def measure_exact(at: Place) -> tuple[float, float, Counter[str]]:
    """Return the calls of a lone invoice at Exact, the mean in a stream, and what the lone one's calls were."""
    homes = dossiers(at, 1)
    return await _measure(at, homes, lambda: [f"{line['method']} {line['resource']}" for line in at.requests()])


async def measure_octopus(at: Place) -> tuple[float, float, Counter[str]]:
    """Return the same of Octopus."""
    with closing(at.api()) as api, closing(OctopusDriver(at.others["octopus"])) as octopus:
        octopus.lift_limits()
        home = add_dossier(api, "Company at Octopus")
        connect(api, home, octopus)
        return await _measure(
            at, [home], lambda: [line["operation"] for line in octopus.http.get("_control/requests").json()]
        )


async def _measure(at: Place, homes: list[str], calls: Calls) -> tuple[float, float, Counter[str]]:
    await book(at, homes, 1, "M")  # the first one makes the relation
    before = len(calls())
    await book(at, homes, 1, "L")
    lone = calls()[before:]
    before += len(lone)
    await book(at, homes, STREAM, "S")
    return len(lone), (len(calls()) - before) / STREAM, Counter(lone)

"""Outages of a vendor: seconds from when it is well again to the first document at its end, and to the last of a stream."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, get_args

from koppel_sandbox.octopus.driver import OctopusDriver

from .fanout import hand_in
from .gate import Gate, Outage
from .place import Place, add_dossier, connect, dossiers

DOCUMENTS = 24
SHORT_S, LONG_S = (0.5, 60.0), (600.0,)
PATIENCE_S = 900.0


@dataclass(frozen=True)
class Recovery:
    """How one outage ended."""

    kind: Outage
    lasted_s: float
    first_s: float
    """From well to the first document that came to its end, booked or mailed, after the outage."""
    last_s: float
    """From well to the last of all documents."""


def _at_exact(at: Place) -> str:
    (home,) = dossiers(at, 1)
    return home


def _at_octopus(at: Place) -> str:
    with closing(at.api()) as api, closing(OctopusDriver(at.others["octopus"])) as octopus:
        octopus.lift_limits()
        home = add_dossier(api, "Company at Octopus")
        connect(api, home, octopus)
    return home


def _by_mail(at: Place) -> str:
    with closing(at.api()) as api:
        home = add_dossier(api, "Company by mail")
        settings = {"profile": "generic", "addresses": {"sale": "sales@office.example"}}
        api.call("POST", "/billmail/v1/connections", body={"dossier_id": home, "settings": settings})
    return home


@dataclass(frozen=True)
class Vendor:
    """A vendor that may be away."""

    schema: str
    """Of its connector."""
    dossier: Callable[[Place], str]
    """Makes a dossier whose sales go there; returns its id."""


VENDORS: Final[Mapping[str, Vendor]] = {
    "exact": Vendor("connector_exact", _at_exact),
    "octopus": Vendor("connector_octopus", _at_octopus),
    "mail": Vendor("billmail", _by_mail),
}
"""By the names of their sandboxes."""


async def measure(at: Place, vendor: str, durations_s: Sequence[float]) -> list[Recovery]:
    """Have the vendor away in each way and for each time, in the middle of a stream of documents of one company."""
    home, schema, gate = VENDORS[vendor].dossier(at), VENDORS[vendor].schema, at.gates[vendor]
    return [
        await _recovery(at, home, schema, gate, kind, lasts_s) for lasts_s in durations_s for kind in get_args(Outage)
    ]


async def _recovery(at: Place, home: str, schema: str, gate: Gate, kind: Outage, lasts_s: float) -> Recovery:
    connection = await at.connect()
    try:
        ended = "SELECT count(*) FROM dossier_api.delivery WHERE document_id = ANY($1) AND state = ends_as"

        async def until(count: int) -> float:
            end = time.monotonic() + PATIENCE_S
            while (now := await connection.fetchval(ended, documents)) < count:
                if time.monotonic() > end:
                    raise TimeoutError(f"only {now} of {count} documents ended after {kind} for {lasts_s:g} s")
                await asyncio.sleep(0.05)
            return time.monotonic()

        stream = asyncio.create_task(hand_in(at, [home], DOCUMENTS, f"{kind[0]}{lasts_s:g}"))
        await _until_sent(connection, schema)
        gate.shut(kind)
        shut_at = time.monotonic()
        documents = await stream
        await asyncio.sleep(max(0.0, shut_at + lasts_s - time.monotonic()))
        before = await connection.fetchval(ended, documents)
        gate.open()
        well_at = time.monotonic()
        if before == len(documents):
            raise RuntimeError("every document had ended before the outage; there is nothing to measure")
        first_at = await until(before + 1)
        return Recovery(kind, lasts_s, first_at - well_at, await until(len(documents)) - well_at)
    finally:
        await connection.close()


async def _until_sent(connection: Any, schema: str) -> None:
    """Wait until the stream is flowing: the outage begins in the middle of it."""
    sent = f"SELECT count(*) FROM {schema}.delivery WHERE state IN ('exported', 'booked')"
    before = await connection.fetchval(sent)
    while await connection.fetchval(sent) < before + 2:
        await asyncio.sleep(0.02)

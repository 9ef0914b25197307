"""Outages of the vendor: seconds from when it is well again to the first document booked, and to the last of a stream."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from .fanout import hand_in
from .place import Place, dossiers

DOCUMENTS = 24
KINDS = ("drops", "refuses", "503")
SHORT_S, LONG_S = (0.5, 60.0), (600.0,)
PATIENCE_S = 900.0


@dataclass(frozen=True)
class Recovery:
    """How one outage ended."""

    kind: str
    lasted_s: float
    first_s: float
    """From well to the first document that was booked after the outage."""
    last_s: float
    """From well to the last of all documents."""


async def measure(at: Place, durations_s: Sequence[float]) -> list[Recovery]:
    """Have the vendor away in each way and for each time, in the middle of a stream of documents of one company."""
    (home,) = dossiers(at, 1)
    return [
        await _recovery(at, home, kind, lasts_s, f"{kind[0]}{lasts_s:g}") for lasts_s in durations_s for kind in KINDS
    ]


async def _recovery(at: Place, home: str, kind: str, lasts_s: float, prefix: str) -> Recovery:
    documents = await hand_in(at, [home], DOCUMENTS, prefix)
    connection = await at.connect()
    try:
        booked = "SELECT count(*) FROM dossier_api.document WHERE id = ANY($1) AND state = 'booked'"

        async def until(count: int) -> float:
            end = time.monotonic() + PATIENCE_S
            while (now := await connection.fetchval(booked, documents)) < count:
                if time.monotonic() > end:
                    raise TimeoutError(f"only {now} of {count} documents were booked after {kind} for {lasts_s:g} s")
                await asyncio.sleep(0.05)
            return time.monotonic()

        await _until_sent(connection, documents)
        httpx2.post(f"{at.sandbox_url}/_gate/{kind}/{lasts_s}", trust_env=False).raise_for_status()
        well_at = time.monotonic() + lasts_s
        await asyncio.sleep(lasts_s)
        before = await connection.fetchval(booked, documents)
        if before == len(documents):
            raise RuntimeError("every document was booked before the outage; there is nothing to measure")
        first_at = await until(before + 1)
        return Recovery(kind, lasts_s, first_at - well_at, await until(len(documents)) - well_at)
    finally:
        await connection.close()


async def _until_sent(connection: Any, documents: list[UUID]) -> None:
    """Wait until the stream is flowing: the outage begins in the middle of it."""
    sent = (
        "SELECT count(*) FROM connector_exact.delivery WHERE document_id = ANY($1) AND state IN ('exported', 'booked')"
    )
    while await connection.fetchval(sent, documents) < 2:
        await asyncio.sleep(0.02)

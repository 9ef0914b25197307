"""What a document costs by the number of its targets: processor seconds of the mesh, its database and its broker.

Not those of the vendors, which are fakes, nor of who hands in. What the mesh does while it has nothing to do is taken off.
"""

import asyncio
from contextlib import closing
from uuid import UUID

from koppel_local.api import Api
from koppel_sandbox.octopus.driver import OctopusDriver

from .fanout import hand_in
from .place import FOLDER, Place, connect, dossiers, processes_of

DOSSIERS = 4
WARM_UP = 16
DOCUMENTS = 80
IDLE_S = 5.0
PATIENCE_S = 180.0
TARGETS = ("Exact", "Octopus", "a mailbox of Yuki", "a mailbox of an office")
"""In the order in which they are added."""


async def measure(at: Place) -> list[float]:
    """Return the seconds that a document costs with the first of the targets, with the first two, and so on."""
    homes = dossiers(at, DOSSIERS)
    costs = []
    with closing(at.api()) as api, closing(OctopusDriver(at.others["octopus"])) as octopus:
        octopus.lift_limits()
        for count in range(1, len(TARGETS) + 1):
            for number, home in enumerate(homes):
                _add_target(api, octopus, count, number, home)
            await _send(at, homes, WARM_UP, count, "W")
            costs.append(await _cost(at, homes, count))
    return costs


def _add_target(api: Api, octopus: OctopusDriver, count: int, number: int, home: str) -> None:
    mailboxes = {
        3: {"profile": "yuki", "addresses": {"sale": f"{number}.Company@yukiworks.be"}},
        4: {"profile": "generic", "addresses": {"sale": f"sales{number}@office.example"}},
    }
    if count == 2:
        connect(api, home, octopus)
    elif count in mailboxes:
        asked = {"dossier_id": home, "settings": mailboxes[count]}
        api.call("POST", "/billmail/v1/connections", body=asked)


async def _cost(at: Place, homes: list[str], count: int) -> float:
    loop = asyncio.get_running_loop()
    idle = _processor_s(at)
    await asyncio.sleep(IDLE_S)
    before, started = _processor_s(at), loop.time()
    idle_rate = (before - idle) / IDLE_S
    await _send(at, homes, DOCUMENTS, count, "C")
    used = _processor_s(at) - before - idle_rate * (loop.time() - started)
    return used / DOCUMENTS


async def _send(at: Place, homes: list[str], documents: int, count: int, prefix: str) -> None:
    """Hand in, and wait until every document has ended at each of its targets."""
    handed_in = await hand_in(at, homes, documents, f"{prefix}{count}")
    await _until_ended(at, handed_in, count)


async def _until_ended(at: Place, documents: list[UUID], count: int) -> None:
    ended = "SELECT count(*) FROM dossier_api.delivery WHERE document_id = ANY($1) AND state = ends_as"
    connection = await at.connect()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await connection.fetchval(ended, documents) < len(documents) * count:
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


def _processor_s(at: Place) -> float:
    """Return the processor seconds so far, those of ended children among them."""
    servers = [each for each in processes_of(FOLDER.absolute()) if each not in at.mesh]
    return sum(sum(each.cpu_times()[:4]) for each in (*at.mesh, *servers))

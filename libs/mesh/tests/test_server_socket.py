"""Who may listen where, and when: one process alone, or several of one machine together."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import APIRouter

from koppel_mesh.http.server_socket import CannotListenError
from koppel_mesh.migrations import MESH, upgrade
from koppel_mesh.runtime import running
from koppel_mesh.service import Context, Loop, Service
from koppel_mesh.settings import MeshSettings

from .forwarding import Forwarding

AWAY = "postgresql://127.0.0.1:9/none"
SLOW_S = 1.0
router = APIRouter()


@router.get("/slow")
async def slow() -> str:
    await asyncio.sleep(SLOW_S)
    return "done"


SERVICE = Service(name="test-service", settings=MeshSettings, routers=(router,))


def settings(port: int, *, reuse_port: bool, database_url: str = AWAY) -> dict[str, MeshSettings]:
    given = {"database_url": database_url, "amqp_url": "amqp://127.0.0.1:9/", "port": port, "reuse_port": reuse_port}
    return {SERVICE.name: MeshSettings.model_validate(given)}


async def answer(port: int, path: str = "/health/ready") -> int | str:
    """Return the status of the answer on a connection of its own, "refused" where nobody listens, "reset" without one."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    writer.write(f"GET /test-service{path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
    with contextlib.closing(writer):
        try:
            return int((await reader.readline()).split()[1])
        except (ConnectionResetError, IndexError):
            return "reset"


async def answers(port: int) -> Counter[int | str]:
    """Return what twenty callers at once were answered: the kernel deals them out over all who listen."""
    return Counter(await asyncio.gather(*(answer(port) for _ in range(20))))


async def until(port: int, wanted: int | str) -> None:
    async with asyncio.timeout(60):
        while await answers(port) != {wanted: 20}:
            await asyncio.sleep(0.05)


async def test_a_taken_port_is_refused_in_words(free_port: int) -> None:
    async with running([SERVICE], settings(free_port, reuse_port=False)):
        for reuse_port in (False, True):
            with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{free_port}"):
                async with running([SERVICE], settings(free_port, reuse_port=reuse_port)):
                    pass
        assert await answer(free_port, "/health/live") == 200


async def test_alone_it_tells_that_it_lives_while_it_still_starts(free_port: int) -> None:
    opening, open_now = asyncio.Event(), asyncio.Event()
    starting = asyncio.create_task(_run(_opened_when(opening, open_now), settings(free_port, reuse_port=False)))
    await opening.wait()
    assert await answer(free_port, "/health/live") == 200
    assert await answer(free_port, "/slow") == 503
    open_now.set()
    async with asyncio.timeout(60):
        while await answer(free_port, "/slow") != 200:
            await asyncio.sleep(0.05)
    starting.cancel()


async def test_a_database_that_is_away_at_the_start_is_waited_for(free_port: int, database_url: str) -> None:
    @contextlib.asynccontextmanager
    async def resources(context: Context) -> AsyncIterator[None]:
        await context.database.ping()
        yield

    async with Forwarding(database_url) as way:
        await way.cut()
        given = settings(free_port, reuse_port=False, database_url=way.address)
        starting = asyncio.create_task(_run(replace(SERVICE, resources=resources), given))
        async with asyncio.timeout(60):
            while await answer(free_port, "/health/live") != 200:
                await asyncio.sleep(0.05)
        assert await answer(free_port) == 503
        await asyncio.sleep(0.5)
        assert not starting.done()
        await way.open()
        await until(free_port, 200)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


async def test_one_that_is_still_starting_takes_no_caller_from_the_others(free_port: int, database_url: str) -> None:
    shared = settings(free_port, reuse_port=True, database_url=database_url)
    opening, open_now = asyncio.Event(), asyncio.Event()
    async with running([SERVICE], shared):
        await until(free_port, 200)
        starting = asyncio.create_task(_run(_opened_when(opening, open_now), shared))
        await opening.wait()
        assert await answers(free_port) == {200: 20}
        open_now.set()
        await until(free_port, 200)
    await until(free_port, 200)  # the second one listens by now, alone
    starting.cancel()


async def test_one_that_shares_its_port_listens_once_its_schema_serves(free_port: int, make_database: Any) -> None:
    url = make_database()
    service = replace(SERVICE, lineages=(MESH,))
    async with running([service], settings(free_port, reuse_port=True, database_url=url)):
        await asyncio.sleep(0.3)
        assert await answers(free_port) == {"refused": 20}
        await upgrade(url, service.name, (MESH,))
        await until(free_port, 200)
    assert await answers(free_port) == {"refused": 20}


async def test_one_that_never_became_ready_ends_when_it_is_told_to(free_port: int) -> None:
    async with asyncio.timeout(60), running([SERVICE], settings(free_port, reuse_port=True)):
        assert await answers(free_port) == {"refused": 20}


async def test_one_that_is_ready_and_cannot_listen_ends(free_port: int, database_url: str) -> None:
    opening, open_now = asyncio.Event(), asyncio.Event()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", free_port))
        shared = settings(free_port, reuse_port=True, database_url=database_url)
        starting = asyncio.create_task(_run(_opened_when(opening, open_now), shared))
        await opening.wait()
        other.listen()  # it had the address as long as nobody listened; it does not share it
        open_now.set()
        with pytest.raises(CannotListenError, match=f"cannot listen on 127.0.0.1:{free_port}"):
            await asyncio.wait_for(starting, 60)


async def test_a_host_that_is_none_is_refused_in_words(free_port: int) -> None:
    given = settings(free_port, reuse_port=False)[SERVICE.name].model_copy(update={"host": "no-such-host.invalid"})
    with pytest.raises(CannotListenError, match=r"cannot listen on no-such-host\.invalid"):
        async with running([SERVICE], {SERVICE.name: given}):
            pass


async def test_one_that_leaves_answers_what_it_took_and_takes_no_more(free_port: int, database_url: str) -> None:
    shared = settings(free_port, reuse_port=True, database_url=database_url)

    async def long_turn(_: Context) -> None:
        await asyncio.sleep(2 * SLOW_S)

    working = replace(SERVICE, loops=(Loop("long", long_turn, 60),))
    async with running([SERVICE], shared):
        async with running([working], shared):
            await until(free_port, 200)
            taken = [asyncio.create_task(answer(free_port, "/slow")) for _ in range(20)]
            await asyncio.sleep(SLOW_S / 4)
            leaving = asyncio.create_task(_seen_while(free_port, 2 * SLOW_S))
        # What stands in the kernel's queue of one that stops is reset, and answered by another when it comes again.
        assert await leaving <= {200, "refused", "reset"}, "one that stops still took callers"
        assert Counter(await asyncio.gather(*taken)) == {200: 20}
        assert await answers(free_port) == {200: 20}


async def _seen_while(port: int, seconds: float) -> set[int | str]:
    end = asyncio.get_running_loop().time() + seconds
    seen: set[int | str] = set()
    while asyncio.get_running_loop().time() < end:
        seen |= set(await answers(port))
    return seen


def _opened_when(opening: asyncio.Event, open_now: asyncio.Event) -> Service:
    @contextlib.asynccontextmanager
    async def resources(_: Context) -> AsyncIterator[None]:
        opening.set()
        await open_now.wait()
        yield

    return replace(SERVICE, resources=resources)


async def _run(service: Service, given: dict[str, MeshSettings]) -> None:
    async with running([service], given):
        await asyncio.Event().wait()

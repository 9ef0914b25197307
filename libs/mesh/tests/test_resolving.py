"""Names that hang: they take a thread each at most, for a while, and keep no other name waiting."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from koppel_mesh.http.client import NotSent
from koppel_mesh.http.outside_client import OutsideClient, OutsideRules
from koppel_mesh.http.resolving import NotLookedUp, Resolver


class Names:
    """Blocks the thread of whoever asks for a name that begins with ``hangs``, until it is let go."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.let_go = threading.Event()
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()

    def look_up(self, host: str) -> list[str]:
        with self._counting:
            self.asked[host] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if host.startswith("hangs"):
            self.let_go.wait(30)
        with self._counting:
            self.at_once -= 1
        if host.startswith("none"):
            raise OSError("no such name")
        return ["127.0.0.1"]


@pytest.fixture
def names() -> Iterator[Names]:
    made = Names()
    yield made
    made.let_go.set()


async def outcome(resolver: Resolver, host: str) -> type[BaseException] | list[str]:
    try:
        return await resolver(host, 443)
    except OSError as error:
        return type(error)


async def test_names_that_hang_delay_no_other(names: Names) -> None:
    resolver = Resolver(names.look_up)
    hanging = [asyncio.create_task(outcome(resolver, f"hangs{number}.example")) for number in range(40)]
    await asyncio.sleep(0.1)
    began = time.monotonic()
    assert await resolver("good.example", 443) == ["127.0.0.1"]
    assert time.monotonic() - began < 0.5
    for each in hanging:
        each.cancel()


async def test_names_that_hang_take_no_thread_of_names_that_have_answered(names: Names) -> None:
    """Whoever has more names than there are threads, under one zone or many, holds up only what nobody knows yet."""
    resolver = Resolver(names.look_up, patience_s=0.5, threads_max=4)
    assert await resolver("known.example", 443)
    hanging = [asyncio.create_task(outcome(resolver, f"hangs{number}.example")) for number in range(12)]
    await asyncio.sleep(0.1)
    began = time.monotonic()
    assert await resolver("known.example", 443)
    assert time.monotonic() - began < 0.3
    with pytest.raises(NotLookedUp):
        await resolver("new.example", 443)
    assert set(await asyncio.gather(*hanging)) == {OSError, NotLookedUp}
    assert names.most_at_once <= 5
    names.let_go.set()
    await asyncio.sleep(0.1)
    assert await resolver("new.example", 443), "the threads are free again"


async def test_many_new_names_at_once_wait_for_each_other(names: Names) -> None:
    """After a start no name is known, and none of them may be refused for that."""
    resolver = Resolver(names.look_up, threads_max=4)
    found = await asyncio.gather(*(resolver(f"{number}.example", 443) for number in range(100)))
    assert found == [["127.0.0.1"]] * 100 and names.most_at_once <= 4


async def test_who_asks_at_once_shares_one_look_up(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=0.3)
    began = time.monotonic()
    assert await asyncio.gather(*(outcome(resolver, "hangs.example") for _ in range(20))) == [OSError] * 20
    assert names.asked == {"hangs.example": 1} and 0.2 < time.monotonic() - began < 1


async def test_who_leaves_takes_the_answer_from_nobody(names: Names) -> None:
    resolver = Resolver(names.look_up)
    first = asyncio.create_task(resolver("hangs.example", 443))
    second = asyncio.create_task(resolver("hangs.example", 443))
    await asyncio.sleep(0.05)
    first.cancel()
    names.let_go.set()
    assert await second == ["127.0.0.1"]


async def test_a_name_that_has_hung_is_refused_at_once_for_a_while(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=0.2, refused_s=0.4)
    assert await outcome(resolver, "hangs.example") is OSError
    began = time.monotonic()
    assert await outcome(resolver, "HANGS.example") is OSError
    await asyncio.sleep(0.5)
    assert await outcome(resolver, "hangs.example") is OSError, "its thread is still busy"
    assert names.asked["hangs.example"] == 1 and time.monotonic() - began < 0.7
    names.let_go.set()
    await asyncio.sleep(0.1)
    assert await resolver("hangs.example", 443) == ["127.0.0.1"]


async def test_a_name_that_is_not_there_is_asked_for_each_time(names: Names) -> None:
    resolver = Resolver(names.look_up)
    for _ in range(2):
        assert await outcome(resolver, "none.example") is OSError
    assert names.asked["none.example"] == 2


async def test_a_call_to_a_name_that_hangs_was_not_sent(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=0.2)
    async with OutsideClient(OutsideRules(plain_http=True, loopback=True), resolve=resolver) as client:
        for url in ("http://hangs.example/", "http://hangs.example/again"):
            with pytest.raises(NotSent, match=r"hangs\.example is not public or does not resolve"):
                await client.post(url, b"", {}, deadline_s=5)

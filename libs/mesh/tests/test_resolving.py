"""Names that hang: they take a thread each at most, for a while, and keep no other name waiting."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from koppel_mesh.http.client import NotSent
from koppel_mesh.http.outside_client import OutsideClient, OutsideRules
from koppel_mesh.http.resolving import NotLookedUp, Resolver


class Names:
    """Blocks the thread of whoever asks for a silent name, or one that begins with ``hangs``, until it is let go."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.silent: set[str] = set()
        self.let_go = threading.Event()
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()

    def look_up(self, host: str) -> list[str]:
        with self._counting:
            self.asked[host] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        end = time.monotonic() + 30
        while (host in self.silent or host.startswith("hangs")) and time.monotonic() < end:
            if self.let_go.wait(0.01):
                break
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


async def outcome(resolver: Resolver, host: str, verified: bool = True) -> type[BaseException] | list[str]:
    try:
        return await resolver(host, verified)
    except OSError as error:
        return type(error)


def ask(resolver: Resolver, hosts: Iterable[str], verified: bool = True) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(outcome(resolver, host, verified)) for host in hosts]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens beside the test; it says nothing about how soon."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_names_that_hang_delay_no_other(names: Names) -> None:
    resolver = Resolver(names.look_up)
    hanging = ask(resolver, (f"hangs{number}.example" for number in range(40)))
    await until(lambda: names.at_once == 40)
    assert await resolver("good.example", True) == ["127.0.0.1"]
    assert names.at_once == 40, "they hang still"
    for each in hanging:
        each.cancel()


async def test_names_that_hang_take_no_thread_of_names_that_have_answered(names: Names) -> None:
    """Whoever has more names than there are threads, under one zone or many, holds up only what nobody knows yet."""
    resolver = Resolver(names.look_up, patience_s=1.0, threads_max=4)
    assert await resolver("known.example", True)
    hanging = ask(resolver, (f"hangs{number}.example" for number in range(12)))
    await until(lambda: names.at_once == 4)
    assert await resolver("known.example", True)
    assert names.at_once == 4, "they hang still"
    with pytest.raises(NotLookedUp):
        await resolver("new.example", True)
    assert set(await asyncio.gather(*hanging)) == {OSError, NotLookedUp}
    assert names.most_at_once <= 5
    names.let_go.set()
    await until(lambda: names.at_once == 0)
    assert await resolver("new.example", True), "the threads are free again"


async def test_names_that_answered_nobody_verified_take_no_thread_of_those_that_have(names: Names) -> None:
    """Whoever may name hosts has any number of them, which answer once and hang when they are asked for again."""
    resolver = Resolver(names.look_up, patience_s=1.0, threads_max=4)
    assert await resolver("known.example", True)
    strange = [f"{number}.example" for number in range(12)]
    assert await asyncio.gather(*ask(resolver, strange, verified=False)) == [["127.0.0.1"]] * 12
    names.silent.update(strange)
    for verified in (False, True):
        hanging = ask(resolver, strange, verified)
        await until(lambda: names.at_once == 4)
        assert await resolver("known.example", True)
        assert set(await asyncio.gather(*hanging)) == {OSError, NotLookedUp}


async def test_who_is_not_verified_takes_no_thread_of_names_that_have_answered(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=1.0, threads_max=4)
    strange = [f"{number}.example" for number in range(12)]
    assert await asyncio.gather(*ask(resolver, ["known.example", *strange])) == [["127.0.0.1"]] * 13
    names.silent.update(strange)
    hanging = ask(resolver, strange, verified=False)
    await until(lambda: names.at_once == 4)
    beside = ask(resolver, ["known.example"], verified=False)
    await asyncio.sleep(0)
    assert await resolver("known.example", True), "it does not wait with those who are not verified"
    assert set(await asyncio.gather(*hanging, *beside)) == {OSError, NotLookedUp}


@pytest.mark.parametrize("verified", [True, False])
async def test_names_of_one_domain_leave_threads_to_others(names: Names, verified: bool) -> None:
    """Its owner has any number of names, and can have an endpoint verified at each."""
    resolver = Resolver(names.look_up, patience_s=1.0, threads_max=8)
    of_one = [f"{number}.of.one.example." for number in range(12)]
    assert await asyncio.gather(*ask(resolver, ["known.example", *of_one], verified)) == [["127.0.0.1"]] * 13
    names.silent.update(of_one)
    hanging = ask(resolver, of_one, verified)
    await until(lambda: names.at_once == 2)
    assert await resolver("known.example", verified)
    assert set(await asyncio.gather(*hanging)) == {OSError, NotLookedUp}
    assert names.at_once == 2


async def test_a_name_that_has_hung_counts_as_answered_only_when_it_has_answered_again(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=0.5, refused_s=0.0, threads_max=1)
    assert await resolver("known.example", True)
    names.silent.add("known.example")
    assert await outcome(resolver, "known.example") is OSError
    names.silent.clear()
    await until(lambda: names.at_once == 0)
    (hanging,) = ask(resolver, ["hangs.example"])
    await until(lambda: names.at_once == 1)
    assert await outcome(resolver, "known.example") is NotLookedUp, "it waits with the others"
    assert await hanging is OSError
    names.let_go.set()
    await until(lambda: names.at_once == 0)
    assert await resolver("known.example", True)
    names.let_go.clear()
    (hanging,) = ask(resolver, ["hangs.example"])
    await until(lambda: names.at_once == 1)
    assert await resolver("known.example", True), "it has its own threads again"
    hanging.cancel()


async def test_many_new_names_at_once_wait_for_each_other(names: Names) -> None:
    """After a start no name is known, and none of them may be refused for that."""
    resolver = Resolver(names.look_up, threads_max=4)
    found = await asyncio.gather(*(resolver(f"{number}.example", True) for number in range(100)))
    assert found == [["127.0.0.1"]] * 100 and names.most_at_once <= 4


async def test_a_name_that_got_a_thread_late_has_not_hung(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=2.0, threads_max=1)
    names.silent = {"first.example", "second.example"}
    first, second = ask(resolver, ["first.example", "second.example"])
    for host, asked in (("first.example", first), ("second.example", second)):
        await asyncio.sleep(1.3)
        names.silent.discard(host)
        assert await asked == ["127.0.0.1"]


async def test_who_asks_at_once_shares_one_look_up(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=0.3)
    began = time.monotonic()
    assert await asyncio.gather(*(outcome(resolver, "hangs.example") for _ in range(20))) == [OSError] * 20
    assert names.asked == {"hangs.example": 1} and 0.2 < time.monotonic() - began < 4, "not one wait after the other"


async def test_who_leaves_takes_the_answer_from_nobody(names: Names) -> None:
    resolver = Resolver(names.look_up)
    first = asyncio.create_task(resolver("hangs.example", True))
    second = asyncio.create_task(resolver("hangs.example", True))
    await until(lambda: names.at_once == 1)
    first.cancel()
    names.let_go.set()
    assert await second == ["127.0.0.1"]


async def test_a_name_that_has_hung_is_refused_at_once_for_a_while(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=0.2, refused_s=30)
    assert await outcome(resolver, "hangs.example") is OSError
    names.let_go.set()
    await until(lambda: names.at_once == 0)
    for verified in (True, False):
        assert await outcome(resolver, "HANGS.example", verified) is OSError
    assert names.asked == {"hangs.example": 1}


async def test_a_name_whose_thread_is_still_busy_gets_no_other(names: Names) -> None:
    resolver = Resolver(names.look_up, patience_s=0.2, refused_s=0)
    for verified in (True, True, False):
        assert await outcome(resolver, "hangs.example", verified) is OSError
    assert names.asked == {"hangs.example": 1}
    names.let_go.set()
    async with asyncio.timeout(10):
        while await outcome(resolver, "hangs.example") != ["127.0.0.1"]:
            await asyncio.sleep(0.01)
    assert names.asked == {"hangs.example": 2}


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

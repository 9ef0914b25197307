"""Look-ups of names that partners choose: a name that hangs keeps no other waiting.

``getaddrinfo`` blocks a thread for as long as the servers of a name like, and nothing ends it early. The threads that an event
loop has for it are few and serve all that a process connects to (libuv gives two of four to look-ups). So these look-ups have
threads of their own. A name that has hung is refused for a while without being asked for. Names that have answered to calls of
verified receivers have threads apart, which nothing else takes, and no domain takes more than a part of the threads.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from weakref import WeakValueDictionary

RESOLVING_S = 5.0
"""For a name to answer, and before that for a thread to be free: a name that got one late has not hung."""
REFUSED_S = 30.0
"""For how long a name that has hung is not asked for again: half a minute in which it takes no thread."""
THREADS_MAX = 64
"""For names that have answered to calls of verified receivers; as many again for everything else that is asked for."""
PARTS = 4
"""Names that share their last two labels take at most one of so many parts of the threads: their owner has any number of them."""
ANSWERED_MAX = 10_000

_Asked = tuple[str, bool]
"""A name, and whether it has threads of those that have answered."""

LookUp = Callable[[str], list[str]]
"""Returns every address of a host as text; may block. Raises ``OSError`` where it has none, ``UnicodeError`` for no name."""


class NotLookedUp(OSError):
    """Too many names are being looked up: nothing is known of this one."""


def by_system(host: str) -> list[str]:
    """Return every address that the system's resolver knows of a host."""
    return [str(sockaddr[0]) for *_, sockaddr in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class _Threads:
    """How many threads may be busy at a time, in all and for one domain."""

    def __init__(self, at_most: int) -> None:
        self._free = asyncio.Semaphore(at_most)
        self._of_one = max(at_most // PARTS, 1)
        self._of_domain: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def take(self, host: str) -> Callable[[], None]:
        """Wait until a thread may be busy with a name; return what gives it back."""
        domain = ".".join(host.rstrip(".").split(".")[-2:])
        of_domain = self._of_domain.setdefault(domain, asyncio.Semaphore(self._of_one))
        await of_domain.acquire()
        try:
            await self._free.acquire()
        except BaseException:
            of_domain.release()
            raise

        def give_back() -> None:
            self._free.release()
            of_domain.release()

        return give_back


class Resolver:
    """Looks names up for one event loop. Whoever asks for a name while it is being looked up in the same way gets its answer."""

    def __init__(
        self,
        look_up: LookUp = by_system,
        *,
        patience_s: float = RESOLVING_S,
        refused_s: float = REFUSED_S,
        threads_max: int = THREADS_MAX,
    ) -> None:
        self._look_up = look_up
        self._patience_s = patience_s
        self._refused_s = refused_s
        self._of_answered = _Threads(threads_max)
        self._of_others = _Threads(threads_max)
        self._answered: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[_Asked, asyncio.Task[list[str]]] = {}
        self._in_thread: set[_Asked] = set()
        self._refused_until: dict[str, float] = {}

    async def __call__(self, host: str, verified: bool) -> list[str]:
        """Return every address of a host as text.

        Args:
            host: its name, in any case.
            verified: whether a receiver that has shown that it wants to be called is called. Nobody else makes a name one that
                has answered, nor takes the threads of those: any number of names that answer once and then hang are cheap.

        Raises:
            NotLookedUp: there was no thread for it in time.
            OSError: it has none, or did not answer in time, now or a moment ago.
            UnicodeError: it is no name.
        """
        host = host.lower()
        # The two ways are not shared: whoever waits for a thread of the others may wait in vain.
        key = (host, verified and host in self._answered)
        asked = self._under_way.get(key)
        if asked is None:
            if self._hangs(host) or self._refused_until.get(host, 0.0) > asyncio.get_running_loop().time():
                raise OSError(f"{host} did not answer a moment ago")
            asked = self._under_way[key] = asyncio.create_task(self._ask(key))
            asked.add_done_callback(lambda task: self._forget(key, task))
        addresses = await asyncio.shield(asked)
        if verified:
            self._answered[host] = None
            self._answered.move_to_end(host)
            if len(self._answered) > ANSWERED_MAX:
                self._answered.popitem(last=False)
        return addresses

    def _forget(self, key: _Asked, task: asyncio.Task[list[str]]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # whoever asked may have left: then nobody else reads it

    async def _ask(self, key: _Asked) -> list[str]:
        host, answered = key
        threads = self._of_answered if answered else self._of_others
        found: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._patience_s):
                give_back = await threads.take(host)
        except TimeoutError as error:
            raise NotLookedUp(f"{host} was not looked up: too many names are") from error
        self._start(key, give_back, found)
        try:
            async with asyncio.timeout(self._patience_s):
                return await found
        except TimeoutError as error:
            self._answered.pop(host, None)
            self._refuse(host)
            raise OSError(f"{host} does not answer within {self._patience_s:g} s") from error

    def _start(self, key: _Asked, give_back: Callable[[], None], found: asyncio.Future[list[str]]) -> None:
        loop = asyncio.get_running_loop()
        host, _ = key

        def run() -> None:
            answer: list[str] | Exception
            try:
                answer = self._look_up(host)
            except Exception as error:  # whoever asked gets it
                answer = error
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(ended, answer)

        def ended(answer: list[str] | Exception) -> None:
            self._in_thread.discard(key)
            give_back()
            if found.done():
                return
            if isinstance(answer, Exception):
                found.set_exception(answer)
            else:
                found.set_result(answer)

        self._in_thread.add(key)
        try:
            # A pool's threads are waited for when the process ends; these may hang then.
            Thread(target=run, name="resolving", daemon=True).start()
        except RuntimeError as error:  # the system gives no more threads
            self._in_thread.discard(key)
            give_back()
            raise NotLookedUp(f"{host} was not looked up: {error}") from error

    def _hangs(self, host: str) -> bool:
        """Return whether a thread still waits for a name that nobody waits for any more."""
        keys = ((host, answered) for answered in (True, False))
        return any(key in self._in_thread and key not in self._under_way for key in keys)

    def _refuse(self, host: str) -> None:
        now = asyncio.get_running_loop().time()
        self._refused_until = {name: until for name, until in self._refused_until.items() if until > now}
        self._refused_until[host] = now + self._refused_s

"""Look-ups of names that partners choose: a name that hangs keeps no other waiting.

``getaddrinfo`` blocks a thread for as long as the servers of a name like, and nothing ends it early. The threads that an event
loop has for it are few and serve all that a process connects to (libuv gives two of four to look-ups). So these look-ups have
threads of their own, one for each name at a time. A name that has hung is refused for a while without being asked for, and names
that have not answered yet never take the threads of those that have.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

RESOLVING_S = 5.0
"""For one name in all, the wait for a thread included."""
REFUSED_S = 30.0
"""For how long a name that has hung is not asked for again: half a minute in which it takes no thread."""
THREADS_MAX = 64
"""For names that have answered; as many again for those that have not. A partner's endpoints of one firm name at most 40."""
ANSWERED_MAX = 10_000

LookUp = Callable[[str], list[str]]
"""Returns every address of a host as text; may block. Raises ``OSError`` where it has none, ``UnicodeError`` for no name."""


class NotLookedUp(OSError):
    """Too many names are being looked up: nothing is known of this one."""


def by_system(host: str) -> list[str]:
    """Return every address that the system's resolver knows of a host."""
    return [str(sockaddr[0]) for *_, sockaddr in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class Resolver:
    """Looks names up for one event loop. What asks for a name while it is being looked up gets the same answer."""

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
        self._of_answered = asyncio.Semaphore(threads_max)
        self._of_others = asyncio.Semaphore(threads_max)
        self._answered: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[list[str]]] = {}
        self._in_thread: set[str] = set()
        self._refused_until: dict[str, float] = {}

    async def __call__(self, host: str, _port: int) -> list[str]:
        """Return every address of a host as text.

        Raises:
            NotLookedUp: there was no thread for it in time.
            OSError: it has none, or did not answer in time, now or a moment ago.
            UnicodeError: it is no name.
        """
        host = host.lower()
        asked = self._under_way.get(host)
        if asked is None:
            if host in self._in_thread or self._refused_until.get(host, 0.0) > asyncio.get_running_loop().time():
                raise OSError(f"{host} did not answer a moment ago")
            asked = self._under_way[host] = asyncio.create_task(self._ask(host))
            asked.add_done_callback(lambda task: self._forget(host, task))
        return await asyncio.shield(asked)

    def _forget(self, host: str, task: asyncio.Task[list[str]]) -> None:
        del self._under_way[host]
        if not task.cancelled():
            task.exception()  # whoever asked may have left: then nobody else reads it

    async def _ask(self, host: str) -> list[str]:
        threads = self._of_answered if host in self._answered else self._of_others
        found: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._patience_s):
                await threads.acquire()
                self._start(host, threads, found)
                addresses = await found
        except TimeoutError as error:
            if host not in self._in_thread:
                raise NotLookedUp(f"{host} was not looked up: too many names are") from error
            self._answered.pop(host, None)
            self._refuse(host)
            raise OSError(f"{host} does not answer within {self._patience_s:g} s") from error
        self._answered[host] = None
        self._answered.move_to_end(host)
        if len(self._answered) > ANSWERED_MAX:
            self._answered.popitem(last=False)
        return addresses

    def _start(self, host: str, threads: asyncio.Semaphore, found: asyncio.Future[list[str]]) -> None:
        loop = asyncio.get_running_loop()

        def run() -> None:
            answer: list[str] | Exception
            try:
                answer = self._look_up(host)
            except Exception as error:  # whoever asked gets it
                answer = error
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(ended, answer)

        def ended(answer: list[str] | Exception) -> None:
            self._in_thread.discard(host)
            threads.release()
            if found.done():
                return
            if isinstance(answer, Exception):
                found.set_exception(answer)
            else:
                found.set_result(answer)

        self._in_thread.add(host)
        try:
            # A pool's threads are waited for when the process ends; these may hang then.
            Thread(target=run, name="resolving", daemon=True).start()
        except RuntimeError as error:  # the system gives no more threads
            self._in_thread.discard(host)
            threads.release()
            raise NotLookedUp(f"{host} was not looked up: {error}") from error

    def _refuse(self, host: str) -> None:
        now = asyncio.get_running_loop().time()
        self._refused_until = {name: until for name, until in self._refused_until.items() if until > now}
        self._refused_until[host] = now + self._refused_s

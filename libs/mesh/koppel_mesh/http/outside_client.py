"""Calls to addresses that a caller of ours names, such as the endpoint of a partner: never to our own network (SSRF).

A name is resolved once, every address that it has is checked, and the connection goes to an address that was checked: a name
that resolves to something else a moment later has no effect. TLS still names the host. Redirects are not followed, proxies of the
environment are not used, and a body is read up to a limit.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import chain, islice, zip_longest
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import httpcore2
import structlog

from .client import NotSent, Unanswered
from .resolving import NotLookedUp, Resolver

CONNECTIONS_MAX = 100
"""To one address at a time."""
KEPT_S = 2.0
"""Shorter than any server that is known keeps an idle connection: one that it has closed fails like a real loss."""
CLOSED_AT_ONCE = 3
"""Unused pools that one call looks at: more than it may add."""
ANSWER_MAX_BYTES = 2048
CONNECTING_S = 2.5
"""To one of several addresses before the next is tried: the last has what is left of the deadline."""
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_TRANSITION = tuple(IPv6Network(net) for net in ("2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20"))
"""Protocol assignments with Teredo, 6to4, documentation: each leads elsewhere than it says, or nowhere (RFC 6890, RFC 9637)."""

_PROTOCOLS = tuple(IPv4Network(net) for net in ("192.0.0.0/24", "192.88.99.0/24"))
"""Protocol assignments and the relay of 6to4 (RFC 6890, RFC 7526)."""

Resolve = Callable[[str, bool], Awaitable[list[str]]]
"""Returns every address of a host as text; is told whether a verified receiver is called.

Raises ``OSError`` or ``UnicodeError`` where it has none.
"""

log = structlog.get_logger(__name__)


class ForbiddenAddress(NotSent):
    """The address is one that we do not call; nothing was sent. Its text may be shown to whoever named the address."""


class NotLookedUpNow(NotSent):
    """Too many names are being looked up: nothing was sent, and whom it was for has no part in that."""


@dataclass(frozen=True)
class OutsideRules:
    """Which addresses may be called."""

    ports: frozenset[int] = frozenset({443})
    plain_http: bool = False
    loopback: bool = False
    """Whether this machine may be called too, at any port: for a laptop and for tests."""


@dataclass(frozen=True)
class OutsideAnswer:
    """An answer, of whose body only the beginning was read."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


def is_outside(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is a public one of a single machine.

    Private, loopback, link-local (where clouds answer metadata), shared, multicast and reserved ones are not, nor are those that
    carry an IPv4 address inside: IPv4-mapped and -compatible, NAT64, 6to4, Teredo (RFC 6890).
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in net for net in _PROTOCOLS)
    return address in _GLOBAL_UNICAST and address.is_global and not any(address in net for net in _TRANSITION)


def checked_url(url: str, rules: OutsideRules) -> SplitResult:
    """Return the parts of an address that may be called as far as it can be told without resolving its name.

    Raises:
        ForbiddenAddress: another scheme or port, a user name, a fragment, or no URL.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
        url.encode("ascii")
    except ValueError as error:
        raise ForbiddenAddress("this is no URL in ASCII") from error
    if not host or parts.scheme not in ("https", "http") or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise ForbiddenAddress("this is no https URL")
    if parts.scheme == "http" and not rules.plain_http:
        raise ForbiddenAddress("only https is called")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ForbiddenAddress("a URL with a user name, a password or a fragment is not called")
    if _port(parts, port) not in rules.ports and not rules.loopback:
        allowed = ", ".join(str(each) for each in sorted(rules.ports))
        raise ForbiddenAddress(f"port {_port(parts, port)} is not called; these are: {allowed}")
    return parts


def _port(parts: SplitResult, port: int | None) -> int:
    return port if port is not None else 443 if parts.scheme == "https" else 80


def origin_of(url: str) -> str:
    """Return who is called at an address that was checked: its scheme, host and port (RFC 6454 §4)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{_port(parts, parts.port)}"


def _not_public(host: str) -> ForbiddenAddress:
    return ForbiddenAddress(f"{host} is not public or does not resolve")


def _by_turns(addresses: list[str]) -> list[str]:
    """Return each address once, the families by turns; the family of the first begins."""
    first = [each for each in addresses if (":" in each) == (":" in addresses[0])]
    pairs = zip_longest(first, (each for each in addresses if each not in first))
    return list(dict.fromkeys(each for each in chain.from_iterable(pairs) if each is not None))


class _Guard(httpcore2.AsyncNetworkBackend):
    """Connects to hosts by an address that was checked."""

    def __init__(self, rules: OutsideRules, resolve: Resolve, *, verified: bool) -> None:
        self._rules = rules
        self._resolve = resolve
        self._verified = verified
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of ``host`` that takes a connection, after all of them were checked.

        Nothing has been sent before there is one. One family of a host may be dead while the other lives, so their addresses
        are tried by turns (RFC 8305 §4).
        """
        *others, last = _by_turns(await self.checked(host, port))
        for address in others:
            limit_s = CONNECTING_S if timeout is None else min(timeout, CONNECTING_S)
            try:
                return await self._network.connect_tcp(address, port, limit_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                log.info("an address of a host takes no connection; the next is tried", host=host, error=_say(error))
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)

    async def checked(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host.

        Raises:
            ForbiddenAddress: one of them is not outside, or there is none. That others are would make it a matter of luck. Who
                named the host is not told which it is, nor the address: that would map names of our own network.
            NotLookedUpNow: too many names are looked up now.
        """
        try:
            found = await self._resolve(host.strip("[]"), self._verified)
        except NotLookedUp as error:
            log.warning("a name is not looked up now: too many are", host=host)
            raise NotLookedUpNow(f"{host} cannot be looked up right now") from error
        except (OSError, UnicodeError) as error:
            log.info("a name that a partner gave does not resolve", host=host, error=_say(error))
            raise _not_public(host) from error
        if not found:
            raise _not_public(host)
        for text in found:
            address = ip_address(text.partition("%")[0])
            if self._rules.loopback and address.is_loopback:
                continue
            if not is_outside(address):
                log.warning("a name that a partner gave leads inside", host=host, address=str(address))
                raise _not_public(host)
            if port not in self._rules.ports:
                raise ForbiddenAddress(f"port {port} is not called")
        return found

    async def sleep(self, seconds: float) -> None:
        """Wait, between attempts to connect."""
        await asyncio.sleep(seconds)


class OutsideClient:
    """Use as an async context manager.

    Through an egress proxy names are checked as we resolve them, and the proxy connects by what it resolves: it must refuse
    the inside itself.
    """

    def __init__(
        self,
        rules: OutsideRules,
        *,
        tls: ssl.SSLContext | None = None,
        proxy_url: str | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._rules = rules
        resolve = resolve or Resolver()
        self._guards = {verified: _Guard(rules, resolve, verified=verified) for verified in (True, False)}
        self._proxy_url = proxy_url
        self._tls = tls or httpcore2.default_ssl_context()
        self._pools: OrderedDict[tuple[str, str, bool], _Pool] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools.values():
            await pool.connections.aclose()

    async def check(self, url: str) -> None:
        """Resolve an address without calling it.

        Raises:
            ForbiddenAddress: it is one that we do not call, or its name does not resolve.
            NotLookedUpNow: its name cannot be looked up now.
        """
        parts = checked_url(url, self._rules)
        await self._guards[False].checked(str(parts.hostname), _port(parts, parts.port))

    async def post(
        self,
        url: str,
        content: bytes,
        headers: Mapping[str, str],
        *,
        deadline_s: float,
        answer_max_bytes: int = ANSWER_MAX_BYTES,
        verified: bool = False,
    ) -> OutsideAnswer:
        """Send a POST and return its answer, whatever its status.

        Args:
            url: absolute; checked here, so that what was registered once is not believed for ever.
            content: the body.
            headers: without Host and length.
            deadline_s: for everything together, resolving, connecting and reading included.
            answer_max_bytes: how much of the answer's body is read and returned.
            verified: whether the call is for a receiver that has shown that it wants to be called: names of others that hang do
                not keep the names of such waiting.

        Raises:
            ForbiddenAddress: it is one that we do not call, or its name does not resolve; nothing was sent.
            NotLookedUpNow: its name cannot be looked up now.
            NotSent: no connection was made.
            Unanswered: no complete head, or a body that ended before it should.
        """
        parts = checked_url(url, self._rules)
        sent = {"Host": parts.netloc, "Accept-Encoding": "identity", **headers, "Content-Length": str(len(content))}
        try:
            async with asyncio.timeout(deadline_s):
                if self._proxy_url is not None:
                    await self._guards[verified].checked(str(parts.hostname), _port(parts, parts.port))
                async with self._pool(parts, verified) as pool:
                    return await _post(pool, url, content, sent, answer_max_bytes)
        except TimeoutError as error:
            raise Unanswered(f"no complete answer within {deadline_s:.2g} s") from error
        except (
            httpcore2.ConnectError,
            httpcore2.ProxyError,
            httpcore2.UnsupportedProtocol,
            OSError,
            UnicodeError,
        ) as error:
            raise NotSent(_say(error)) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise Unanswered(_say(error)) from error

    @asynccontextmanager
    async def _pool(self, parts: SplitResult, verified: bool) -> AsyncIterator[httpcore2.AsyncConnectionPool]:
        """Give the connections to one address; those of addresses that were not called for a while are closed.

        A pool looks at each of its connections for every request: one for all addresses takes as long as it is large (measured).
        """
        clock = asyncio.get_running_loop().time
        key = (parts.scheme, parts.netloc.lower(), verified)
        pool = self._pools.get(key) or self._pools.setdefault(key, _Pool(self._new_pool(verified)))
        self._pools.move_to_end(key)
        pool.busy += 1
        try:
            await self._close_unused(clock() - KEPT_S)
            yield pool.connections
        finally:
            pool.busy -= 1
            pool.used_at = clock()

    async def _close_unused(self, since: float) -> None:
        for key, pool in list(islice(self._pools.items(), CLOSED_AT_ONCE)):
            # While one was closed, another call may have taken the next, or closed it and made it anew.
            if self._pools.get(key) is pool and not pool.busy and pool.used_at < since:
                del self._pools[key]
                await pool.connections.aclose()

    def _new_pool(self, verified: bool) -> httpcore2.AsyncConnectionPool:
        common: dict[str, Any] = {
            "ssl_context": self._tls,
            "max_connections": CONNECTIONS_MAX,
            "keepalive_expiry": KEPT_S,
        }
        if self._proxy_url is not None:
            return httpcore2.AsyncHTTPProxy(self._proxy_url, **common)
        return httpcore2.AsyncConnectionPool(network_backend=self._guards[verified], **common)


@dataclass
class _Pool:
    """The connections to one address."""

    connections: httpcore2.AsyncConnectionPool
    busy: int = 0
    used_at: float = 0.0


async def _post(
    pool: httpcore2.AsyncConnectionPool, url: str, content: bytes, headers: Mapping[str, str], answer_max_bytes: int
) -> OutsideAnswer:
    body = bytearray()
    async with pool.stream("POST", url, headers=list(headers.items()), content=content) as answer:
        async for part in answer.aiter_stream():
            body += part
            if len(body) >= answer_max_bytes:
                break
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
    return OutsideAnswer(answer.status, named, bytes(body[:answer_max_bytes]))


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

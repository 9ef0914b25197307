"""No way inside: what a caller names is called only where it is outside, whatever its name resolves to and when."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from koppel_mesh.http import outside_client
from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.http.outside_client import ForbiddenAddress, OutsideClient, OutsideRules, checked_url, is_outside

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAPTOP = OutsideRules(plain_http=True, loopback=True)
INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


class Server:
    """Counts connections and answers each request with the same."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer = ANSWER
        self.port = 0
        self.open = self.opened = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open, self.opened = self.open + 1, self.opened + 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head)
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.open -= 1
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as listening:
        made.port = listening.sockets[0].getsockname()[1]
        yield made


async def post(client: OutsideClient, url: str, deadline_s: float = 5) -> int:
    return (await client.post(url, b"x", {}, deadline_s=deadline_s)).status


def resolver(*answers: list[str]):  # type: ignore[no-untyped-def]
    """Answer each question with the next of these; the last answer stays."""
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@contextmanager
def black_hole(address: str, port: int) -> Iterator[None]:
    """Listen where nobody takes connections: once the queue is full, the system leaves whoever comes without an answer."""
    with socket.create_server((address, port), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_not_outside(text: str) -> None:
    assert not is_outside(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "193.190.130.1", "2001:4860:4860::8888", "2a02:2c40::1"])
def test_a_public_address_is(text: str) -> None:
    assert is_outside(ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://user:secret@example.org/",
        "https://example.org:22/",
        "https://example.org:99999/",
        "https://example.org/#x",
        "https://exämple.org/",
        "https://",
        "https://[::1/",
        "//example.org",
        "https://example.org/ x",
        "https://example.org/\r\nHost: x",
        "file:///etc/passwd",
    ],
)
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        checked_url(url, OutsideRules())


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"])
async def test_the_loopback_by_any_name_is_refused(server: Server, host: str) -> None:
    rules = OutsideRules(frozenset({server.port}), plain_http=True)
    async with OutsideClient(rules) as client:
        for ask in (client.check(f"http://{host}:{server.port}/"), post(client, f"http://{host}:{server.port}/")):
            with pytest.raises((ForbiddenAddress, NotSent)):
                await ask
    assert server.requests == []


async def test_a_name_that_resolves_inside_after_it_was_checked_is_not_followed(server: Server) -> None:
    """The name is public when it is registered, and the loopback whenever it is resolved again."""
    rules = OutsideRules(frozenset({server.port}), plain_http=True)
    async with OutsideClient(rules, resolve=resolver(["8.8.8.8"], ["127.0.0.1"])) as client:
        url = f"http://rebinding.example:{server.port}/"
        await client.check(url)
        with pytest.raises(ForbiddenAddress, match="not public"):
            await post(client, url)
    assert server.requests == []


async def test_what_is_connected_to_is_what_was_checked(server: Server) -> None:
    """One question for each connection: between check and connection nothing is resolved again."""
    asked = 0

    async def resolve(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        return ["127.0.0.1"] if asked == 1 else ["10.0.0.1"]

    async with OutsideClient(LAPTOP, resolve=resolve) as client:
        assert await post(client, f"http://partner.example:{server.port}/") == 200
    assert asked == 1
    assert f"Host: partner.example:{server.port}".encode() in server.requests[0]


async def test_one_address_inside_among_public_ones_is_enough_to_refuse(server: Server) -> None:
    rules = OutsideRules(frozenset({server.port}), plain_http=True)
    async with OutsideClient(rules, resolve=resolver(["8.8.8.8", "127.0.0.1"])) as client:
        with pytest.raises(ForbiddenAddress):
            await post(client, f"http://both.example:{server.port}/")


async def test_the_loopback_of_a_laptop_opens_nothing_else(server: Server) -> None:
    for address in ("10.0.0.1", "169.254.169.254"):
        async with OutsideClient(LAPTOP, resolve=resolver([address])) as client:
            with pytest.raises(ForbiddenAddress):
                await post(client, f"http://inside.example:{server.port}/")
    async with OutsideClient(LAPTOP, resolve=resolver(["8.8.8.8"])) as client:
        with pytest.raises(ForbiddenAddress, match="port"):
            await client.check(f"http://outside.example:{server.port}/")


async def test_a_redirect_is_an_answer(server: Server) -> None:
    server.answer = b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    async with OutsideClient(LAPTOP) as client:
        assert await post(client, f"http://127.0.0.1:{server.port}/") == 302
    assert len(server.requests) == 1


async def test_a_proxy_gets_no_name_that_resolves_inside(server: Server) -> None:
    rules = OutsideRules(frozenset({443, 80}), plain_http=True)
    proxy = f"http://127.0.0.1:{server.port}"
    async with OutsideClient(rules, proxy_url=proxy, resolve=resolver(["10.0.0.1"])) as client:
        with pytest.raises(ForbiddenAddress):
            await post(client, "http://inside.example/")
    assert server.requests == []
    async with OutsideClient(rules, proxy_url=proxy, resolve=resolver(["8.8.8.8"])) as client:
        assert await post(client, "http://outside.example/hooks") == 200
    assert server.requests[0].startswith(b"POST http://outside.example/hooks")


async def test_a_connection_is_used_again_and_closed_when_it_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_client, "KEPT_S", 1.0)
    async with OutsideClient(LAPTOP) as client:
        for _ in range(3):
            assert await post(client, f"http://127.0.0.1:{server.port}/") == 200
        assert (server.open, server.opened) == (1, 1)
        await asyncio.sleep(1.1)
        with pytest.raises(NotSent):
            await post(client, "http://127.0.0.1:9/")
        async with asyncio.timeout(5):
            while server.open:
                await asyncio.sleep(0.01)


async def test_calls_at_once_close_what_is_unused_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_client, "KEPT_S", 0.05)
    async with OutsideClient(LAPTOP) as client:

        async def call(port: int) -> None:
            with pytest.raises(NotSent):
                await post(client, f"http://127.0.0.1:{port}/")

        for host in ("127.0.0.1", "localhost"):
            assert await post(client, f"http://{host}:{server.port}/") == 200
        await asyncio.sleep(0.1)
        await asyncio.gather(*(call(port) for port in range(1, 6)))


async def test_the_deadline_is_for_all_of_it(server: Server) -> None:
    async def slow(host: str, port: int) -> list[str]:
        await asyncio.sleep(30)
        return ["127.0.0.1"]

    async with OutsideClient(LAPTOP, resolve=slow) as client:
        with pytest.raises(Unanswered, match=r"within 0\.1 s"):
            await post(client, f"http://127.0.0.1:{server.port}/", deadline_s=0.1)


async def test_a_name_that_does_not_resolve_was_not_called() -> None:
    async with OutsideClient(LAPTOP) as client:
        with pytest.raises(ForbiddenAddress, match="does not resolve"):
            await client.check("http://no-such-name.invalid/")
        with pytest.raises(NotSent):
            await post(client, "http://no-such-name.invalid/")


async def test_a_refusal_does_not_say_what_a_name_leads_to(server: Server) -> None:
    """A partner could map the names of our own network by it (CWE-209): what is inside and what is not there sound the same."""

    async def nothing(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    told = set()
    for resolve in (resolver(["10.1.2.3"]), resolver(["fd00::7"]), resolver([]), nothing):
        async with OutsideClient(LAPTOP, resolve=resolve) as client:
            url = f"http://db.internal.example:{server.port}/"
            for ask in (client.check(url), post(client, url)):
                with pytest.raises(ForbiddenAddress) as refused:
                    await ask
                told.add(str(refused.value))
    assert told == {"db.internal.example is not public or does not resolve"}


@pytest.mark.parametrize("dead", ["127.0.0.2", "::1"], ids=["same family", "the other family"])
async def test_the_next_address_is_tried_where_one_takes_no_connection(server: Server, dead: str) -> None:
    async with OutsideClient(LAPTOP, resolve=resolver([dead, "127.0.0.1"])) as client:
        assert await post(client, f"http://partner.example:{server.port}/") == 200
    assert len(server.requests) == 1


async def test_an_address_that_says_nothing_leaves_time_for_the_next(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_client, "CONNECTING_S", 0.2)
    with black_hole("127.0.0.2", server.port):
        async with OutsideClient(LAPTOP, resolve=resolver(["127.0.0.2", "127.0.0.1"])) as client:
            assert await post(client, f"http://partner.example:{server.port}/") == 200
        async with OutsideClient(LAPTOP, resolve=resolver(["127.0.0.2"])) as client:
            with pytest.raises(Unanswered, match=r"within 0\.5 s"):
                await post(client, f"http://partner.example:{server.port}/", deadline_s=0.5)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 on its loopback")
async def test_the_families_of_a_host_are_tried_by_turns(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A family may be dead as a whole, so the second address is of the other (RFC 8305 §4)."""
    monkeypatch.setattr(outside_client, "CONNECTING_S", 1.5)
    dead = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
    with ExitStack() as holes:
        for address in dead:
            holes.enter_context(black_hole(address, server.port))
        async with (
            await asyncio.start_server(server.serve, "::1", server.port),
            OutsideClient(LAPTOP, resolve=resolver([*dead, "::1"])) as client,
        ):
            assert await post(client, f"http://partner.example:{server.port}/", deadline_s=2.9) == 200


async def test_tls_names_the_host_and_not_the_address(make_certificate: Callable[[str], Path]) -> None:
    """The certificate must be the name's that was asked for, although the connection goes to an address."""
    ours, of_another = make_certificate("partner.example"), make_certificate("another.example")
    trusting = ssl.create_default_context()
    for file in (ours, of_another):
        trusting.load_verify_locations(file)
    showing = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    showing.load_cert_chain(ours)
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=showing) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with OutsideClient(LAPTOP, tls=trusting, resolve=resolver(["127.0.0.1"])) as client:
            assert await post(client, f"https://partner.example:{port}/") == 200
            with pytest.raises(NotSent, match=r"[Hh]ostname"):
                await post(client, f"https://another.example:{port}/")
        async with OutsideClient(LAPTOP, resolve=resolver(["127.0.0.1"])) as client:
            with pytest.raises(NotSent, match="certificate"):
                await post(client, f"https://partner.example:{port}/")
    assert len(server.requests) == 1

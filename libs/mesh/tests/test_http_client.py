"""What a call that failed is worth knowing: provably not sent, or perhaps acted upon. On real sockets, one fault each."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from koppel_mesh.http import client as client_module
from koppel_mesh.http.client import HttpClient, NotSent, Unanswered

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def server(behave: Behaviour) -> AsyncIterator[str]:
    """Serve every connection with ``behave``; yield the address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        listening.close()


async def read_request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))


def reset(writer: asyncio.StreamWriter) -> None:
    """Let the close that follows send RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def reset_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    reset(writer)


async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


def answering(*parts: bytes, pause_s: float = 0.0) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


DRIP = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 200, pause_s=0.02)
AMBIGUOUS = {
    "reset on accept": (reset_at_once, None),
    "reset after the full request": (reset_after_request, None),
    "closed before the status line": (answering(), None),
    "half a status line": (answering(b"HTTP/1.1 20"), None),
    "not HTTP at all": (answering(b"220 mail.example ESMTP\r\n"), None),
    "body cut short": (answering(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"), 201),
    "chunks cut short": (answering(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), 201),
    "no answer": (say_nothing, None),
    "a dripping answer": (DRIP, 200),
}


@pytest.mark.parametrize("fault", AMBIGUOUS)
async def test_a_loss_after_connecting_may_have_been_acted_upon(fault: str) -> None:
    behave, status = AMBIGUOUS[fault]
    async with server(behave) as url, HttpClient() as http:
        with pytest.raises(Unanswered) as caught:
            await http.request("POST", url, deadline_s=0.5, fresh_connection=True, json={"a": 1})
    assert caught.value.status == status
    assert caught.value.reason


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://no-such-name.invalid/", "http://[", "ftp://x/", "x"]
)
async def test_what_never_left_is_not_sent(url: str, free_port: int) -> None:
    async with HttpClient() as http:
        with pytest.raises(NotSent):
            await http.request("POST", url.format(port=free_port), deadline_s=5, json={})


async def test_no_connection_within_the_deadline_is_not_sent() -> None:
    with socket.socket() as deaf:  # a full backlog: the kernel drops every further SYN
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        async with HttpClient() as http:
            with pytest.raises(NotSent):
                await http.request("POST", f"http://127.0.0.1:{address[1]}/", deadline_s=0.3)
        for filler in fillers:
            filler.close()


async def test_a_full_pool_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CONNECTIONS_MAX", 1)
    async with server(say_nothing) as url, HttpClient() as http:
        first = asyncio.create_task(http.request("POST", url, deadline_s=2, fresh_connection=True))
        await asyncio.sleep(0.1)
        with pytest.raises(NotSent):
            await http.request("POST", url, deadline_s=0.2, fresh_connection=True)
        with pytest.raises(Unanswered):
            await first


@pytest.mark.parametrize("fresh_connection", [True, False])
async def test_what_is_raised_before_the_first_byte_keeps_the_request_here(fresh_connection: bool) -> None:
    received: list[bytes] = []
    closed = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        closed.set()

    def refuse() -> None:
        raise LookupError

    async with server(listen) as url, HttpClient() as http:
        with pytest.raises(LookupError):
            await http.request(
                "POST", url, deadline_s=30, fresh_connection=fresh_connection, before_bytes=refuse, json={"a": 1}
            )
        await asyncio.wait_for(closed.wait(), 30)
    assert received == [b""], "the connection was made, and nothing left"


async def test_one_deadline_covers_an_answer_that_drips() -> None:
    async with server(DRIP) as url, HttpClient() as http:
        started = time.monotonic()
        with pytest.raises(Unanswered):
            await http.request("GET", url, deadline_s=0.3)
        assert time.monotonic() - started < 3  # the whole answer takes four


async def test_a_peer_that_does_not_read_is_unanswered() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a writer's transport can read too; its type does not say so
        await asyncio.sleep(1)

    async with server(deaf) as url, HttpClient() as http:
        with pytest.raises(Unanswered):
            await http.request("POST", url, deadline_s=0.5, content=b"x" * 20_000_000)


async def test_what_acts_never_takes_a_kept_connection() -> None:
    connections = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)  # a second request on this connection is read, and lost
        reset(writer)

    async with server(once) as url, HttpClient() as http:
        assert (await http.request("GET", url, deadline_s=2)).text == "ok"
        with pytest.raises(Unanswered):
            await http.request("GET", url, deadline_s=2)
        for _ in range(3):
            assert (await http.request("POST", url, deadline_s=2, fresh_connection=True)).status == 200
        assert connections == 4


async def test_redirects_are_answers_and_nothing_is_tried_twice() -> None:
    seen = 0

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        await answering(b"HTTP/1.1 307 Elsewhere\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")(reader, writer)

    async with server(redirect) as url, HttpClient() as http:
        assert (await http.request("POST", url, deadline_s=2)).status == 307
    assert seen == 1


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "BODY_MAX_BYTES", 1000)
    big = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
    async with server(big) as url, HttpClient() as http:
        with pytest.raises(Unanswered) as caught:
            await http.request("GET", url, deadline_s=2)
    assert caught.value.status == 200


async def test_the_environments_proxy_is_not_ours(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port}")
    async with server(answering(OK)) as url, HttpClient() as http:
        assert (await http.request("GET", url, deadline_s=2)).status == 200


async def test_a_cancelled_call_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CONNECTIONS_MAX", 1)
    async with server(say_nothing) as silent, server(answering(OK)) as good, HttpClient() as http:
        for _ in range(5):
            call = asyncio.create_task(http.request("GET", silent, deadline_s=5))
            await asyncio.sleep(0.02)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        assert (await http.request("GET", good, deadline_s=2)).status == 200

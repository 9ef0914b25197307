"""Messages as no client library would send them: the list of their properties is any bytes."""

import asyncio
import random
import struct
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import pamqp.frame
from pamqp import commands
from pamqp.header import ProtocolHeader

_ROUTING_KEY = "document.ready.v1"


async def publish_raw(url: str, exchange: str, routing_key: bytes, properties: bytes, body: bytes) -> None:
    """Publish one message whose properties (flags and list) are these bytes, and wait until it is queued.

    Raises:
        ConnectionError: the broker refused it and hung up.
    """
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(ProtocolHeader().marshal())
        await _frame(reader)
        login = f"\0{parts.username}\0{parts.password}"
        writer.write(pamqp.frame.marshal(commands.Connection.StartOk({}, "PLAIN", login, "en_US"), 0))
        await _frame(reader)
        writer.write(pamqp.frame.marshal(commands.Connection.TuneOk(10, 131_072, 0), 0))
        writer.write(pamqp.frame.marshal(commands.Connection.Open(unquote(parts.path[1:])), 0))
        await _frame(reader)
        for method in (commands.Channel.Open(), commands.Confirm.Select()):
            writer.write(pamqp.frame.marshal(method, 1))
            await _frame(reader)
        publish = struct.pack(">HHH", 60, 40, 0) + short(exchange.encode()) + short(routing_key) + b"\0"
        _write(writer, 1, publish)
        _write(writer, 2, struct.pack(">HHQ", 60, 0, len(body)) + properties)
        for start in range(0, len(body), 100_000):
            _write(writer, 3, body[start : start + 100_000])
        answer = await _frame(reader)
        if struct.unpack(">HH", answer[:4]) != (60, 80):
            raise ConnectionError(f"not confirmed: {answer!r}")
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the broker hung up") from error
    finally:
        writer.close()


def short(value: bytes) -> bytes:
    """Return a short string."""
    return bytes([len(value)]) + value


def strange_properties(chance: random.Random, keys: Sequence[bytes] = (_ROUTING_KEY.encode(),)) -> bytes:
    """Return a well-formed list of properties whose contents are anything; ``CC`` names one of ``keys``.

    ``user_id`` and ``expiration`` are left out: the broker checks them and refuses the message itself.
    """
    flags, parts = 0, []
    for bit, kind in (
        (15, "s"),
        (14, "s"),
        (13, "t"),
        (12, "o"),
        (11, "o"),
        (10, "s"),
        (9, "s"),
        (7, "s"),
        (6, "8"),
        (5, "s"),
    ):
        if chance.random() < 0.5:
            flags |= 1 << bit
            parts.append(_property(chance, kind, keys))
    if chance.random() < 0.5:
        flags |= 1 << 3
        parts.append(short(_bytes(chance)))
    return struct.pack(">H", flags) + b"".join(parts)


def _property(chance: random.Random, kind: str, keys: Sequence[bytes]) -> bytes:
    if kind == "s":
        return short(_bytes(chance))
    if kind == "t":
        copies = (
            _long(short(b"CC") + b"A" + _long(b"S" + _long(chance.choice(keys)))) if chance.random() < 0.5 else None
        )
        return copies or _table(chance, depth=chance.choice((1, 3, 400)))
    return bytes([chance.choice((1, 2))]) if kind == "o" else chance.randbytes(8)


def _table(chance: random.Random, depth: int) -> bytes:
    entries = [short(_bytes(chance)[:100]) + _value(chance) for _ in range(chance.randrange(3))]
    if depth > 0:
        entries.append(short(b"in") + b"F" + _table(random.Random(depth), depth - 1))
    return _long(b"".join(entries))


def _value(chance: random.Random) -> bytes:
    return chance.choice(
        (
            b"S" + _long(_bytes(chance)),
            b"x" + _long(_bytes(chance)),
            b"T" + chance.randbytes(8),
            b"d" + chance.randbytes(8),
            b"I" + chance.randbytes(4),
            b"t\1",
            b"V",
        )
    )


def _bytes(chance: random.Random) -> bytes:
    return chance.choice((b"", b"\0", b"a\0b", b"\xff\xfe", "é".encode(), b"\xed\xa0\x80", chance.randbytes(20)))


def _long(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _write(writer: asyncio.StreamWriter, kind: int, payload: bytes) -> None:
    writer.write(struct.pack(">BHI", kind, 0 if kind == 0 else 1, len(payload)) + payload + b"\xce")


async def _frame(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(7)
    return (await reader.readexactly(struct.unpack(">BHI", head)[2] + 1))[:-1]

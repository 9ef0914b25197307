"""Properties of AMQP messages as the bytes they arrive in.

The client library decodes the properties of every message as UTF-8 and as AMQP tables before anybody sees the message. What
it cannot decode ends the connection: the broker takes back everything prefetched, delivers the same message first again, and
counts each round against the delivery limit of its neighbours (measured: 52 s without any message). RabbitMQ itself takes
properties as bytes and checks none of this, so a consumer's transport hands them on undecoded.
"""

import asyncio
import struct
from collections.abc import Mapping
from typing import Any, cast

import aio_pika
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from yarl import URL

PROPERTIES = "properties"
"""The one header of a message taken by ``ConsumerConnection``: the list of its properties, flags included, as bytes."""

_METHOD, _HEADER, _END = 1, 2, b"\xce"
_DELIVER = struct.pack(">HH", 60, 60)
_HEADERS_ONLY = struct.pack(">H", 1 << 13)
_KINDS = {
    "content_type": "string",
    "content_encoding": "string",
    "headers": "table",
    "delivery_mode": "octet",
    "priority": "octet",
    "correlation_id": "string",
    "reply_to": "string",
    "expiration": "string",
    "message_id": "string",
    "timestamp": "time",
    "type": "string",
    "user_id": "string",
    "app_id": "string",
    "cluster_id": "string",
}
"""Properties in the order of their flags, the first at bit 15 (AMQP 0-9-1, "content header")."""


class ConsumerConnection(aio_pika.Connection):
    """A connection whose incoming messages carry nothing but a body and ``PROPERTIES``."""

    def __init__(self, url: URL, *args: Any, **kwargs: Any) -> None:
        super().__init__(url, *args, **kwargs)
        plain = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        self.kwargs["transport_factory"] = _UndecodedProperties(plain)


class _UndecodedProperties(TransportFactory):
    def __init__(self, plain: TransportFactory) -> None:
        self._plain = plain

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self._plain.create(url, **kwargs)
        return cast("asyncio.StreamReader", _FrameReader(reader)), writer


class _FrameReader:
    """The part of a ``StreamReader`` that aiormq uses; it reads whole frames, and replaces what may not be decodable."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._frame = b""

    def at_eof(self) -> bool:
        return not self._frame and self._reader.at_eof()

    async def readexactly(self, size: int) -> bytes:
        if not self._frame:
            self._frame = await self._next_frame()
        part, self._frame = self._frame[:size], self._frame[size:]
        return part

    async def _next_frame(self) -> bytes:
        head = await self._reader.readexactly(7)
        if head.startswith(b"AMQP"):  # the server speaks another version; aiormq says so
            return head
        kind, channel, size = struct.unpack(">BHI", head)
        payload = (await self._reader.readexactly(size + 1))[:-1]
        if kind == _HEADER:
            payload = _undecoded(payload)
        elif kind == _METHOD and payload.startswith(_DELIVER):
            payload = _with_readable_names(payload)
        return struct.pack(">BHI", kind, channel, len(payload)) + payload + _END


def _undecoded(header: bytes) -> bytes:
    """Return a content header of the same class and body size whose one property is a table with the list as bytes."""
    given = header[12:]
    entry = bytes([len(PROPERTIES)]) + PROPERTIES.encode() + b"x" + struct.pack(">I", len(given)) + given
    return header[:12] + _HEADERS_ONLY + struct.pack(">I", len(entry)) + entry


def _with_readable_names(deliver: bytes) -> bytes:
    """Return a ``basic.deliver`` whose exchange and routing key are UTF-8: a publisher's ``CC`` header allows any key."""
    names_at = 5 + deliver[4] + 9  # class, method, consumer tag; delivery tag, redelivered
    exchange, key_at = _string(deliver, names_at)
    key, _ = _string(deliver, key_at)
    names = b"".join(bytes([len(name)]) + name for name in (readable(exchange, 255), readable(key, 255)))
    return deliver[:names_at] + names


def readable(value: bytes, size_max: int) -> bytes:
    r"""Return ``value`` as UTF-8 without NUL, with what is neither written as ``\xNN``, cut to ``size_max`` bytes."""
    text = value.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    return text.encode()[:size_max].decode("utf-8", "ignore").encode()


def readable_properties(properties: bytes) -> Mapping[str, str]:
    """Return the properties that are strings, as far as the list can be read; for people, who then ask who sent it."""
    found: dict[str, str] = {}
    try:
        (flags,) = struct.unpack_from(">H", properties)
        at = 2
        for place, (name, kind) in enumerate(_KINDS.items()):
            if not flags & 1 << 15 - place:
                continue
            if kind == "string":
                value, at = _string(properties, at)
                found[name] = readable(value, 1024).decode()
            elif kind == "table":
                at += 4 + struct.unpack_from(">I", properties, at)[0]
            else:
                at += 1 if kind == "octet" else 8
    except (struct.error, IndexError):
        return found
    return found


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the short string at that offset, and the offset behind it."""
    end = at + 1 + data[at]
    return data[at + 1 : end], end

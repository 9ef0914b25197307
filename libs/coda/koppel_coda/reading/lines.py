"""From a stream of bytes to the lines of one statement after the other, in bounded memory."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol

from koppel_coda.errors import ReadError

from . import encodings

BLOCK = 1 << 20
LINE_MAX = 1 << 16
STATEMENT_LINES_MAX = 1_000_000
"""The trailer counts in six digits; a statement longer than that is none."""
_CONTROLS = bytes(one for one in range(0x20) if one != 0x0A) + b"\x7f"
_END_OF_FILE = b"\x1a"


class Lines(NamedTuple):
    """The lines of one statement, blank ones included; ``first`` is the number of the first of them."""

    first: int
    texts: list[str]
    encoding: str


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def statements(stream: BinaryIO) -> Iterator[Lines]:
    """Yield the lines of each statement; a record 0 begins the next.

    Raises:
        ReadError: a line is far too long, holds control characters, or cannot be decoded.
    """
    start = stream.read(BLOCK)
    encoding, mark = encodings.declared(start[:4])
    source: _Readable = _Prefixed(start[mark:], stream)
    if encoding and encoding != "utf-8":
        source = encodings.Recoded(start[mark:], stream, encoding)
    declared = "utf-8" if encoding else None
    waiting: list[bytes] = []
    first = 1
    for lines in _byte_lines(source):
        begin = 0
        for index, line in enumerate(lines):
            if line[:1] == b"0" and (waiting or index > begin):
                waiting += lines[begin:index]
                if any(map(bytes.strip, waiting)):
                    yield _decoded(first, waiting, declared)
                    first += len(waiting)
                    waiting = []
                begin = index
        waiting += lines[begin:]
        if len(waiting) > STATEMENT_LINES_MAX:
            raise ReadError("statement_too_long", f"a statement has more than {STATEMENT_LINES_MAX:,} lines", first)
    _drop_end_of_file(waiting)
    if waiting:
        yield _decoded(first, waiting, declared)


class _Prefixed:
    """A stream, with the bytes that were already read from it in front."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start, self._stream = start, stream

    def read(self, size: int) -> bytes:
        start, self._start = self._start, b""
        return start or self._stream.read(size)


def _byte_lines(stream: _Readable) -> Iterator[list[bytes]]:
    """Yield lists of whole lines; LF, CRLF and CR end a line, mixed as they come."""
    rest, seen = b"", 0
    while block := stream.read(BLOCK):
        block = rest + block
        # A CR at the very end may be the first half of a CRLF.
        cut = max(block.rfind(b"\n"), block.rfind(b"\r", 0, len(block) - 1)) + 1
        rest = block[cut:]
        if cut:
            lines = block[:cut].splitlines()
            seen += len(lines)
            yield lines
        if len(rest) > LINE_MAX:
            raise ReadError(
                "line_too_long", f"a line of more than {LINE_MAX:,} bytes; a CODA line has 128", seen + 1, 129
            )
    if rest:
        yield rest.splitlines()


def _drop_end_of_file(lines: list[bytes]) -> None:
    while lines and not lines[-1].strip(_END_OF_FILE + b" "):
        lines.pop()
    if lines:
        lines[-1] = lines[-1].rstrip(_END_OF_FILE)


def _decoded(first: int, lines: list[bytes], declared: str | None) -> Lines:
    data = b"\n".join(lines)
    controls = len(data.translate(None, _CONTROLS)) != len(data)
    if data.isascii():
        encoding, text = "ascii", data.decode("ascii")
    else:
        encoding = declared or encodings.guess(data, lines)
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            before = data[: error.start]
            place = first + before.count(b"\n"), error.start - before.rfind(b"\n")
            raise ReadError(
                "encoding", f"unreadable character; the file is not {encoding} throughout", *place
            ) from None
        controls = controls or encodings.UNREADABLE.search(text) is not None
    if controls and (found := encodings.UNREADABLE.search(text)):
        place = first + text.count("\n", 0, found.start()), found.start() - text.rfind("\n", 0, found.start())
        raise ReadError("control_character", f"the character {ord(found.group()):#04x} is not text", *place)
    return Lines(first, text.split("\n"), encoding)

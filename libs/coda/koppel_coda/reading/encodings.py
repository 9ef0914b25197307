"""Finds the code page of the bytes: mostly ASCII, or what banks and editors make of it.

Each statement is decided on its own, so that a large file gives the same result when read piece by piece.
"""

import codecs
import re
from typing import BinaryIO

from koppel_coda.errors import ReadError
from koppel_coda.layout import LINE_LENGTH

from .code_pages import code_page

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FIRST_ZERO = (
    (b"0\0\0\0", "utf-32-le"),
    (b"\0\0\x000", "utf-32-be"),
    (b"0\0", "utf-16-le"),
    (b"\x000", "utf-16-be"),
    (b"\xf0", "cp1140"),
)
"""How the zero that begins every file looks in the encodings that are not a superset of ASCII."""
UNREADABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
"""Characters that are no text; a line feed is not among them, it ends a line."""


def declared(start: bytes) -> tuple[str | None, int]:
    """Return the encoding the first bytes announce, None for a superset of ASCII, and how many bytes are no text."""
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name, len(mark)
    for zero, name in _FIRST_ZERO:
        if start.startswith(zero):
            return name, 0
    return None, 0


class Recoded:
    """A stream of bytes in another encoding, read as UTF-8."""

    def __init__(self, start: bytes, stream: BinaryIO, encoding: str) -> None:
        self._start = start
        self._stream = stream
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._read = ""
        self._lines = 0

    def read(self, size: int) -> bytes:
        """Return about ``size`` bytes of UTF-8; none at the end."""
        while True:
            block = self._start or self._stream.read(size)
            self._start = b""
            try:
                text = self._decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise self._unreadable(error) from None
            self._lines += self._read.count("\n")
            self._read = text
            if text or not block:
                return text.replace("\x85", "\n").encode("utf-8", "surrogatepass")

    def _unreadable(self, error: UnicodeDecodeError) -> ReadError:
        before = self._read + error.object[: error.start].decode(self._encoding, "replace")
        line, column = self._lines + before.count("\n") + 1, len(before) - before.rfind("\n")
        return ReadError("encoding", f"the file is not {self._encoding} throughout: {error.reason}", line, column)


def guess(data: bytes, lines: list[bytes]) -> str:
    """Return the code page of a statement that is not plain ASCII; ``lines`` are those of ``data``."""
    if _is_utf8(lines):
        return "utf-8"
    found = code_page(data)
    try:
        data.decode(found)
    except UnicodeDecodeError:
        return "iso8859-1"
    return found


def _is_utf8(lines: list[bytes]) -> bool:
    for line in lines:
        if line.isascii():
            continue
        try:
            length = len(line.decode("utf-8").rstrip())
        except UnicodeDecodeError:
            return False
        if length > LINE_LENGTH or (len(line) == LINE_LENGTH and length < LINE_LENGTH and not line.endswith(b"  ")):
            return False
    return True

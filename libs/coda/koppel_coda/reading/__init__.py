"""From bytes to statements: lines and code pages first, then records, then values."""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from koppel_coda.errors import ReadError
from koppel_coda.model import Statement

from .lines import statements
from .statement import Reader


def iter_statements(stream: BinaryIO) -> Iterator[Statement]:
    """Yield one statement after the other of a binary stream; memory holds one at a time.

    Raises:
        ReadError: the bytes are not CODA, or cannot be read where guessing is not allowed.
    """
    found = False
    for lines in statements(stream):
        found = True
        yield Reader(lines).read()
    if not found:
        raise ReadError("not_coda", "the file is empty")


def read(data: bytes) -> list[Statement]:
    """Return the statements of a file.

    Raises:
        ReadError: the bytes are not CODA, or cannot be read where guessing is not allowed.
    """
    return list(iter_statements(BytesIO(data)))

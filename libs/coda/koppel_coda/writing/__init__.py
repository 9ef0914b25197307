"""From statements to bytes: strict files of version 2, or a clear refusal."""

from collections.abc import Iterable

from koppel_coda.errors import WriteError
from koppel_coda.model import Statement
from koppel_coda.reading import encodings

from .statement import lines_of

LINE_END = "\r\n"


def write(statements: Iterable[Statement], *, encoding: str = "cp1252") -> bytes:
    """Return the file of these statements; ``read`` returns equal statements.

    Everything that follows from the rest is worked out: sequence and detail numbers, next and link codes, record count and
    totals. ``encoding`` is ``ascii``, ``cp1252`` or ``utf-8``.

    Raises:
        WriteError: there is nothing to write, or a statement has something that CODA cannot hold.
    """
    given = list(statements)
    if not given:
        raise WriteError("empty", "there is no statement to write")
    return b"".join(
        _encoded(lines_of(one, f"statement {number}", last=number == len(given)), f"statement {number}", encoding)
        for number, one in enumerate(given, 1)
    )


def _encoded(lines: list[str], where: str, encoding: str) -> bytes:
    encoded = []
    for line in lines:
        try:
            encoded.append(line.encode(encoding))
        except UnicodeEncodeError as error:
            raise WriteError(
                "characters", f"{error.object[error.start]!r} does not exist in {encoding}", where
            ) from None
    data = b"\n".join(encoded)
    if not data.isascii() and (guessed := encodings.guess(data, encoded)) != encoding:
        raise WriteError("characters", f"readers would take these characters for {guessed}; use ASCII", where)
    return b"".join(line + LINE_END.encode() for line in encoded)

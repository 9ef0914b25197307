"""A JSON array read piece by piece: however large the array, only some of its elements are in memory.

The elements are read by the standard library, one at a time, and not by a streaming parser: decision 17 says why.
"""

import codecs
import json
from collections.abc import Iterator
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from fastapi import Request

from koppel_mesh import exact_json
from koppel_mesh.http.problems import HttpProblem

BODY_MAX = 10_000_000
MEMORY_MAX = 256 * 1024
"""Of a body; the rest of it waits in a file."""
READ_SIZE = 64 * 1024
_WHITE = " \t\r\n"


def _fraction(written: str) -> Decimal:
    # One number that is too long spoils its ticket, not the others of the call: where a number is wanted, this is none.
    try:
        return exact_json.fraction(written)
    except ValueError:
        return _NO_NUMBER


def _integer(written: str) -> int | Decimal:
    try:
        return exact_json.integer(written)
    except ValueError:
        return _NO_NUMBER


_NO_NUMBER: Final = Decimal("NaN")
_DECODER: Final = json.JSONDecoder(parse_float=_fraction, parse_int=_integer, parse_constant=exact_json.no_constant)


async def receive(request: Request) -> IO[bytes]:
    """Return the body of a request as a file; it is closed by whoever asked.

    It is read to its end before anything is done with it, so that a slow caller holds no transaction open.

    Raises:
        HttpProblem: 413 over ``BODY_MAX`` bytes.
    """
    spooled: IO[bytes] = SpooledTemporaryFile(max_size=MEMORY_MAX)  # noqa: SIM115 # closed by the caller
    taken = 0
    async for part in request.stream():
        taken += len(part)
        if taken <= BODY_MAX:  # what comes above is read and thrown away, so that the caller sees the answer
            spooled.write(part)
    if taken > BODY_MAX:
        spooled.close()
        raise HttpProblem(413, "body_too_large", f"A body may have {BODY_MAX} bytes.")
    spooled.seek(0)
    return spooled


def elements(body: IO[bytes], at_once: int) -> Iterator[list[Any]]:
    """Give the elements of the array in ``body``, ``at_once`` at a time; a number is a ``Decimal`` or an ``int``.

    One that is too long is a ``Decimal`` that is none (``NaN``).

    Raises:
        HttpProblem: 422 where it is not JSON, or no array.
    """
    body.seek(0)
    found: list[Any] = []
    try:
        for element in _elements(_Text(body)):
            found.append(element)
            if len(found) >= at_once:
                yield found
                found = []
    except (ValueError, RecursionError) as error:
        raise HttpProblem(422, "malformed_json", "The body is not JSON.") from error
    if found:
        yield found


class _Text:
    """What was read of the body and not used yet."""

    def __init__(self, body: IO[bytes]) -> None:
        self._body = body
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.is_whole = False

    def read_more(self) -> None:
        """Read as much again as there is, so that a large element is begun anew only a few times."""
        part = self._body.read(max(READ_SIZE, len(self.text)))
        self.is_whole = not part
        self.text += self._decoder.decode(part, final=self.is_whole)

    def next_character(self) -> str:
        """Return the next character that is no white space, without using it; empty at the end."""
        while not (stripped := self.text.lstrip(_WHITE)) and not self.is_whole:
            self.read_more()
        self.text = stripped
        return stripped[:1]


def _elements(rest: _Text) -> Iterator[Any]:
    if rest.next_character() != "[":
        raise HttpProblem(422, "array_expected", "The body is not a JSON array.")
    rest.text = rest.text[1:]
    is_first = True
    while (character := rest.next_character()) != "]" or not is_first:
        if not is_first:
            if character == "]":
                break
            if character != ",":
                raise ValueError("a comma is wanted")
            rest.text = rest.text[1:]
            rest.next_character()
        is_first = False
        yield _element(rest)
    rest.text = rest.text[1:]
    if rest.next_character():
        raise ValueError("more after the array")


def _element(rest: _Text) -> Any:
    while True:
        try:
            element, end = _DECODER.raw_decode(rest.text)
        except json.JSONDecodeError:
            if rest.is_whole:
                raise
        else:
            # What ends with the text may go on in what comes: a number, above all.
            if end < len(rest.text) or rest.is_whole:
                rest.text = rest.text[end:]
                return element
        rest.read_more()


def count(body: IO[bytes], most: int) -> int:
    """Return how many elements the array has, having read all of it; errors as those of ``elements``.

    Raises:
        HttpProblem: 422 where there are more than ``most``.
    """
    number = 0
    for some in elements(body, 500):
        number += len(some)
        if number > most:
            raise HttpProblem(422, "too_many_tickets", f"A call may have {most:,} tickets.")
    return number

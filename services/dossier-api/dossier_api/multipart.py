"""``multipart/form-data`` into its parts, byte for byte.

Not Starlette's form: that decodes parts without a file name as text, and a UBL must keep its bytes to keep its hash.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from koppel_mesh.http.problems import HttpProblem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PARTS_MAX = 10
HEADERS_MAX = 8


@dataclass
class Part:
    """One part of the body."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)

    @property
    def name(self) -> str:
        """Return the form field's name."""
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        return options.get(b"name", b"").decode("utf-8", "replace")

    @property
    def filename(self) -> str | None:
        """Return the file name the sender gave."""
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        return options[b"filename"].decode("utf-8", "replace") if b"filename" in options else None


def parts_of(body: bytes, content_type: str) -> dict[str, Part]:
    """Return the parts by name.

    Raises:
        HttpProblem: 422 ``malformed_multipart``.
    """
    _, options = parse_options_header(content_type.encode("latin-1", "replace"))
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise _malformed("there is no boundary")
    collector = _Collector()
    try:
        parser = MultipartParser(boundary, collector.callbacks())
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise _malformed(str(error)) from error
    if not collector.complete:
        raise _malformed("the last boundary is missing")
    found: dict[str, Part] = {}
    for part in collector.parts:
        if part.name in found:
            raise _malformed(f"two parts are named {part.name!r}")
        found[part.name] = part
    return found


class _Collector:
    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.complete = False
        self._name = bytearray()
        self._value = bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self.parts[-1].data.extend(data[start:end]),
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) == PARTS_MAX:
            raise ValueError("too many parts")
        self.parts.append(Part())

    def _header(self) -> None:
        headers = self.parts[-1].headers
        if len(headers) == HEADERS_MAX:
            raise ValueError("too many headers in a part")
        headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _end(self) -> None:
        self.complete = True


def _malformed(detail: str) -> HttpProblem:
    printable = detail.encode("utf-8", "replace").decode()[:300]
    return HttpProblem(422, "malformed_multipart", "The body is not well-formed multipart/form-data.", printable)

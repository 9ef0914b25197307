"""The one exception this library raises for bytes it cannot, or will not, read."""

from typing import Final, Literal, get_args

Code = Literal[
    "too_large",  # more bytes, elements or attributes than any invoice needs
    "not_xml",  # not well-formed: truncated, wrong encoding, control characters, not XML at all
    "too_deep",  # nested deeper than any UBL document
    "doctype",  # a DTD, and with it every entity trick
    "encoding",  # an encoding invoices are not written in
    "xinclude",  # asks to pull in another file
    "wrong_root",  # XML, but no UBL Invoice or CreditNote
    "structure",  # an element holds what it cannot hold
    "missing",  # what no bookkeeping can do without is not there
    "number",
    "date",
    "boolean",
    "base64",
]
CODES: Final[frozenset[str]] = frozenset(get_args(Code))


class ReadError(ValueError):
    """Why a document was refused, and where.

    `code` is stable and meant for programs; `message` is for people; `line` counts from 1 and `path` is an XPath with the
    usual prefixes (`/Invoice/cac:InvoiceLine[2]/cbc:LineExtensionAmount`). Both are None where no place can be named.
    """

    def __init__(self, message: str, *, code: Code, line: int | None = None, path: str | None = None) -> None:
        self.message = message
        self.code: Code = code
        self.line = line
        self.path = path
        where = [part for part in (f"line {line}" if line else "", path or "") if part]
        super().__init__(f"{message} ({', '.join(where)})" if where else message)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.message, self.code, self.line, self.path)


def _rebuild(message: str, code: Code, line: int | None, path: str | None) -> ReadError:
    return ReadError(message, code=code, line=line, path=path)

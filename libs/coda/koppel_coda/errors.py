"""What can be wrong with bytes handed in as CODA, and with values that CODA cannot hold."""

from dataclasses import dataclass


class ReadError(Exception):
    """The bytes are not CODA, or something in them that must never be guessed cannot be read.

    Attributes:
        code: stable name of what is wrong, such as ``not_coda``, ``line_too_long``, ``amount``, ``order``.
        message: one English sentence.
        line: line in the bytes, counted from 1; None where there is none.
        column: position in the line, counted from 1.
        path: always None: a place in a CODA file is its line and column.
    """

    path: None = None

    def __init__(self, code: str, message: str, line: int | None = None, column: int | None = 1) -> None:
        super().__init__(f"Line {line or 0}, column {column}: {message}")
        self.code = code
        self.message = message
        self.line = line
        self.column = column


class WriteError(ValueError):
    """A statement holds something that CODA cannot hold.

    Attributes:
        code: stable name of what is wrong, such as ``length``, ``characters``, ``amount``, ``balance``.
        message: one English sentence.
        path: where the value is, such as ``statement 1, movement 3: communication``.
    """

    def __init__(self, code: str, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader tolerated; it tolerates nothing without a note.

    ``code`` is stable, ``text`` is what was there; ``line`` and ``column`` count from 1.
    """

    code: str
    line: int
    column: int
    text: str = ""

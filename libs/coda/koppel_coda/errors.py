"""What can be wrong with bytes handed in as CODA, and with values that CODA cannot hold."""

from dataclasses import dataclass


class ReadError(Exception):
    """The bytes are not CODA, or something in them that must never be guessed cannot be read.

    Attributes:
        code: stable name of what is wrong, such as ``not_coda``, ``line_too_long``, ``amount``, ``order``.
        sentence: one English sentence.
        line: line in the file, counted from 1; 0 when the file has none.
        column: position in the line, counted from 1.
    """

    def __init__(self, code: str, sentence: str, line: int = 0, column: int = 1) -> None:
        super().__init__(f"Line {line}, column {column}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.line = line
        self.column = column


class WriteError(ValueError):
    """A statement says something that CODA cannot hold.

    Attributes:
        code: stable name of what is wrong, such as ``length``, ``characters``, ``amount``, ``balance``.
        sentence: one English sentence.
        where: the value, such as ``statement 1, movement 3: communication``.
    """

    def __init__(self, code: str, sentence: str, where: str = "") -> None:
        super().__init__(f"{where}: {sentence}" if where else sentence)
        self.code = code
        self.sentence = sentence
        self.where = where


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader put up with; nothing is tolerated in silence.

    ``code`` is stable, ``text`` is what stood there; ``line`` and ``column`` count from 1.
    """

    code: str
    line: int
    column: int
    text: str = ""

"""Reads the lines of one statement into a ``Statement``.

The order of the records is followed, never the next and link codes, which banks get wrong. What can be tolerated is noted;
an amount, a sign, a balance or an account that cannot be read is a ``ReadError``.
"""

from dataclasses import replace

from koppel_coda import accounts
from koppel_coda.errors import Note, ReadError
from koppel_coda.layout import LINE_LENGTH, cutter
from koppel_coda.model import Balance, Header, Statement, Trailer

from .lines import Lines
from .movements import Movements
from .records import Opening, Records

_FREE = cutter("4", "sequence", "text")
_RECORDS = frozenset("1234589")
_LEAST = {"21": 121, "31": 40}
"""How far a line goes at least: to the end of the last field that is never blank."""


class Reader:
    """Reads one statement; one object per statement, ``read`` once."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._notes: list[Note] = []
        self._records = Records(self._notes)
        self._movements = Movements(self._notes)
        self._begins_at = lines.first
        self._header: Header | None = None
        self._opening: Opening | None = None
        self._closing: tuple[accounts.Account, Balance] | None = None
        self._trailer: Trailer | None = None
        self._free: list[tuple[str, ...]] = []

    def read(self) -> Statement:
        """Return the statement.

        Raises:
            ReadError: see the module.
        """
        add_movement = self._movements.add
        for line, raw in enumerate(self._lines.texts, self._lines.first):
            text = raw if len(raw) == LINE_LENGTH else _fitted(raw, line)
            if text[0] in "23" and self._opening and not self._closing and not self._trailer:
                add_movement(text, line)
            elif text[0] != " " or text.strip():
                self._records.line = line
                self._add(text)
        if self._header is None:
            raise ReadError("not_coda", "the file holds nothing but blank lines", self._lines.first)
        if self._opening is None:
            raise ReadError(
                "incomplete", "the statement stops before its opening balance (record 1)", self._records.line
            )
        if self._trailer is None and self._closing is None:
            raise ReadError(
                "incomplete", "the statement stops before its closing balance (record 8)", self._records.line
            )
        return self._statement(self._header, self._opening)

    def _add(self, text: str) -> None:
        """Take a line that is no movement, or is one in the wrong place."""
        kind, records = text[0], self._records
        if self._trailer:
            self._after_the_trailer(text)
        elif self._header is None:
            self._begins_at = records.line
            self._header = records.header(text)
        elif self._opening is None:
            if kind != "1":
                self._misplaced(text, "0")
            self._opening = records.old_balance(text, self._header.version)
            self._movements.version = self._header.version
        elif kind == "8" and self._closing is None:
            self._closing = records.new_balance(text, self._opening.account)
        elif kind == "4":
            self._free.append(_FREE(text))
        elif kind == "9":
            self._trailer = records.trailer(text)
        else:
            self._misplaced(text, "8" if self._closing else "1")

    def _statement(self, header: Header, opening: Opening) -> Statement:
        if self._trailer is None:
            self._records.note("incomplete", 1, "")
        if self._closing is None and self._movements:
            self._records.note("no_new_balance", 1, "")
        if self._lines.encoding != "ascii":
            self._notes.append(Note("encoding", self._lines.first, 1, self._lines.encoding))
        closing_account, closing = self._closing or (None, None)
        movements = self._movements.finish((closing and closing.on) or header.created_on)
        if closing and closing.on is None:
            last_on = max((one.entry_on for one in movements), default=header.created_on or opening.balance.on)
            closing = Balance(closing.amount, last_on, closing.paper_number)
        account = opening.account
        if closing_account and not account.currency and account.is_same_as(closing_account):
            account = replace(account, currency=closing_account.currency)
        return Statement(
            header,
            account,
            opening.balance,
            closing,
            movements,
            opening.holder_name,
            opening.description,
            opening.coded_number,
            _joined(self._free),
            closing_account=closing_account,
            trailer=self._trailer,
            notes=tuple(self._notes),
            line=self._begins_at,
        )

    def _after_the_trailer(self, text: str) -> None:
        if text[0] in _RECORDS and text[LINE_LENGTH - 1] != " ":
            self._misplaced(text, "9")
        self._records.note("after_trailer", 1, text.rstrip())

    def _misplaced(self, text: str, previous: str) -> None:
        sentence = f"a line that begins with {text[:2]!r} cannot come after record {previous}"
        raise ReadError("order", sentence, self._records.line)


def _fitted(text: str, line: int) -> str:
    """Return the line at its full length: blanks may be missing, and only blanks may be too many."""
    stripped = text.rstrip()
    if len(stripped) < _LEAST.get(stripped[:2], 0):
        sentence = f"the line stops after {len(stripped)} characters, where more than blanks is missing"
        raise ReadError("line_too_short", sentence, line, len(stripped) + 1)
    if len(stripped) > LINE_LENGTH:
        sentence = f"the line has {len(stripped)} characters, a CODA line has {LINE_LENGTH}"
        raise ReadError("line_too_long", sentence, line, LINE_LENGTH + 1)
    return stripped.ljust(LINE_LENGTH)


def _joined(lines: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Join the lines of each free communication: they share a sequence number."""
    texts: list[str] = []
    previous = None
    for sequence, text in lines:
        if sequence == previous and texts:
            texts[-1] += text
        else:
            texts.append(text)
        previous = sequence
    return tuple(text.rstrip() for text in texts)

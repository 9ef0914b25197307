"""A line of a file as the checks use it: padded, named, and cut into the fields of its record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from koppel_coda.layout import LINE_LENGTH, Field, fields_of, record_name
from koppel_coda.scalars import amount


@dataclass(frozen=True, slots=True)
class Record:
    """One line: ``name`` is ``2.1``, or None for a record that does not exist; ``text`` has 128 characters at least."""

    line: int
    text: str
    length: int
    name: str | None
    version: str

    def fields(self) -> tuple[Field, ...]:
        """Return the fields of its record."""
        return fields_of(self.name, self.version) if self.name else ()

    def get(self, name: str) -> str:
        """Return the text of a field; empty when the record has none of that name."""
        for one in self.fields():
            if one.name == name:
                return self.text[one.columns]
        return ""

    def column(self, name: str) -> int:
        """Return where a field begins, counted from 1."""
        return next((one.start for one in self.fields() if one.name == name), 1)

    def signed(self, name: str) -> Decimal | None:
        """Return an amount with the sign of the record; None when one of them cannot be read."""
        try:
            value = amount(self.get(name))
        except ValueError:
            return None
        return {"0": value, "1": -value}.get(self.get("sign"))

    def unsigned(self, name: str) -> Decimal | None:
        """Return an amount without a sign; None when it cannot be read."""
        try:
            return amount(self.get(name))
        except ValueError:
            return None

    @property
    def number(self) -> str:
        """Return sequence and detail number, as ``0001/0000``."""
        return f"{self.get('sequence')}/{self.get('detail')}"


def records_of(first: int, texts: Sequence[str]) -> Iterator[Record]:
    """Yield the records of one statement; blank lines are none."""
    version = "2"
    for line, raw in enumerate(texts, first):
        stripped = raw.rstrip("\r")
        if not stripped.strip():
            continue
        text = stripped.ljust(LINE_LENGTH)
        if text[0] == "0":
            version = text[LINE_LENGTH - 1]
        yield Record(line, text, len(stripped), record_name(text), "1" if version == "1" else "2")

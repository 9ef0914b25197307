"""The fields of every CODA record: ONE table that the reader, the writer and the checks share.

Positions are those of the standard: counted from 1, both ends included. Version 1 differs in records 1 and 2.3 only, see
``VERSION_1``. ``communications`` has the parts of structured communications.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter

LINE_LENGTH = 128


class Kind(Enum):
    """What the positions of a field may hold."""

    CONSTANT = "constant"
    """Always the one value of ``values``."""
    BLANK = "blank"
    """Reserved."""
    TEXT = "text"
    """Padded with blanks at the right; blank when absent."""
    DIGITS = "digits"
    """Padded with zeros at the left."""
    AMOUNT = "amount"
    """Fifteen digits: twelve, and three decimals."""
    CODE = "code"
    """One of ``values``."""
    DATE = "date"
    """``DDMMYY``."""
    DATE_OR_ZEROS = "date_or_zeros"
    """``DDMMYY``, or zeros when unknown."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: ``start`` and ``end`` are positions counted from 1, both included."""

    name: str
    start: int
    end: int
    kind: Kind
    values: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Return how many positions it takes."""
        return self.end - self.start + 1

    @property
    def columns(self) -> slice:
        """Return the same positions as a Python slice."""
        return slice(self.start - 1, self.end)


_SIGN = ("0", "1")
_YES_OR_NO = ("0", "1")


def _blank(start: int, end: int) -> Field:
    return Field(f"blank_{start}", start, end, Kind.BLANK)


def _constant(start: int, text: str) -> Field:
    return Field("record" if start == 1 else f"constant_{start}", start, start + len(text) - 1, Kind.CONSTANT, (text,))


def _numbers() -> tuple[Field, Field]:
    return Field("sequence", 3, 6, Kind.DIGITS), Field("detail", 7, 10, Kind.DIGITS)


def _last(next_code: tuple[str, ...]) -> tuple[Field, Field, Field]:
    return (
        Field("next_code", 126, 126, Kind.CODE, next_code),
        _blank(127, 127),
        Field("link_code", 128, 128, Kind.CODE, _YES_OR_NO),
    )


RECORDS: dict[str, tuple[Field, ...]] = {
    "0": (
        _constant(1, "0"),
        _constant(2, "0000"),
        Field("created_on", 6, 11, Kind.DATE),
        Field("bank_number", 12, 14, Kind.DIGITS),
        Field("application", 15, 16, Kind.CODE, ("05",)),
        Field("duplicate", 17, 17, Kind.CODE, (" ", "D")),
        _blank(18, 24),
        Field("file_reference", 25, 34, Kind.TEXT),
        Field("addressee", 35, 60, Kind.TEXT),
        Field("bic", 61, 71, Kind.TEXT),
        Field("company_number", 72, 82, Kind.DIGITS),
        _blank(83, 83),
        Field("separate_application", 84, 88, Kind.DIGITS),
        Field("transaction_reference", 89, 104, Kind.TEXT),
        Field("related_reference", 105, 120, Kind.TEXT),
        _blank(121, 127),
        Field("version", 128, 128, Kind.CODE, ("2",)),
    ),
    "1": (
        _constant(1, "1"),
        Field("structure", 2, 2, Kind.CODE, ("0", "1", "2", "3")),
        Field("paper_number", 3, 5, Kind.DIGITS),
        Field("account", 6, 42, Kind.TEXT),
        Field("sign", 43, 43, Kind.CODE, _SIGN),
        Field("old_balance", 44, 58, Kind.AMOUNT),
        Field("old_balance_on", 59, 64, Kind.DATE),
        Field("holder_name", 65, 90, Kind.TEXT),
        Field("description", 91, 125, Kind.TEXT),
        Field("coded_number", 126, 128, Kind.DIGITS),
    ),
    "2.1": (
        _constant(1, "21"),
        *_numbers(),
        Field("bank_reference", 11, 31, Kind.TEXT),
        Field("sign", 32, 32, Kind.CODE, _SIGN),
        Field("amount", 33, 47, Kind.AMOUNT),
        Field("value_on", 48, 53, Kind.DATE_OR_ZEROS),
        Field("transaction_code", 54, 61, Kind.DIGITS),
        Field("structured", 62, 62, Kind.CODE, _YES_OR_NO),
        Field("communication", 63, 115, Kind.TEXT),
        Field("entry_on", 116, 121, Kind.DATE),
        Field("paper_number", 122, 124, Kind.DIGITS),
        Field("globalisation", 125, 125, Kind.CODE, tuple("0123456789")),
        *_last(_YES_OR_NO),
    ),
    "2.2": (
        _constant(1, "22"),
        *_numbers(),
        Field("communication", 11, 63, Kind.TEXT),
        Field("customer_reference", 64, 98, Kind.TEXT),
        Field("bic", 99, 109, Kind.TEXT),
        _blank(110, 112),
        Field("r_transaction", 113, 113, Kind.CODE, (" ", "1", "2", "3", "4", "5")),
        Field("reason", 114, 117, Kind.TEXT),
        Field("category_purpose", 118, 121, Kind.TEXT),
        Field("purpose", 122, 125, Kind.TEXT),
        *_last(_YES_OR_NO),
    ),
    "2.3": (
        _constant(1, "23"),
        *_numbers(),
        Field("account", 11, 47, Kind.TEXT),
        Field("name", 48, 82, Kind.TEXT),
        Field("communication", 83, 125, Kind.TEXT),
        *_last(("0",)),
    ),
    "3.1": (
        _constant(1, "31"),
        *_numbers(),
        Field("bank_reference", 11, 31, Kind.TEXT),
        Field("transaction_code", 32, 39, Kind.DIGITS),
        Field("structured", 40, 40, Kind.CODE, _YES_OR_NO),
        Field("communication", 41, 113, Kind.TEXT),
        _blank(114, 125),
        *_last(_YES_OR_NO),
    ),
    "3.2": (
        _constant(1, "32"),
        *_numbers(),
        Field("communication", 11, 115, Kind.TEXT),
        _blank(116, 125),
        *_last(_YES_OR_NO),
    ),
    "3.3": (
        _constant(1, "33"),
        *_numbers(),
        Field("communication", 11, 100, Kind.TEXT),
        _blank(101, 125),
        *_last(("0",)),
    ),
    "4": (
        _constant(1, "4"),
        _blank(2, 2),
        *_numbers(),
        _blank(11, 32),
        Field("text", 33, 112, Kind.TEXT),
        _blank(113, 127),
        Field("link_code", 128, 128, Kind.CODE, _YES_OR_NO),
    ),
    "8": (
        _constant(1, "8"),
        Field("paper_number", 2, 4, Kind.DIGITS),
        Field("account", 5, 41, Kind.TEXT),
        Field("sign", 42, 42, Kind.CODE, _SIGN),
        Field("new_balance", 43, 57, Kind.AMOUNT),
        Field("new_balance_on", 58, 63, Kind.DATE),
        _blank(64, 127),
        Field("link_code", 128, 128, Kind.CODE, _YES_OR_NO),
    ),
    "9": (
        _constant(1, "9"),
        _blank(2, 16),
        Field("record_count", 17, 22, Kind.DIGITS),
        Field("debit", 23, 37, Kind.AMOUNT),
        Field("credit", 38, 52, Kind.AMOUNT),
        _blank(53, 127),
        Field("multiple_files", 128, 128, Kind.CODE, ("1", "2")),
    ),
}
"""Every record of version 2 by name: ``0``, ``1``, ``2.1`` … ``9``. The fields cover each of the 128 positions once."""

VERSION_1: dict[str, tuple[Field, ...]] = {
    "1": (
        *RECORDS["1"][:3],
        Field("account", 6, 17, Kind.DIGITS),
        _blank(18, 18),
        Field("currency", 19, 21, Kind.TEXT),
        Field("rest", 22, 42, Kind.TEXT),
        *RECORDS["1"][4:],
    ),
    "2.3": (
        *RECORDS["2.3"][:3],
        Field("account", 11, 22, Kind.TEXT),
        Field("rest", 23, 47, Kind.TEXT),
        Field("name", 48, 73, Kind.TEXT),
        Field("address", 74, 125, Kind.TEXT),
        *RECORDS["2.3"][6:],
    ),
}
"""The records that version 1 lays out otherwise."""

ARTICLES = {"2": ("2.1", "2.2", "2.3"), "3": ("3.1", "3.2", "3.3")}
"""The articles of the records that have several; the second character of the line is the article."""


def record_name(line: str) -> str | None:
    """Return the name in ``RECORDS`` of the record this line begins as, None when there is no such record."""
    name = line[:1]
    if name in ARTICLES:
        name = f"{name}.{line[1:2]}"
    return name if name in RECORDS else None


def is_head(detail: str) -> bool:
    """Return whether a record 2.1 with this detail number is a movement that counts for the balance, not a detail of one."""
    return not detail.strip(" 0")


def fields_of(name: str, version: str = "2") -> tuple[Field, ...]:
    """Return the fields of a record as this version of the standard lays them out."""
    return VERSION_1.get(name, RECORDS[name]) if version == "1" else RECORDS[name]


def column(record: str, field: str) -> int:
    """Return the first position of a field of version 2, counted from 1."""
    return next(one.start for one in RECORDS[record] if one.name == field)


def cutter(record: str, *names: str, version: str = "2") -> Callable[[str], tuple[str, ...]]:
    """Return a function that cuts the named fields out of a line, in the order of ``names``, at C speed."""
    by_name = {one.name: one.columns for one in fields_of(record, version)}
    return itemgetter(*(by_name[name] for name in names))

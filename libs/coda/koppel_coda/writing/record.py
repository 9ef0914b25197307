"""One line from the table of fields: every value padded, and refused where it is too long."""

from datetime import date
from decimal import Decimal

from koppel_coda import scalars
from koppel_coda.errors import WriteError
from koppel_coda.layout import LINE_LENGTH, RECORDS, Field, Kind
from koppel_coda.reading.encodings import UNREADABLE

Value = str | int | Decimal | date | None


def line(record: str, where: str, **values: Value) -> str:
    """Return the line of 128 characters; fields not given are blank or zero.

    Raises:
        WriteError: a value does not fit its field.
    """
    written = "".join(
        _written(field, values.pop(field.name, None), f"{where}: {field.name}") for field in RECORDS[record]
    )
    assert not values, f"record {record} has no {', '.join(values)}"
    assert len(written) == LINE_LENGTH
    return written


def checked_text(text: str, length: int, where: str) -> str:
    """Return the text as it is.

    Raises:
        WriteError: it is too long, ends in blanks, or holds control characters.
    """
    if len(text) > length:
        raise WriteError("length", f"{text!r} has {len(text)} characters, CODA has room for {length}", where)
    if text != text.rstrip():
        raise WriteError("blanks", f"{text!r} ends in blanks, which CODA cannot tell from none", where)
    if "\n" in text or UNREADABLE.search(text):
        raise WriteError("characters", f"{text!r} holds characters that are not text", where)
    return text


def _written(field: Field, value: Value, where: str) -> str:
    if field.kind is Kind.CONSTANT:
        return field.values[0]
    if field.kind is Kind.BLANK:
        return " " * field.length
    if field.kind is Kind.TEXT:
        return checked_text(str(value or ""), field.length, where).ljust(field.length)
    if field.kind is Kind.CODE:
        return _code(field, str(value if value is not None else field.values[0]), where)
    if field.kind is Kind.AMOUNT:
        return _amount(value, where)
    if field.kind is Kind.DIGITS:
        return _digits(field, value, where)
    if not isinstance(value, date):
        raise WriteError("date", "a date is needed", where)
    try:
        return scalars.ddmmyy(value)
    except ValueError as error:
        raise WriteError("date", str(error), where) from None


def _code(field: Field, value: str, where: str) -> str:
    if value not in field.values:
        raise WriteError("code", f"{value!r} is none of {', '.join(map(repr, field.values))}", where)
    return value


def _amount(value: Value, where: str) -> str:
    if not isinstance(value, Decimal):
        raise WriteError("amount", f"{value!r} is not a Decimal", where)
    try:
        return scalars.digits_of(value, 12, 3)
    except ValueError as error:
        raise WriteError("amount", str(error), where) from None


def _digits(field: Field, value: Value, where: str) -> str:
    text = f"{value:0{field.length}d}" if isinstance(value, int) else str(value or "").rjust(field.length, "0")
    if len(text) != field.length or not (text.isascii() and text.isdigit()):
        raise WriteError("digits", f"{value!r} is not a number of at most {field.length} digits", where)
    return text

"""Types of fields that bodies of several routes have."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from koppel_mesh.http.dates import Day

EARLIEST_DAY: Final = date(2000, 1, 1)
"""No book begins before it: an earlier day is a wrong clock or a slip of the pen."""


def _in_books(value: date) -> date:
    if value < EARLIEST_DAY:
        raise ValueError(f"a day from {EARLIEST_DAY} on is wanted")
    return value


BusinessDay = Annotated[Day, AfterValidator(_in_books)]
"""A day of a book, in Brussels."""
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")
]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,8}$")]
"""What {BookKey} stands for in a number format."""
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]*$")
]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
# "/" and "=" stand between the parts of a cash line's message (R133).
Method = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30, pattern=r"^[^\x00-\x1f/=]*$")
]


def _is_text(value: object) -> object:
    # A number of JSON is a binary fraction to most writers; amounts are text (contract §4).
    if isinstance(value, Decimal) or (isinstance(value, str) and value.isascii()):
        return value
    raise ValueError('an amount is text, such as "12.50"')


def no_boolean(value: object) -> object:
    """Return what stands where a code or a count is wanted; ``true`` is none, although Python counts with it."""
    if isinstance(value, bool):
        raise ValueError("a number is wanted, not true or false")
    return value


def _plain(value: Decimal) -> Decimal:
    return value + 0  # -0.00 is 0.00


Amount = Annotated[
    Decimal,
    BeforeValidator(_is_text),
    Field(max_digits=11, decimal_places=2, allow_inf_nan=False),
    AfterValidator(_plain),
]
Percent = Annotated[Decimal, BeforeValidator(_is_text), Field(ge=0, lt=100, decimal_places=2, allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(no_boolean)]

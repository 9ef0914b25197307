"""Dates as callers write them (contract §4)."""

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator

_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _as_written(value: object) -> object:
    # A number, too, is a date to pydantic: the day of so many seconds after 1970. Nobody means that.
    if isinstance(value, date) or (isinstance(value, str) and _WRITTEN.fullmatch(value)):
        return value
    raise ValueError("a date is written YYYY-MM-DD")


Day = Annotated[date, BeforeValidator(_as_written)]

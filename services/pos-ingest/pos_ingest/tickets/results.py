"""What is answered of each ticket that was handed in. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from koppel_mesh.http.problems import FieldError, printable

from .validation import TicketError


class TicketResult(BaseModel):
    """What became of one ticket; the answers stand in the order of the tickets."""

    status: str
    """``accepted``, ``duplicate``, ``converted`` (it was there, and becomes an invoice now) or ``error``."""
    register_id: str | None = None
    receipt_id: str | None = None
    receipt_book_id: UUID | None = None
    sold_on: date | None = None
    """The day of the takings, in Brussels."""
    code: str | None = None
    """Why it is an error; of an accepted ticket, why no invoice is made of it."""
    field: str | None = None
    message: str | None = None
    errors: list[FieldError] = Field([])


def refused(content: Any, error: TicketError) -> TicketResult:
    """Return the error of what is no ticket that can be taken, with as much of its names as it says."""
    given = content if isinstance(content, dict) else {}
    named = {"register_id": _text_of(given, _REGISTERS), "receipt_id": _text_of(given, _RECEIPTS)}
    return TicketResult(status="error", **why(error), **named)


_REGISTERS = ("registerID", "registerName", "locationID", "locationName")
_RECEIPTS = ("receiptID", "number")
_NAME_LENGTH_MAX: Final = 100


def _text_of(given: dict[str, Any], names: Iterable[str]) -> str | None:
    found = next((given[name] for name in names if isinstance(given.get(name), str)), None)
    return None if found is None else printable(found[:_NAME_LENGTH_MAX])


def why(error: TicketError | None) -> dict[str, Any]:
    """Return the fields of a result that say what is wrong; none where nothing is."""
    if error is None:
        return {}
    first = error.errors[0]
    return {"code": error.code, "field": first.field, "message": first.message, "errors": error.errors}

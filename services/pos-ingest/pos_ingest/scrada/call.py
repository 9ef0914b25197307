"""One call of Scrada's API on its way to its answer."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, TypeVar
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from koppel_mesh import exact_json
from koppel_mesh.auth import Caller
from koppel_mesh.clock import brussels_date
from koppel_mesh.http.media_types import says_json
from koppel_mesh.prepared_sql import Record
from koppel_mesh.service import Context
from pos_ingest.fields import BusinessDay
from pos_ingest.tickets.stream import receive

from .errors import ErrorCode, ErrorType, ScradaError, of_validation

BY: Final = "scrada"
PERIODS: Final = {"day": 1, "week": 2, "month": 3}
"""Of invoices and of statements."""
_MIDNIGHT: Final = re.compile(r"[T ]00:00(:00(\.0{1,7})?)?(Z|[+-]\d\d:?\d\d)?\Z", re.ASCII)


def _without_midnight(value: object) -> object:
    # Scrada takes a date, and answers with that day's midnight: a till may send back what it read, or write a moment of its own
    # where its language knows no date. The day is the one that is written, whatever the offset.
    return _MIDNIGHT.sub("", value) if isinstance(value, str) else value


BookDay = Annotated[BusinessDay, BeforeValidator(_without_midnight)]
"""A day of a book, in Brussels."""
Amount = Annotated[Decimal, Field(max_digits=11, decimal_places=2, allow_inf_nan=False)]
Reference = Annotated[str, Field(max_length=90, pattern=r"^[^\x00-\x1f]*$")]
Text = Annotated[str | None, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Body = TypeVar("Body", bound="ScradaBody")


class ScradaBody(BaseModel):
    """A body in Scrada's spellings; fields that we do not know are left alone, as Scrada does."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


@dataclass(frozen=True)
class Call:
    """A call of a company that its key let in."""

    context: Context
    request: Request
    company: Record
    language: str
    """``EN``, ``NL`` or ``FR``."""
    ids: tuple[UUID, ...]
    """Those in the address, after the company's."""

    @property
    def caller(self) -> Caller:
        """Return the company as a caller of ours: it sees its firm's objects, and a call names its dossier besides."""
        return Caller(BY, self.company.firm_id, frozenset({"receipts:write"}))

    @property
    def today(self) -> date:
        """Return the day in Brussels."""
        return brussels_date(self.context.now())

    def insist_on_json(self) -> None:
        """Refuse a body that says that it is something else."""
        if not says_json(self.request):
            raise ScradaError(415, ErrorType.VALIDATION, ErrorCode.NO_JSON)

    async def body(self, kind: type[Body]) -> Body:
        """Return the body.

        Raises:
            ScradaError: it is not JSON, or not what this call takes.
        """
        self.insist_on_json()
        with await receive(self.request) as spooled:
            content = spooled.read()
        try:
            return kind.model_validate(exact_json.loads(content))
        except ValidationError as error:
            raise of_validation(error) from error
        except (ValueError, RecursionError) as error:
            raise ScradaError(400, ErrorType.VALIDATION, ErrorCode.INVALID_BODY) from error


def moment(day: date | None) -> str | None:
    """Return a day as Scrada writes those of its books: its API (1.24) has them as date-time, and takes days as date."""
    return f"{day.isoformat()}T00:00:00Z" if day else None

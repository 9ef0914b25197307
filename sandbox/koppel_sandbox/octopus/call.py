"""One call of an API: what it brings, who makes it, in which dossier."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from koppel_sandbox.tables import Record

from .errors import Refusal
from .state import Books, State, Switches


@dataclass(frozen=True)
class Call:
    """One call, by anybody."""

    state: State
    request: Request
    raw: bytes
    language: str

    @property
    def switches(self) -> Switches:
        """What the sources leave open."""
        return self.state.switches

    def query(self, *names: str) -> str | None:
        """Return the first of these query parameters that is given and not empty."""
        return next((value for name in names if (value := self.request.query_params.get(name))), None)

    def whole_number(self, *names: str) -> int | None:
        """Return a query parameter that is a whole number.

        Raises:
            Refusal: it is none.
        """
        value = self.query(*names)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise self.bad_parameter(names[0]) from None

    def required_number(self, *names: str) -> int:
        """Return a query parameter that is a whole number and must be there.

        Raises:
            Refusal: it is missing, or none.
        """
        value = self.whole_number(*names)
        if value is None:
            raise self.bad_parameter(names[0])
        return value

    def bad_parameter(self, name: str) -> Refusal:
        """Return the refusal of a missing or invalid parameter (18)."""
        return Refusal(self.switches.missing_parameter_status, self.switches.missing_parameter_code, name)

    def body(self) -> Record:
        """Return the JSON object that the call brings; its numbers are ``Decimal``.

        Raises:
            Refusal: it brings none.
        """
        try:
            body = json.loads(self.raw or b"{}", parse_float=Decimal)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise self.bad_parameter("body")
        return body


@dataclass(frozen=True)
class DossierCall(Call):
    """One call with a dossier token."""

    books: Books
    user: Record
    software_house: str

    def bad_data(self, code: int, *parameters: Any, technical: str = "") -> Refusal:
        """Return the refusal of data that Octopus does not accept (28)."""
        return Refusal(self.switches.data_error_status, code, *parameters, technical=technical)


def answer(value: Any, status: int = 200) -> Response:
    """Answer with JSON; amounts are numbers."""
    return Response(json.dumps(value, default=float, ensure_ascii=False), status, media_type="application/json")

"""An answer of a vendor, and how HTTP alone judges it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from koppel_connector import values
from koppel_mesh import exact_json
from koppel_mesh.clock import utc_now

from .errors import (
    ActionRequired,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
)
from .json_lists import elements, is_list
from .problems import Problem


@dataclass(frozen=True)
class VendorAnswer:
    """What came back, complete, within the deadline."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes
    operation: str
    acts: bool
    found_nothing: bool = False
    """The vendor said so in its own way (``Call.nothing_found``): an answer without rows."""

    @property
    def text(self) -> str:
        """The body as text; undecodable bytes are replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON with exact numbers; an empty list when nothing was found.

        Raises:
            ValueError: it is not JSON, or has a number that is too long.
        """
        return [] if self.found_nothing else exact_json.loads(self.content)

    @property
    def is_list(self) -> bool:
        """Whether the body is a JSON list, or nothing was found."""
        return self.found_nothing or is_list(self.content)

    def elements(self) -> Iterator[Any]:
        """Yield the elements of the list that the body is, one at a time; none when nothing was found.

        Raises:
            RetryLater: it is not JSON to its end.
        """
        try:
            yield from () if self.found_nothing else elements(self.content)
        except (ValueError, RecursionError) as error:
            problem = Problem("vendor_unavailable", f"{self.operation}: an answer that is not JSON")
            raise RetryLater(problem=problem) from error

    def json_object(self) -> Mapping[str, Any] | None:
        """The body where it is a JSON object; None where it is anything else."""
        try:
            body = self.json()
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, Mapping) else None


@dataclass(frozen=True)
class NothingFound:
    """How a vendor says "nothing found" where others answer an empty list: a status, and an error code in its JSON body.

    The status alone is not enough: an unknown path, or a dossier that does not exist, answers 404 as well, and taken for an
    empty list it would let an import end well that read nothing.
    """

    members: tuple[str, ...]
    """Where the code may stand in the object that the body is: ``errorCode``."""
    unless: frozenset[int]
    """The codes that say something else; any other one says that nothing was found."""
    status: int = 404

    def is_said_by(self, answer: VendorAnswer) -> bool:
        """Return whether an answer says it."""
        if answer.status != self.status or answer.acts:
            return False
        body = answer.json_object() or {}
        said = values.first_integer(body, self.members)
        return said is not None and said not in self.unless


@dataclass(frozen=True)
class ClassifiedAnswer:
    """An answer, and what ``Connector.classify`` makes of it."""

    answer: VendorAnswer
    failure: ConnectorError | None


def classify_by_status(answer: VendorAnswer) -> ConnectorError | None:
    """Judge by HTTP alone (messaging §3.8): a 5xx to a call that acts is ambiguous, most 4xx are a definite no."""
    status = answer.status
    detail = answer.text[:300].strip() or None
    if 200 <= status < 300:
        return None
    if status == 429:
        return RateLimited()
    if status == 403:
        return ActionRequired(Problem("forbidden_by_vendor", detail))
    if status == 401:
        return ReauthorisationRequired(Problem("reauthorise", detail))
    if status == 409 and answer.acts:
        return OutcomeUnknown("409: it may be there already")
    if status >= 500 or status == 408 or status < 200 or 300 <= status < 400:
        return no_answer(answer, f"HTTP {status}")
    return Rejected(Problem("rejected_by_vendor", detail))


def no_answer(answer: VendorAnswer, what: str) -> ConnectorError:
    """Return what follows when nothing usable came back: what acts may have been done, a question is asked again."""
    if answer.acts:
        return OutcomeUnknown(what)
    return RetryLater(retry_after_s(answer.headers), Problem("vendor_unavailable", f"{answer.operation}: {what}"))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header, in either of its two forms, at most a day."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(min(int(value[:9]), 86_400))
    try:
        wait_s = (parsedate_to_datetime(value) - _vendor_now(headers)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait_s, 0.0), 86_400.0)


def _vendor_now(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, OverflowError):
        return utc_now()

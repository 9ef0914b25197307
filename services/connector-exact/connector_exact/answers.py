"""What an answer of Exact means (§5.1): it uses HTTP statuses in its own way.

A functional refusal is a **500 with Exact's error envelope** — a definite no. A 5xx without it is a fault of Exact's, and
the outcome of a call that acts is unknown then. 400 is a malformed request, 403 a right (the ``Reason`` header says
which), 401 may come as an HTML page, and the headers of a 429 show which window is used up.
"""

from collections.abc import Mapping
from typing import Any, Final

from koppel_connector.contract import (
    BOOKING_PROBLEMS,
    ConnectorError,
    OutcomeUnknown,
    Problem,
    RateLimited,
    ReauthorisationRequired,
    VendorAnswer,
    no_answer,
)
from koppel_connector.contract import refusal as refusal_of

from .messages import UNKNOWN_SENTENCE, meanings
from .problems import PROBLEMS

_CATALOGUE: Final = PROBLEMS.over(BOOKING_PROBLEMS)
_REASONS: Final[Mapping[str, str]] = {
    "nodivisionaccess": "no_division_access",
    "licenseexpired": "licence_expired",
    "blockeduser": "user_blocked",
    "inactiveuser": "user_blocked",
    "blockedcustomer": "customer_blocked",
    "divisionblocked": "division_blocked",
}


class AlreadyExists(OutcomeUnknown):
    """A clear answer, not an error: "Data already exists". Almost always our own earlier call created the object.

    Where its id is ours, it is known which object that is; else it is looked up before anything is sent again.
    """

    is_answer = True


def failure(answer: VendorAnswer) -> ConnectorError | None:
    """Return None for a success, else what to do next."""
    if 200 <= answer.status < 300:
        return None if _readable(answer) else no_answer(answer, "an answer that is not JSON")
    if answer.status == 429:
        return RateLimited()
    if answer.status == 401:
        return ReauthorisationRequired()
    sentence = envelope(answer)
    if answer.status == 403:
        return refusal(_forbidden(answer, sentence), sentence or _reason(answer) or answer.operation)
    if answer.status == 413:
        return refusal("attachment_too_large", answer.operation)
    if answer.status == 500 and sentence is not None:
        return _functional(answer, sentence)
    if 400 <= answer.status < 500 and answer.status not in (408, 409):
        return _malformed(answer, sentence)
    return no_answer(answer, f"HTTP {answer.status}")


def refusal(code: str, detail: str | None) -> ConnectorError:
    """Return the error of a problem: the delivery waits for a person, or fails, as the catalogue says."""
    return refusal_of(Problem(code, detail), _CATALOGUE)


def envelope(answer: VendorAnswer) -> str | None:
    """Return the text of Exact's error envelope; None when the answer has none."""
    body: Any = answer.json_object()
    for key in ("error", "message", "value"):
        body = body.get(key) if isinstance(body, Mapping) else None
    return body if isinstance(body, str) and body.strip() else None


def _functional(answer: VendorAnswer, sentence: str) -> ConnectorError:
    """Classify a 500 with sentences: the first known one decides, all of them are shown."""
    known = _known(sentence) or UNKNOWN_SENTENCE
    if known == "already_exists":
        if answer.acts:
            return AlreadyExists(sentence)
        known = UNKNOWN_SENTENCE
    return refusal(known, _shown(sentence))


def _malformed(answer: VendorAnswer, sentence: str | None) -> ConnectorError:
    known = _known(sentence or "") or "vendor_request_wrong"
    if known == "already_exists":
        known = "vendor_request_wrong"
    return refusal(known, f"{answer.operation}: HTTP {answer.status} {_shown(sentence or '')}".strip())


def _forbidden(answer: VendorAnswer, sentence: str | None) -> str:
    reason = (_reason(answer) or "").casefold().replace(" ", "")
    for name, code in _REASONS.items():
        if reason.startswith(name):
            return code
    return _known(sentence or _reason(answer) or "") or "missing_right"


def _known(sentence: str) -> str | None:
    """Return the problem of the first sentence that is known."""
    return next((each.code for each in meanings(sentence) if each.code != UNKNOWN_SENTENCE), None)


def _readable(answer: VendorAnswer) -> bool:
    """Whether the answer can be used: after a creation, its body or ``Location`` must contain the id.

    A question is answered under ``d`` (§2): a page without it has not said "nothing found", which would let us make a
    relation or an entry a second time.
    """
    if not answer.content:
        return answer.acts and (answer.status != 201 or "(guid'" in answer.headers.get("location", ""))
    body = answer.json_object()
    return body is not None and (answer.acts or isinstance(body.get("d"), Mapping | list))


def _reason(answer: VendorAnswer) -> str | None:
    return answer.headers.get("reason")


def _shown(sentence: str) -> str:
    return "; ".join(part.strip() for part in sentence.splitlines() if part.strip())[:500]

"""What an answer of Octopus means (octopus §1.6): its error code decides, the status only where there is none.

Data that Octopus does not accept comes as 500 **with** an error code: a definite no. A 5xx without one is a fault of the
gateway's, and the outcome of a call that acts is unknown then. Texts follow the language of the session and are only shown.
"""

from collections.abc import Mapping
from typing import Final

from koppel_connector import values
from koppel_connector.contract import (
    BOOKING_PROBLEMS,
    GENERIC,
    ActionRequired,
    ConnectorError,
    DossierSessionOver,
    NothingFound,
    Problem,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    RetryNow,
    SessionOver,
    VendorAnswer,
    no_answer,
    refusal,
)

from .problems import PROBLEMS

_CATALOGUE: Final = PROBLEMS.over(BOOKING_PROBLEMS.over(GENERIC))
CODES: Final[Mapping[int, str]] = {
    -3: "missing_right",
    -4: "missing_right",
    -5: "dossier_disabled",
    -7: "relation_refused",
    -9: "financial_year_missing",
    -10: "journal_unknown",
    -11: "period_closed",
    -14: "financial_year_missing",
    -15: "period_closed",
    -16: "relation_unknown",
    -17: "vendor_request_wrong",
    -18: "due_date_missing",
    -19: "currency_unknown",
    -20: "exchange_rate_refused",
    -21: "ledger_account_unknown",
    -22: "unknown_vat_code",
    -23: "vat_sign_differs",
    -24: "vendor_refused",
    -29: "journal_for_invoices",
    -38: "journal_unknown",
    -50: "ledger_account_wrong_type",
    -75: "vat_code_not_allowed",
    -78: "vendor_request_wrong",
    -79: "vendor_request_wrong",
}
"""Return codes → problems (octopus §1.6)."""
FILE_IMPORT_CALL: Final = "POST files/imports"
REFUSED_AS: Final[Mapping[str, str]] = {
    FILE_IMPORT_CALL: "import_viewer_refused",
    "POST coda": "statement_refused",
}
"""What a refusal of these means, whatever its code: no source tells which there are (octopus §2.8, §2.9)."""
_OF_THE_LOGIN: Final = frozenset({-1, -2, -6, -51, -68})
_OF_ACCESS: Final = _OF_THE_LOGIN | {-3, -4, -5}
_SPELLINGS: Final = ("errorCode", "octopusErrorCode")
NOTHING: Final = NothingFound(_SPELLINGS, _OF_ACCESS)
"""An empty list is 404 with an error body; sources do not say which code, only that it is none about access (octopus §2.4), and
there may be codes that no list names (octopus §1.6)."""
NOTHING_TO_IMPORT: Final = NothingFound(_SPELLINGS, _OF_ACCESS | {-79})
"""Of the lists of an import, which replace what is there, "invalid parameter" is an error as well."""
_QUESTIONS: Final = frozenset(
    {
        "GET relations",
        "GET accounts",
        "GET journals",
        "GET journals/details",
        "GET buysellbookings",
    }
)
"""Plain reads that some dossiers answer with 400; sources do not say with which code (octopus §2.7)."""


class ImportRefused(ActionRequired):
    """The File Import API is not there for this dossier, or not for this login; the document may go by mail (R100)."""


class ImportTokenRefused(ImportRefused):
    """The File Import API does not take the token; a login of its own may help (octopus §2.8)."""


class ImportSessionOver(DossierSessionOver):
    """The File Import API says that a token ran out; of a new one it means that it takes none of its kind."""


_IMPORT_REFUSALS: Final = {401: ImportTokenRefused, 403: ImportRefused, 404: ImportRefused}
_TOKEN_RAN_OUT: Final = frozenset({-2, -6, None})


class NumberTaken(RetryNow):
    """The document number is not the next one of its journal (-13): somebody booked meanwhile."""


ENDINGS: Final[Mapping[int, tuple[type[ConnectorError], str]]] = {
    # Octopus locks a user out after some: no connection of the office tries again until the password is changed.
    -1: (ReauthorisationRequired, "wrong_password"),
    -2: (SessionOver, "reauthorise"),
    -6: (SessionOver, "reauthorise"),
    -12: (RetryLater, "journal_held"),
    -13: (NumberTaken, "entry_number_taken"),
    -51: (RetryLater, "vendor_unavailable"),
    -68: (ActionRequired, "software_house_unknown"),
}
"""What follows the return codes that are more than a refusal of the document (octopus §1.6)."""


def failure(answer: VendorAnswer) -> ConnectorError | None:
    """Return None for a success, else what to do next."""
    code, sentence = error_of(answer)
    if answer.status == 429:
        return RateLimited()
    if 400 <= answer.status < 500 and (refused := _by_operation(answer, code, sentence)) is not None:
        return refused
    if code is not None:
        return _by_code(code, f"{sentence} ({code})".strip())
    if 200 <= answer.status < 300:
        return None if _readable(answer) else no_answer(answer, "an answer that is not JSON")
    match answer.status:
        case 401:
            return SessionOver(Problem("reauthorise"))
        case 403:
            return ActionRequired(Problem("missing_right", sentence or answer.operation))
        case 413:
            return refusal(Problem("attachment_too_large", answer.operation), _CATALOGUE)
        case status if 400 <= status < 500 and status not in (408, 409):
            return refusal(Problem("vendor_request_wrong", f"{answer.operation}: HTTP {status} {sentence}"), _CATALOGUE)
    return no_answer(answer, f"HTTP {answer.status}")


def error_of(answer: VendorAnswer) -> tuple[int | None, str]:
    """Return Octopus's error code and sentence; no code where the answer has none. Both spellings are read (octopus §1.6)."""
    # A list has none, and may be that of all bookings.
    body = {} if answer.is_list else answer.json_object() or {}
    code = values.first_integer(body, _SPELLINGS)
    sentence = values.text(body.get("errorMessage")) or values.text(body.get("description"))
    # 0 is "ok", and stands in no refusal.
    return (code if code is not None and code < 0 else None), sentence[:500]


def _by_operation(answer: VendorAnswer, code: int | None, sentence: str) -> ConnectorError | None:
    """Return what a 4xx means at the calls of which no source tells the codes; None where the code decides."""
    if (refused_as := REFUSED_AS.get(answer.operation)) is not None:
        problem = Problem(refused_as, sentence or f"HTTP {answer.status}")
        is_import = answer.operation == FILE_IMPORT_CALL
        if is_import and answer.status == 401 and code in _TOKEN_RAN_OUT:
            return ImportSessionOver(problem)
        if is_import and answer.status in _IMPORT_REFUSALS:
            return _IMPORT_REFUSALS[answer.status](problem)
        is_no = code not in _OF_THE_LOGIN if code is not None else answer.status not in (401, 408, 409)
        return ActionRequired(problem) if is_no else None
    if answer.status == 400 and answer.operation in _QUESTIONS and code not in _OF_ACCESS:
        # Not what its code means of a document: the question is refused, and asked in another way (``refused_questions``).
        return Rejected(Problem("vendor_request_wrong", f"{answer.operation}: {code or ''} {sentence}"))
    return None


def _by_code(code: int, shown: str) -> ConnectorError:
    ending, problem = ENDINGS.get(code, (None, CODES.get(code, "vendor_refused")))
    return ending(problem=Problem(problem, shown)) if ending else refusal(Problem(problem, shown), _CATALOGUE)


def _readable(answer: VendorAnswer) -> bool:
    """Whether the answer can be used: a write may be answered with nothing at all, a question may not."""
    if not answer.content:
        return answer.acts
    if answer.is_list:
        # ``VendorAnswer.elements`` reads it, once.
        return True
    try:
        answer.json()
    except (ValueError, RecursionError):
        return False
    return True

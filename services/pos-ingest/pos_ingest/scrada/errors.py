"""Errors in the body that Scrada's clients read: a code, a type, a format with its parameters, errors inside errors.

Scrada answers 500 where a value is wrong; a caller's mistake is a 4xx here, with the same body. A 5xx has no ``errorCode``: to
Scrada's clients that is an outage, after which they try again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from fastapi.responses import JSONResponse
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from koppel_mesh.http.problems import HttpProblem, printable

ERRORS_MAX: Final = 100


class ErrorType(IntEnum):
    """What kind of error it is."""

    VALIDATION = 1
    AUTHENTICATION = 2
    NOT_FOUND = 3
    LIMIT = 4
    CONFLICT = 5


class ErrorCode(IntEnum):
    """What is wrong; our own numbers, for Scrada publishes none."""

    WRONG_KEY = 1001
    UNKNOWN_CALL = 1002
    NOT_FOUND = 1003
    TOO_MANY_CALLS = 1004
    INVALID_BODY = 2001
    INVALID_FIELD = 2002
    REFUSED = 2003
    OTHER_VAT_NUMBER = 2004
    OTHER_LAST_LINE = 2005
    RECEIPTS_REFUSED = 2006
    RECEIPT_REFUSED = 2007
    NO_JSON = 2008


_TEXTS: Final = {
    ErrorCode.WRONG_KEY: {
        "EN": "The API key, the password or the company is wrong.",
        "NL": "De API-sleutel, het wachtwoord of het bedrijf is verkeerd.",
        "FR": "La clé API, le mot de passe ou la société est incorrect.",
    },
    ErrorCode.UNKNOWN_CALL: {
        "EN": "There is no call {0} {1}.",
        "NL": "De oproep {0} {1} bestaat niet.",
        "FR": "L'appel {0} {1} n'existe pas.",
    },
    ErrorCode.NOT_FOUND: {"EN": "{0} was not found.", "NL": "{0} is niet gevonden.", "FR": "{0} est introuvable."},
    ErrorCode.TOO_MANY_CALLS: {
        "EN": "Too many calls. Try again after {0}.",
        "NL": "Te veel oproepen. Probeer opnieuw na {0}.",
        "FR": "Trop d'appels. Réessayez après {0}.",
    },
    ErrorCode.INVALID_BODY: {
        "EN": "The request is not valid.",
        "NL": "De aanvraag is niet geldig.",
        "FR": "La demande n'est pas valide.",
    },
    ErrorCode.INVALID_FIELD: {"EN": "{0}: {1}", "NL": "{0}: {1}", "FR": "{0} : {1}"},
    ErrorCode.REFUSED: {
        "EN": "The book refuses it: {0}",
        "NL": "Het boek weigert dit: {0}",
        "FR": "Le livre le refuse : {0}",
    },
    ErrorCode.OTHER_VAT_NUMBER: {
        "EN": "VAT number {0} is not the company's own.",
        "NL": "Btw-nummer {0} is niet dat van het bedrijf.",
        "FR": "Le numéro de TVA {0} n'est pas celui de la société.",
    },
    ErrorCode.OTHER_LAST_LINE: {
        "EN": "The last line is {0}.",
        "NL": "De laatste lijn is {0}.",
        "FR": "La dernière ligne est {0}.",
    },
    ErrorCode.RECEIPTS_REFUSED: {
        "EN": "{0} of {1} receipts were refused; the others were taken.",
        "NL": "{0} van {1} tickets werden geweigerd; de andere zijn aanvaard.",
        "FR": "{0} tickets sur {1} ont été refusés ; les autres sont acceptés.",
    },
    ErrorCode.RECEIPT_REFUSED: {
        "EN": "Receipt {0}: {1}",
        "NL": "Ticket {0}: {1}",
        "FR": "Ticket {0} : {1}",
    },
    ErrorCode.NO_JSON: {
        "EN": "The body must be JSON (application/json).",
        "NL": "De inhoud moet JSON zijn (application/json).",
        "FR": "Le contenu doit être du JSON (application/json).",
    },
}


@dataclass
class ScradaError(Exception):
    """An error as Scrada's clients read it."""

    status: int
    type: ErrorType
    code: ErrorCode
    parameters: Sequence[str] = ()
    inner: Sequence["ScradaError"] = ()

    def body(self, language: str) -> dict[str, Any]:
        """Return the body; ``defaultFormat`` is in the language of the caller."""
        return {
            "errorCode": int(self.code),
            "errorType": int(self.type),
            "defaultFormat": _TEXTS[self.code].get(language, _TEXTS[self.code]["EN"]),
            "parameters": [printable(each) for each in self.parameters],
            "innerErrors": [each.body(language) for each in self.inner[:ERRORS_MAX]],
        }

    def response(self, language: str, headers: dict[str, str]) -> JSONResponse:
        """Return the answer."""
        return JSONResponse(self.body(language), self.status, headers=headers)


def not_found(what: str) -> ScradaError:
    """Return the error for what is not there, or is another company's."""
    return ScradaError(404, ErrorType.NOT_FOUND, ErrorCode.NOT_FOUND, (what,))


def invalid(field: str, message: str) -> ScradaError:
    """Return the error for one field."""
    return ScradaError(400, ErrorType.VALIDATION, ErrorCode.INVALID_FIELD, (field, message))


SPELLINGS: Final[Mapping[str, str]] = {
    "entries": "lines",
    "kind": "lineType",
    "vat_rate": "vatPerc",
    "vat_category": "vatTypeID",
    "description": "remark",
    "corrects_date": "correctionDate",
    "payments": "paymentMethods",
}
"""What Scrada calls the fields of books and their lines; the others are spelled alike."""


def of_validation(error: ValidationError, spellings: Mapping[str, str] = SPELLINGS) -> ScradaError:
    """Return the error for a body that is not of the call's shape."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    inner = [invalid(_spelled(".".join(map(str, each["loc"])), spellings), each["msg"]) for each in found[:ERRORS_MAX]]
    return ScradaError(400, ErrorType.VALIDATION, ErrorCode.INVALID_BODY, (), inner)


def of_problem(problem: HttpProblem, spellings: Mapping[str, str] = SPELLINGS) -> ScradaError:
    """Return the error for what the book, or whatever else is behind a call, refuses; the rule of each is in its text."""
    if problem.status == 404:
        return not_found(problem.title)
    inner = [invalid(_spelled(each.field or "", spellings), f"{each.message} ({each.rule})") for each in problem.errors]
    kind = ErrorType.CONFLICT if problem.status == 409 else ErrorType.VALIDATION
    text = problem.detail or problem.title
    status = 400 if problem.status == 422 else problem.status
    return ScradaError(status, kind, ErrorCode.REFUSED, (text,), inner)


def _spelled(field: str, spellings: Mapping[str, str]) -> str:
    """Return a field as the caller spelled it; a spelling may be one of lines only (``lines.price``)."""
    steps = field.split(".")
    of_lines = steps[0] == "lines"
    words = [(of_lines and spellings.get(f"lines.{step}")) or spellings.get(step) or to_camel(step) for step in steps]
    return ".".join(words) or "body"

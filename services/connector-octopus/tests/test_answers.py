"""What an answer of Octopus means: its error code decides, whatever the status."""

import json

import pytest

from connector_octopus import answers
from connector_octopus.answers import (
    CODES,
    NOTHING,
    NOTHING_TO_IMPORT,
    ImportSessionOver,
    ImportTokenRefused,
    NumberTaken,
)
from connector_octopus.problems import PROBLEMS
from koppel_connector.contract import (
    BOOKING_PROBLEMS,
    GENERIC,
    ActionRequired,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    SessionOver,
    VendorAnswer,
)


def answer(
    status: int, code: int | None = None, *, acts: bool = True, body: bytes | None = None, operation: str = "x"
) -> VendorAnswer:
    said = {"errorCode": code, "errorMessage": "Tekst", "technicalInfo": "ERR"} if code is not None else {}
    content = body if body is not None else json.dumps(said).encode() if said else b""
    return VendorAnswer(status, {}, content, operation, acts)


def kind_of(status: int, code: int | None = None, **more: object) -> type[ConnectorError] | None:
    failure = answers.failure(answer(status, code, **more))  # type: ignore[arg-type]
    return type(failure) if failure else None


def code_of(status: int, code: int | None = None, **more: object) -> str:
    failure = answers.failure(answer(status, code, **more))  # type: ignore[arg-type]
    assert failure is not None
    assert failure.problem is not None
    return failure.problem.code


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_write_is_answered_with_nothing(status: int) -> None:
    assert kind_of(status) is None


def test_a_question_is_answered_with_json_or_was_not_answered() -> None:
    assert kind_of(200, acts=False, body=b"[]") is None
    assert kind_of(200, acts=False, body=b"") is RetryLater
    assert kind_of(200, acts=False, body=b"<html>") is RetryLater
    assert kind_of(200, acts=True, body=b"<html>") is OutcomeUnknown


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 409])
def test_without_a_code_nobody_knows_what_became_of_a_write(status: int) -> None:
    assert kind_of(status, body=b"<html>Bad gateway</html>") is OutcomeUnknown
    assert kind_of(status, body=b"<html>Bad gateway</html>", acts=False) is RetryLater


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_with_a_code_every_status_is_a_no(status: int) -> None:
    assert kind_of(status, -21) is ActionRequired
    assert kind_of(status, -23) is Rejected
    assert kind_of(status, -13) is NumberTaken
    assert kind_of(status, -999) is Rejected, "a code that no list knows is shown in Octopus's words"


def test_a_wrong_password_stops_and_a_session_that_is_over_is_renewed() -> None:
    assert kind_of(401, -1) is ReauthorisationRequired
    assert code_of(401, -1) == "wrong_password"
    for status, code in ((401, None), (401, -2), (401, -6), (500, -2)):
        assert kind_of(status, code) is SessionOver


def test_who_is_refused_as_a_software_house_is_not_asked_for_another_password() -> None:
    assert kind_of(401, -68) is ActionRequired
    assert PROBLEMS[code_of(401, -68)].who_can_fix == "operator"


@pytest.mark.parametrize(("code", "problem"), [(-12, "journal_held"), (-51, "vendor_unavailable")])
def test_what_passes_by_itself_is_tried_again(code: int, problem: str) -> None:
    assert kind_of(403, code) is RetryLater
    assert code_of(403, code) == problem


def test_a_quota_that_is_used_up_is_no_outage() -> None:
    assert kind_of(429, -51) is kind_of(429) is RateLimited


def test_the_other_spelling_of_errors_is_read_too() -> None:
    body = json.dumps({"octopusErrorCode": -3, "description": "Geen toegang", "technicalDescription": "E"}).encode()
    failure = answers.failure(answer(403, body=body))
    assert failure is not None
    assert failure.problem is not None
    assert (failure.problem.code, failure.problem.detail) == ("missing_right", "Geen toegang (-3)")


@pytest.mark.parametrize("code", ['"-13"', "-13.0", 'null, "octopusErrorCode": -13'])
def test_a_code_is_the_same_in_whatever_type_it_comes(code: str) -> None:
    assert kind_of(500, body=f'{{"errorCode": {code}}}'.encode()) is NumberTaken


@pytest.mark.parametrize(
    ("operation", "code"), [("POST files/imports", "import_viewer_refused"), ("POST coda", "statement_refused")]
)
def test_a_refused_document_or_statement_names_what_must_be_active(operation: str, code: str) -> None:
    for status, said in ((403, -3), (400, -67), (400, None), (403, None)):
        assert code_of(status, said, operation=operation) == code
    is_import = operation == "POST files/imports"
    for said in (-2, -6, None):
        assert kind_of(401, said, operation=operation) is (ImportSessionOver if is_import else SessionOver)
    assert kind_of(409, operation=operation) is kind_of(408, operation=operation) is OutcomeUnknown
    assert kind_of(401, -1, operation=operation) is (ImportTokenRefused if is_import else ReauthorisationRequired)


@pytest.mark.parametrize(
    ("body", "nothing"),
    [
        (b'{"errorCode": -16}', True),
        (b'{"errorCode": -33}', True),
        (b'{"errorCode": -79}', True),
        (b'{"errorCode": -120}', True),
        (b'{"octopusErrorCode": -16, "description": "Onbekend"}', True),
        (b'{"errorCode": "-16"}', True),
        (b'{"errorCode": -16.0}', True),
        (b'{"errorCode": null, "octopusErrorCode": -16}', True),
        (b'{"octopusErrorCode": -3}', False),
        (b'{"errorCode": "-3"}', False),
        (b'{"errorCode": null, "octopusErrorCode": -3}', False),
        (b'{"errorCode": null}', False),
        (b'{"errorCode": -3}', False),
        (b'[{"errorCode": -16}]', False),
        (b"<html>Not found</html>", False),
        (b"{}", False),
    ],
)
def test_only_an_error_about_the_list_is_an_empty_list(body: bytes, nothing: bool) -> None:
    assert NOTHING.is_said_by(answer(404, body=body, acts=False)) is nothing
    assert not NOTHING.is_said_by(answer(404, body=body, acts=True))


def test_an_import_takes_no_invalid_parameter_for_an_empty_list() -> None:
    assert not NOTHING_TO_IMPORT.is_said_by(answer(404, -79, acts=False))
    assert NOTHING_TO_IMPORT.is_said_by(answer(404, -44, acts=False))


@pytest.mark.parametrize("operation", ["GET relations", "GET accounts", "GET journals", "GET buysellbookings"])
def test_a_plain_read_that_is_answered_with_400_is_a_refused_question(operation: str) -> None:
    for code in (None, -7, -9, -10, -16, -21, -79, -120):
        assert kind_of(400, code, operation=operation, acts=False) is Rejected
    assert kind_of(400, -2, operation=operation, acts=False) is SessionOver
    assert kind_of(400, -3, operation=operation, acts=False) is ActionRequired
    assert kind_of(404, -10, operation=operation, acts=False) is ActionRequired


def test_every_code_has_a_sentence() -> None:
    catalogue = PROBLEMS.over(BOOKING_PROBLEMS.over(GENERIC))
    assert set(CODES.values()) <= set(catalogue)
    assert {kind.who_can_fix for kind in PROBLEMS.values()} <= {"accountant", "entrepreneur", "operator", "koppel"}

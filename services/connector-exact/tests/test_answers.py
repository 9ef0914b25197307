"""What Exact's statuses mean: a functional 500 is a definite no, a bare one is not."""

import json

import pytest

from connector_exact.answers import AlreadyExists, failure
from koppel_connector.contract import (
    ActionRequired,
    OutcomeUnknown,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    VendorAnswer,
)

HTML = "<html><head><title>Object moved</title></head></html>"


def envelope(value: str) -> str:
    return json.dumps({"error": {"code": "", "message": {"lang": "", "value": value}}})


def answer(status: int, body: str = "", *, acts: bool = True, **headers: str) -> VendorAnswer:
    named = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    return VendorAnswer(status, named, body.encode(), "salesentry/SalesEntries", acts)


def test_successes() -> None:
    assert failure(answer(201, '{"d":{}}')) is None
    assert failure(answer(204)) is None
    assert failure(answer(200, '{"d":{"results":[]}}', acts=False)) is None


@pytest.mark.parametrize("body", ["", HTML, "[]", '{"d":', "[" * 100_000])
def test_a_201_that_cannot_be_read_acted_and_is_looked_up(body: str) -> None:
    assert isinstance(failure(answer(201, body)), OutcomeUnknown)


def test_a_201_without_body_is_good_where_location_tells_what_was_made() -> None:
    made = "https://start.exactonline.be/api/v1/7/salesentry/SalesEntries(guid'c4d10000-0000-0000-0000-000000000001')"
    assert failure(answer(201, "", Location=made)) is None
    assert isinstance(failure(answer(201, "", Location="https://start.exactonline.be/")), OutcomeUnknown)


def test_nothing_at_all_answers_no_question() -> None:
    assert isinstance(failure(answer(200, "", acts=False)), RetryLater)


@pytest.mark.parametrize("body", ["{}", '{"d":null}', '{"d":"x"}', '{"error":{"message":{"value":"Later"}}}'])
def test_a_page_that_answers_nothing_has_not_said_that_there_is_nothing(body: str) -> None:
    assert isinstance(failure(answer(200, body, acts=False)), RetryLater)


def test_a_conflict_may_be_our_own_and_is_looked_up() -> None:
    assert isinstance(failure(answer(409, envelope("Conflict"))), OutcomeUnknown)


def test_a_page_of_html_to_a_question_is_asked_again_later() -> None:
    assert isinstance(failure(answer(200, HTML, acts=False)), RetryLater)


@pytest.mark.parametrize(
    ("sentence", "kind", "code"),
    [
        ("Period is closed: 2024 - 1", ActionRequired, "period_closed"),
        ("Invalid reference: VAT code", ActionRequired, "unknown_vat_code"),
        ("Blocked: G/L account: 604000 - x", ActionRequired, "ledger_account_blocked"),
        ("In use: Entry number", ActionRequired, "entry_number_taken"),
        ("The entry is not balanced on: 2022 / 4 - Difference: EUR -0,01", Rejected, "entry_not_balanced"),
        ("Nooit eerder gezien\r\nVerplicht: Dagboek", ActionRequired, "journal_missing"),
        ("Nooit eerder gezien", Rejected, "vendor_refused"),
    ],
)
def test_a_functional_500_is_a_definite_no(sentence: str, kind: type, code: str) -> None:
    found = failure(answer(500, envelope(sentence)))
    assert found is not None
    assert isinstance(found, kind)
    assert found.problem is not None
    assert found.problem.code == code
    assert sentence.split("\r\n")[0] in (found.problem.detail or "")


def test_a_key_that_exists_is_most_likely_ours() -> None:
    assert isinstance(failure(answer(500, envelope("Data already exists"))), AlreadyExists)
    assert issubclass(AlreadyExists, OutcomeUnknown)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 302])
def test_without_the_envelope_nobody_knows(status: int) -> None:
    assert isinstance(failure(answer(status, HTML)), OutcomeUnknown)
    assert isinstance(failure(answer(status, HTML, acts=False)), RetryLater)


def test_an_envelope_on_a_gateways_error_is_not_a_functional_no() -> None:
    assert isinstance(failure(answer(503, envelope("Service unavailable"))), OutcomeUnknown)


@pytest.mark.parametrize(
    ("reason", "value", "code"),
    [
        ("NoDivisionAccess", "Forbidden", "no_division_access"),
        ("LicenseExpired", "Forbidden - Customer's license expired", "licence_expired"),
        ("BlockedUser", "Forbidden", "user_blocked"),
        ("InactiveUser", "Forbidden", "user_blocked"),
        ("BlockedCustomer", "Forbidden", "customer_blocked"),
        ("DivisionBlocked", "Forbidden", "division_blocked"),
        ("", "Forbidden - Application Scope Violated. Cannot write", "app_scope_missing"),
        ("", "Forbidden - User division is not within division scope", "no_division_access"),
        ("", "Forbidden", "missing_right"),
        ("SomethingNew", "", "missing_right"),
    ],
)
def test_403_says_whose_right_is_missing(reason: str, value: str, code: str) -> None:
    found = failure(answer(403, envelope(value) if value else "", Reason=reason))
    assert isinstance(found, ActionRequired)
    assert found.problem is not None
    assert found.problem.code == code


def test_the_others() -> None:
    assert isinstance(failure(answer(429)), RateLimited)
    assert isinstance(failure(answer(401, HTML)), ReauthorisationRequired)
    malformed = failure(answer(400, envelope("Error processing request stream. … to type 'Guid'")))
    assert isinstance(malformed, Rejected)
    assert malformed.problem is not None
    assert malformed.problem.code == "vendor_request_wrong"
    assert isinstance(failure(answer(404, "")), Rejected)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (answer(500, envelope("Gegeven bestaat reeds")), False),
        (answer(500, envelope("Mandatory: Payment condition")), True),
        (answer(400, envelope("Bad request")), True),
        (answer(403), True),
        (answer(404), True),
        (answer(401), True),
        (answer(429), False),
        (answer(500), False),
        (answer(503), False),
    ],
)
def test_the_error_budget_counts_what_exact_counts(given: VendorAnswer, counts: bool) -> None:
    """Exact counts 400, 401, 403 and 404 (exact §4.3), refusals by 500 count by one report; our own repeats are no errors."""
    judged = failure(given)
    assert judged is not None
    assert judged.counts_as_error is counts

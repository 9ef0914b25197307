"""Every state of a connection meets every event."""

import pytest

from koppel_connector import Problem
from koppel_connector.connection.events import (
    ConnectionEvent,
    ConsentGiven,
    LoginRefused,
    ProblemFound,
    Removed,
    SettingsChanged,
    UserNamed,
    VendorAnswered,
)
from koppel_connector.connection.state_machine import transition
from koppel_mesh.messages import ConnectionState as S

REFUSED = Problem("reauthorise", "wrong password")
FORBIDDEN = Problem("forbidden_by_vendor")
EVENTS: dict[str, ConnectionEvent] = {
    "ConsentGiven": ConsentGiven(),
    "SettingsChanged": SettingsChanged(renews_login=False),
    "PasswordChanged": SettingsChanged(renews_login=True),
    "VendorAnswered": VendorAnswered(),
    "UserNamed": UserNamed("An Accountant"),
    "LoginRefused": LoginRefused(REFUSED),
    "ProblemFound": ProblemFound(FORBIDDEN),
    "Removed": Removed(),
}
# state → event → (new state, whether what waited goes on). What is not named changes nothing.
TABLE: dict[S, dict[str, tuple[S, bool]]] = {
    S.AUTHORISING: {
        "ConsentGiven": (S.CONNECTED, True),
        "SettingsChanged": (S.AUTHORISING, True),
        "PasswordChanged": (S.CONNECTED, True),
        "LoginRefused": (S.REAUTHORISE, False),
        "Removed": (S.DISCONNECTED, False),
    },
    S.CONNECTED: {
        "ConsentGiven": (S.CONNECTED, True),
        "SettingsChanged": (S.CONNECTED, True),
        "PasswordChanged": (S.CONNECTED, True),
        "VendorAnswered": (S.CONNECTED, True),
        "UserNamed": (S.CONNECTED, False),
        "LoginRefused": (S.REAUTHORISE, False),
        "ProblemFound": (S.DEGRADED, False),
        "Removed": (S.DISCONNECTED, False),
    },
    S.DEGRADED: {
        "ConsentGiven": (S.CONNECTED, True),
        "SettingsChanged": (S.CONNECTED, True),
        "PasswordChanged": (S.CONNECTED, True),
        "VendorAnswered": (S.CONNECTED, True),
        "UserNamed": (S.DEGRADED, False),
        "LoginRefused": (S.REAUTHORISE, False),
        "ProblemFound": (S.DEGRADED, False),
        "Removed": (S.DISCONNECTED, False),
    },
    S.REAUTHORISE: {
        "ConsentGiven": (S.CONNECTED, True),
        "SettingsChanged": (S.REAUTHORISE, False),
        "PasswordChanged": (S.CONNECTED, True),
        "LoginRefused": (S.REAUTHORISE, False),
        "Removed": (S.DISCONNECTED, False),
    },
    S.DISCONNECTED: {},
}


def test_the_table_names_every_state_and_every_event() -> None:
    assert set(TABLE) == set(S)
    assert {type(event) for event in EVENTS.values()} == set(ConnectionEvent.__args__)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", TABLE)
def test_every_state_meets_every_event(state: S, event: str) -> None:
    made = transition(state, EVENTS[event])
    assert (None if made is None else (made.to, made.resumes)) == TABLE[state].get(event)


@pytest.mark.parametrize("state", [S.CONNECTED, S.DEGRADED])
def test_what_stopped_it_is_told_until_it_works_again(state: S) -> None:
    refused, found, named, works = (
        transition(state, EVENTS[each]) for each in ("LoginRefused", "ProblemFound", "UserNamed", "VendorAnswered")
    )
    assert refused is not None and refused.problem == REFUSED
    assert found is not None and found.problem == FORBIDDEN
    assert named is not None and (named.keeps_problem, named.user) == (True, "An Accountant")
    assert works is not None and (works.problem, works.keeps_problem) == (None, False)


def test_settings_that_do_not_renew_the_login_leave_the_reason_of_the_refusal() -> None:
    made = transition(S.REAUTHORISE, EVENTS["SettingsChanged"])
    assert made is not None and made.keeps_problem

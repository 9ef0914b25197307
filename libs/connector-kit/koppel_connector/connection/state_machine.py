"""The connection's state machine: a pure function from (state, event) to a transition (design: authorising → connected → …).

Events come late: an import that began before a password was refused may end well after it. Such an event changes nothing, and
that is no error. Nothing but a consent or changed settings leads out of ``reauthorise``: a success that began before the
refusal proves nothing, and vendors lock out users who knock again.
"""

from dataclasses import dataclass

from koppel_connector.contract.problems import Problem
from koppel_mesh.messages import ConnectionState

from .events import (
    ConnectionEvent,
    ConsentGiven,
    LoginRefused,
    ProblemFound,
    Removed,
    SettingsChanged,
    UserNamed,
    VendorAnswered,
)

AUTHORISING = ConnectionState.AUTHORISING
CONNECTED = ConnectionState.CONNECTED
DEGRADED = ConnectionState.DEGRADED
REAUTHORISE = ConnectionState.REAUTHORISE
DISCONNECTED = ConnectionState.DISCONNECTED


@dataclass(frozen=True)
class ConnectionTransition:
    """The new state, and what goes with it."""

    to: ConnectionState
    problem: Problem | None = None
    """What a person is told; None takes what was told before away."""
    keeps_problem: bool = False
    """What was told before stays."""
    resumes: bool = False
    """Pauses end, and what waited for the connection goes on."""
    user: str | None = None


def transition(state: ConnectionState, event: ConnectionEvent) -> ConnectionTransition | None:
    """Return what becomes of a connection; None when ``event`` changes nothing in this state."""
    if state is DISCONNECTED:
        return None
    match event:
        case Removed():
            return ConnectionTransition(DISCONNECTED)
        case ConsentGiven():
            return ConnectionTransition(CONNECTED, resumes=True)
        case LoginRefused(problem):
            return ConnectionTransition(REAUTHORISE, problem)
        case SettingsChanged(renews_login):
            return _after_settings(state, renews_login)
        case VendorAnswered() if state in (CONNECTED, DEGRADED):
            return ConnectionTransition(CONNECTED, resumes=True)
        case UserNamed(user) if state in (CONNECTED, DEGRADED):
            return ConnectionTransition(state, keeps_problem=True, user=user)
        case ProblemFound(problem) if state in (CONNECTED, DEGRADED):
            return ConnectionTransition(DEGRADED, problem)
    return None


def _after_settings(state: ConnectionState, renews_login: bool) -> ConnectionTransition:
    if state in (AUTHORISING, REAUTHORISE) and not renews_login:
        return ConnectionTransition(state, keeps_problem=True, resumes=state is AUTHORISING)
    return ConnectionTransition(CONNECTED, resumes=True)

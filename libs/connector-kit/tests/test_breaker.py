"""The breaker as a pure function: every state meets every observation."""

from datetime import UTC, datetime, timedelta

import pytest

from koppel_connector.connection.breaker import (
    Answered,
    Breaker,
    Observation,
    Outage,
    Pace,
    ProbeInconclusive,
    ProbeStarted,
    ResetRequested,
    observe,
)

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
PACE = Pace(first_s=1.0, share=0.01, longest_s=60.0)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


CLOSED = Breaker()
OPEN = Breaker(after(-100), after(5), 3)
HALF_OPEN = Breaker(after(-100), after(-1), 3)
BREAKERS = {"closed": CLOSED, "open": OPEN, "half open": HALF_OPEN}
OBSERVATIONS: dict[str, Observation] = {
    "outage": Outage(),
    "outage, come back in 30 s": Outage(30.0),
    "outage of a probe": Outage(is_probe=True),
    "answered": Answered(),
    "probe started": ProbeStarted(20.0),
    "probe inconclusive": ProbeInconclusive(),
    "reset requested": ResetRequested(),
}
TABLE = {
    ("closed", "outage"): Breaker(NOW, after(1), 1),
    ("closed", "outage, come back in 30 s"): Breaker(NOW, after(30), 1),
    ("closed", "outage of a probe"): Breaker(NOW, after(1), 1),
    ("closed", "answered"): CLOSED,
    ("closed", "probe started"): CLOSED,
    ("closed", "probe inconclusive"): CLOSED,
    ("closed", "reset requested"): CLOSED,
    ("open", "outage"): OPEN,
    ("open", "outage, come back in 30 s"): Breaker(after(-100), after(30), 3),
    ("open", "outage of a probe"): Breaker(after(-100), after(2), 4),
    ("open", "answered"): CLOSED,
    ("open", "probe started"): Breaker(after(-100), after(20), 3),
    ("open", "probe inconclusive"): Breaker(after(-100), after(2), 3),
    ("open", "reset requested"): CLOSED,
    ("half open", "outage"): Breaker(after(-100), after(2), 4),
    ("half open", "outage, come back in 30 s"): Breaker(after(-100), after(30), 4),
    ("half open", "outage of a probe"): Breaker(after(-100), after(2), 4),
    ("half open", "answered"): CLOSED,
    ("half open", "probe started"): Breaker(after(-100), after(20), 3),
    ("half open", "probe inconclusive"): Breaker(after(-100), after(2), 3),
    ("half open", "reset requested"): CLOSED,
}


@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("breaker", BREAKERS)
def test_every_state_meets_every_observation(breaker: str, observation: str) -> None:
    assert observe(BREAKERS[breaker], OBSERVATIONS[observation], PACE, NOW) == TABLE[breaker, observation]


def test_eight_failures_of_one_moment_are_one() -> None:
    breaker = CLOSED
    for _ in range(8):
        breaker = observe(breaker, Outage(), PACE, NOW)
    assert breaker == Breaker(NOW, after(1), 1)


@pytest.mark.parametrize(("away_s", "pause_s"), [(0.5, 1.005), (60, 1.6), (600, 7.0), (3600, 37.0), (86_400, 60.0)])
def test_the_pause_grows_with_the_time_away(away_s: float, pause_s: float) -> None:
    breaker = observe(Breaker(after(-away_s), NOW, 40), Outage(is_probe=True), PACE, NOW)
    assert breaker.probe_at == after(pause_s)


def test_a_vendor_may_ask_for_a_longer_pause_but_not_for_one_of_weeks() -> None:
    assert observe(CLOSED, Outage(3600), PACE, NOW).probe_at == after(3600)
    assert observe(CLOSED, Outage(1e9), PACE, NOW).probe_at == after(86_400)

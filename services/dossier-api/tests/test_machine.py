"""Every state with every step, and every pair of deliveries."""

import itertools
from datetime import UTC, datetime

import pytest

from dossier_api.machine import DeliveryProgress, IllegalStep, Step, after, with_deliveries
from koppel_mesh.messages import DeliveryState, DocumentState

S = DocumentState
AT = datetime(2026, 11, 3, tzinfo=UTC)
NOWHERE_YET = (S.RECEIVED, S.AWAITING_ENTRY, S.HELD, S.AWAITING_APPROVAL, S.FILED)
LEGAL = {
    (S.RECEIVED, Step.LACKS_DATA, True): S.AWAITING_ENTRY,
    (S.RECEIVED, Step.LACKS_DATA, False): S.AWAITING_ENTRY,
    (S.RECEIVED, Step.COMPLETE, True): S.AWAITING_APPROVAL,
    (S.RECEIVED, Step.COMPLETE, False): S.FILED,
    (S.AWAITING_ENTRY, Step.LACKS_DATA, True): S.AWAITING_ENTRY,
    (S.AWAITING_ENTRY, Step.LACKS_DATA, False): S.AWAITING_ENTRY,
    (S.AWAITING_ENTRY, Step.COMPLETE, True): S.AWAITING_APPROVAL,
    (S.AWAITING_ENTRY, Step.COMPLETE, False): S.FILED,
    (S.AWAITING_APPROVAL, Step.APPROVE, True): S.FILED,
    (S.AWAITING_APPROVAL, Step.APPROVE, False): S.FILED,
    (S.FILED, Step.REQUIRE_APPROVAL, True): S.AWAITING_APPROVAL,
    **{(state, Step.ASK, approval): S.HELD for state in NOWHERE_YET for approval in (True, False)},
    **{(state, Step.DROP, approval): S.DROPPED for state in (S.HELD, S.DROPPED) for approval in (True, False)},
    **{(state, Step.COMPLETE, True): S.AWAITING_APPROVAL for state in (S.HELD, S.DROPPED)},
    **{(state, Step.COMPLETE, False): S.FILED for state in (S.HELD, S.DROPPED)},
}


@pytest.mark.parametrize(("state", "step", "approval"), list(itertools.product(S, Step, (True, False))))
def test_a_step_is_legal_only_where_the_table_says(state: S, step: Step, approval: bool) -> None:
    expected = LEGAL.get((state, step, approval))
    if expected is None:
        with pytest.raises(IllegalStep):
            after(state, step, approval_required=approval)
    else:
        assert after(state, step, approval_required=approval) is expected


def _progress(state: DeliveryState, *, exported: bool, booked: bool) -> DeliveryProgress:
    return DeliveryProgress(state, AT if exported else None, AT if booked else None)


ALL_FACTS = [
    _progress(state, exported=exported, booked=booked)
    for state in DeliveryState
    for exported, booked in ((False, False), (True, False), (True, True))
]


def _reached(each: DeliveryProgress) -> int:
    """0 nothing, 1 exported, 2 booked — said another way than the machine says it."""
    match each.state:
        case DeliveryState.FAILED | DeliveryState.SUPERSEDED:
            return 0
        case DeliveryState.EXPORTED:
            return 1
        case DeliveryState.BOOKED:
            return 2
        case _:
            return 2 if each.booked_at else 1 if each.exported_at else 0


@pytest.mark.parametrize("state", list(S))
def test_a_document_is_as_far_as_the_furthest_of_its_deliveries(state: S) -> None:
    for deliveries in [[], *([each] for each in ALL_FACTS), *itertools.combinations(ALL_FACTS, 2)]:
        reached = max((_reached(each) for each in deliveries), default=0)
        expected: S
        if state in {S.RECEIVED, S.AWAITING_ENTRY, S.HELD, S.DROPPED}:
            expected = state
        elif reached:
            expected = S.BOOKED if reached == 2 else S.EXPORTED
        else:
            expected = S.AWAITING_APPROVAL if state is S.AWAITING_APPROVAL else S.FILED
        assert with_deliveries(state, deliveries) is expected, deliveries


def test_a_search_for_what_is_booked_takes_nothing_back() -> None:
    searched = _progress(DeliveryState.UNKNOWN, exported=True, booked=True)
    assert with_deliveries(S.BOOKED, [searched]) is S.BOOKED


def test_what_the_vendor_lost_is_filed_again() -> None:
    lost = _progress(DeliveryState.FAILED, exported=False, booked=False)
    assert with_deliveries(S.BOOKED, [lost]) is S.FILED

"""The states of a document (design §5) as pure functions: what a step does, and what deliveries make of it.

    received → awaiting_entry → held → awaiting_approval → filed → exported → booked

Held is what waits for a person's answer; the answer may also make it ``dropped``.
The first half is walked by people, the second half is read off the deliveries: a document is as far as the furthest of
them. It can come back to ``filed`` when the vendor turns out not to have it any more; it is never exported or booked
because somebody says so here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from koppel_mesh.messages import DeliveryState, DocumentState


class Step(StrEnum):
    """What can happen to a document on our side."""

    LACKS_DATA = "lacks_data"
    """It came as a bare PDF; a person has to enter what it says."""
    COMPLETE = "complete"
    """Everything that is needed is known, every question is answered."""
    ASK = "ask"
    """A person has to answer a question before it goes; only what went nowhere yet is asked about."""
    DROP = "drop"
    """A person said that it must not go."""
    APPROVE = "approve"
    REQUIRE_APPROVAL = "require_approval"
    """Its dossier asks for approval from now on."""


class IllegalStep(Exception):
    """The document's state does not allow this step."""


_S = DocumentState


def after(state: DocumentState, step: Step, *, approval_required: bool) -> DocumentState:
    """Return the state after ``step``.

    Raises:
        IllegalStep: when the step makes no sense in ``state``.
    """
    if step is Step.LACKS_DATA and state in {_S.RECEIVED, _S.AWAITING_ENTRY}:
        return _S.AWAITING_ENTRY
    if step is Step.COMPLETE and state in {_S.RECEIVED, _S.AWAITING_ENTRY, _S.HELD, _S.DROPPED}:
        return _S.AWAITING_APPROVAL if approval_required else _S.FILED
    if step is Step.ASK and state in {_S.RECEIVED, _S.AWAITING_ENTRY, _S.AWAITING_APPROVAL, _S.FILED, _S.HELD}:
        return _S.HELD
    if step is Step.DROP and state in {_S.HELD, _S.DROPPED}:
        return _S.DROPPED
    if step is Step.APPROVE and state is _S.AWAITING_APPROVAL:
        return _S.FILED
    if step is Step.REQUIRE_APPROVAL and state is _S.FILED and approval_required:
        return _S.AWAITING_APPROVAL
    raise IllegalStep(f"{step} in {state}")


@dataclass(frozen=True)
class DeliveryProgress:
    """What counts of one delivery."""

    state: DeliveryState
    exported_at: datetime | None
    booked_at: datetime | None


_ENDED_WITHOUT = {DeliveryState.FAILED, DeliveryState.SUPERSEDED}


def is_exported(delivery: DeliveryProgress) -> bool:
    """Return whether the vendor has it; one that is merely looked up again (R060) still does."""
    if delivery.state in _ENDED_WITHOUT:
        return False
    return delivery.state in {DeliveryState.EXPORTED, DeliveryState.BOOKED} or delivery.exported_at is not None


def is_booked(delivery: DeliveryProgress) -> bool:
    """Return whether its entry was seen in the vendor's books; a step back to ``exported`` says that it is not."""
    if delivery.state in _ENDED_WITHOUT | {DeliveryState.EXPORTED}:
        return False
    return delivery.state is DeliveryState.BOOKED or delivery.booked_at is not None


def with_deliveries(state: DocumentState, deliveries: Iterable[DeliveryProgress]) -> DocumentState:
    """Return the state of a document in ``state`` given all its deliveries.

    A document that lacks data or an answer keeps saying so, even when a folder or a mailbox already took its PDF.
    """
    known = list(deliveries)
    if state in {_S.RECEIVED, _S.AWAITING_ENTRY, _S.HELD, _S.DROPPED}:
        return state
    if any(is_booked(each) for each in known):
        return _S.BOOKED
    if any(is_exported(each) for each in known):
        return _S.EXPORTED
    return _S.FILED if state in {_S.EXPORTED, _S.BOOKED} else state

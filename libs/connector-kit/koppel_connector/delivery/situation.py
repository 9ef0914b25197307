"""What the machine knows of a delivery, how patient it is, and what it decides: values only."""

from dataclasses import dataclass
from datetime import datetime

from koppel_connector.contract.problems import Problem
from koppel_mesh.messages import DeliveryState

READY = DeliveryState.READY
SENDING = DeliveryState.SENDING
EXPORTED = DeliveryState.EXPORTED
BOOKED = DeliveryState.BOOKED
FAILED = DeliveryState.FAILED
BLOCKED = DeliveryState.BLOCKED
UNKNOWN = DeliveryState.UNKNOWN
REVIEW = DeliveryState.REVIEW
SUPERSEDED = DeliveryState.SUPERSEDED


@dataclass(frozen=True)
class Situation:
    """What the machine needs to know of a delivery."""

    state: DeliveryState
    unknown_since: datetime | None = None
    """Set while the vendor may hold something we cannot account for; survives ``blocked``, restarts, and being left."""
    failures: int = 0
    """Definite failures so far, sends of which nothing was found among them; waiting for a person or budget is none."""
    lookups: int = 0
    """Searches that could not tell, and read-backs that saw nothing yet: paces the next."""
    not_found: int = 0
    """Complete searches in a row that found nothing."""
    exported_at: datetime | None = None


@dataclass(frozen=True)
class Patience:
    """How long this service and this vendor wait for what, and how often they try."""

    retry_schedule_s: tuple[float, ...]
    settle_s: float
    on_ambiguous: str = "lookup"
    reads_back: bool = True
    may_stay_exported: bool = False
    unbooked_after_s: float = 86_400.0
    review_after_s: float = 86_400.0
    jitter: float = 1.0
    """Between 0.8 and 1.2, drawn by the caller."""


@dataclass(frozen=True)
class Transition:
    """The new situation; ``due_at`` is when somebody must look again (None: never by itself)."""

    to: Situation
    due_at: datetime | None = None
    problem: Problem | None = None
    keeps_problem: bool = False

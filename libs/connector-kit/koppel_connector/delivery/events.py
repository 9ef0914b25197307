"""What can happen to a delivery: the events of ``state_machine``."""

from dataclasses import dataclass
from datetime import datetime

from koppel_connector.contract.problems import Problem


@dataclass(frozen=True)
class Claimed:
    """A worker took it: a ready one to send, an unknown one to look up."""


@dataclass(frozen=True)
class Accepted:
    """The vendor has it, by its own answer or by a search that found exactly one."""


@dataclass(frozen=True)
class Refused:
    """A definite no, for good."""

    problem: Problem


@dataclass(frozen=True)
class RetryScheduled:
    """A definite "not now"."""

    retry_after_s: float | None = None
    problem: Problem | None = None


@dataclass(frozen=True)
class VendorUnavailable:
    """The vendor is away; nothing was done. Its connection is paused, and the delivery is due when that ends.

    ``was_well``: it was well until this delivery came, so that the document may be the reason: one try is spent.
    """

    problem: Problem | None = None
    was_well: bool = False


@dataclass(frozen=True)
class Deferred:
    """Not before then: there is no budget, or something of our own is away. Nothing is spent on it."""

    until: datetime
    problem: Problem | None = None


@dataclass(frozen=True)
class ActionNeeded:
    """Somebody must change something first. Nothing was sent, or it was refused without effect."""

    problem: Problem


@dataclass(frozen=True)
class Ambiguous:
    """It may have been sent; the answer is missing. ``deadline_at`` is when the attempt could last have acted."""

    deadline_at: datetime
    problem: Problem | None = None


@dataclass(frozen=True)
class LookupFoundNothing:
    """A complete search found nothing."""


@dataclass(frozen=True)
class LookupFailed:
    """The search could not tell; ``reason`` is for the person who may have to."""

    reason: str | None = None


@dataclass(frozen=True)
class LookupAmbiguous:
    """The search found more than one, or something else in its place: ``problem`` says which."""

    problem: Problem | None = None


@dataclass(frozen=True)
class PriorDeliveryFound:
    """Before it was sent, an earlier delivery of the document was found in the same books."""

    problem: Problem


@dataclass(frozen=True)
class OwnEntryFound:
    """Before it was sent, its own entry was found in the books: it was sent, and a database that was set back forgot it."""


@dataclass(frozen=True)
class EntryFoundInBooks:
    """Before it was sent, an entry of it was found in the books that somebody else made."""

    problem: Problem


@dataclass(frozen=True)
class LeaseExpired:
    """The worker died. ``deadline_at`` is that of an attempt that acts and was left open, if there was one."""

    deadline_at: datetime | None = None


@dataclass(frozen=True)
class ReadBackBooked:
    """Read back: in the books, totals equal."""


@dataclass(frozen=True)
class ReadBackPending:
    """Read back: there, not in the books yet (or nothing was said about it)."""


@dataclass(frozen=True)
class ReadBackEnded:
    """Nobody can look in the books any more: the connection was removed."""


@dataclass(frozen=True)
class ReadBackMissing:
    """Read back: gone."""


@dataclass(frozen=True)
class ReadBackMismatch:
    """Read back: in the books with other totals."""

    problem: Problem


@dataclass(frozen=True)
class EntryReported:
    """The vendor told that something was done with the entry, or that it is gone: look, also where it counts as booked."""


@dataclass(frozen=True)
class Bounced:
    """What the vendor had taken did not arrive: a definite no after all."""

    problem: Problem


@dataclass(frozen=True)
class RetryRequested:
    """A person asked to try now."""


@dataclass(frozen=True)
class Unblocked:
    """What the delivery waited for has changed."""


@dataclass(frozen=True)
class ReexportRequested:
    """Export "including already exported": make sure it is there (R060)."""


@dataclass(frozen=True)
class Superseded:
    """A newer revision of the document takes its place, if this one cannot have reached the vendor."""


@dataclass(frozen=True)
class ResolvedAsBooked:
    """A person says: it is in the books."""


@dataclass(frozen=True)
class ResolvedForResend:
    """A person says: it is not there, send it."""


@dataclass(frozen=True)
class ResolvedAsAbandoned:
    """A person says: leave it. What the vendor has taken stays exported, and is not looked for any more."""

    problem: Problem | None = None


Event = (
    Claimed
    | Accepted
    | Refused
    | RetryScheduled
    | VendorUnavailable
    | Deferred
    | ActionNeeded
    | Ambiguous
    | LookupFoundNothing
    | LookupFailed
    | LookupAmbiguous
    | PriorDeliveryFound
    | OwnEntryFound
    | EntryFoundInBooks
    | LeaseExpired
    | ReadBackBooked
    | ReadBackPending
    | ReadBackEnded
    | ReadBackMissing
    | ReadBackMismatch
    | EntryReported
    | Bounced
    | RetryRequested
    | Unblocked
    | ReexportRequested
    | Superseded
    | ResolvedAsBooked
    | ResolvedForResend
    | ResolvedAsAbandoned
)

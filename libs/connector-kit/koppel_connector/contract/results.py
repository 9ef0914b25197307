"""What a connector brings back: values that say what came of a step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from koppel_mesh.messages import LocalisedText

from .problems import Problem


@dataclass(frozen=True)
class Sent:
    """The vendor has it."""

    remote_id: str
    entry_number: str | None = None
    entry_url: str | None = None


@dataclass(frozen=True)
class Found:
    """The search by reference found it. ``count`` above 1 goes to a person, and so does something else in its place."""

    remote_id: str
    entry_number: str | None = None
    entry_url: str | None = None
    count: int = 1
    problem: Problem | None = None
    """What was found is not ours: a person decides, told by this problem."""


@dataclass(frozen=True)
class NotFound:
    """The search was complete and found nothing."""


@dataclass(frozen=True)
class CannotTell:
    """The search could not be completed."""

    reason: str = ""


@dataclass(frozen=True)
class Booked:
    """Seen in the books, totals equal to the cent."""

    entry_number: str
    entry_url: str | None = None


@dataclass(frozen=True)
class NotBooked:
    """There, but not in the books yet."""


@dataclass(frozen=True)
class Vanished:
    """It was there and is there no more."""


@dataclass(frozen=True)
class Differs:
    """In the books, but not as the document says."""

    problem: Problem
    entry_number: str | None = None
    entry_url: str | None = None


@dataclass(frozen=True)
class TurnedDown:
    """Taken, and refused afterwards by somebody at the vendor, or by what works there: it will not be booked from this."""

    problem: Problem


ReadBack = Booked | NotBooked | Vanished | Differs | TurnedDown


@dataclass(frozen=True)
class RemoteDossier:
    """A division or dossier the login can reach, or sees and cannot use."""

    id: str
    name: str
    reachable: bool
    missing_right: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RemoteCompany:
    """The company whose books a connection leads to, as the vendor names it."""

    name: str
    numbers: tuple[str, ...] = ()
    """Its VAT and enterprise numbers, in any spelling; empty where the vendor knows none."""


@dataclass(frozen=True)
class CheckStep:
    """One line of a health check."""

    name: str
    """``login``, ``rights``, ``year``, ``journals``, ``vat_codes``."""
    ok: bool
    problem: Problem | None = None
    detail: str | None = None
    message: LocalisedText | None = None

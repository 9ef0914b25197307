"""What a connector supplies to the conformance suite: its vendor, as a server that can be made to misbehave."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from .testbed import Testbed


class Fault(StrEnum):
    """What happens to a call that books. "Acts" means that the booking is made all the same."""

    ACTS_THEN_HANGS = "acts_then_hangs"
    ACTS_THEN_RESETS = "acts_then_resets"
    ACTS_THEN_HALF_ANSWER = "acts_then_half_answer"
    ACTS_THEN_ERROR = "acts_then_error"
    """An unknown 5xx that says nothing, after the booking was made."""
    RESETS = "resets"
    """The connection breaks before anything was done."""
    THROTTLES = "throttles"
    UNAUTHORISED = "unauthorised"
    """The access token is refused; the refresh token still works."""
    FORBIDS = "forbids"
    """A right is missing."""


class VendorHarness(ABC):
    """A fake of the vendor, over real HTTP, that remembers everything."""

    @abstractmethod
    async def connect(self, testbed: Testbed) -> UUID:
        """Make a connected connection with complete settings and imported master data; return its id."""

    @abstractmethod
    def document(self, number: int) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
        """Return a document of dossier-api (JSON) that can be booked, and its files by role; another for each number."""

    @abstractmethod
    async def fail(self, fault: Fault, times: int = 1) -> None:
        """Have the next ``times`` calls that book end in ``fault``; a big number means "until repaired"."""

    @abstractmethod
    async def repair(self) -> None:
        """End every fault."""

    @abstractmethod
    async def index_late(self, delay_s: float) -> None:
        """Have the vendor's search find a booking only ``delay_s`` after it was made."""

    @abstractmethod
    async def bookings(self) -> Mapping[str, int]:
        """Return how many bookings the vendor holds per remote reference (``KPL-…``)."""

    @abstractmethod
    async def calls_seen(self) -> int:
        """Return how many requests the vendor has seen, token calls included."""

    @abstractmethod
    async def limits_broken(self) -> int:
        """Return how often the vendor had to refuse a call because its limits were exceeded by us, faults aside."""

    @abstractmethod
    async def spent_tokens_used(self) -> int:
        """Return how often a consumed refresh token was used again."""

    async def process(self) -> None:
        """Have the vendor's people put everything into the books, where that is a step of its own."""
        return

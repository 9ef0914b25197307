"""What a connector supplies to the conformance suite: its vendor, as a server that can be made to misbehave."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from koppel_mesh.messages import DocumentKind

from .books import HeldBooking
from .document_factory import Party, Sample, sample
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
    """A fake of the vendor that remembers everything."""

    @abstractmethod
    async def connect(self, testbed: Testbed) -> UUID:
        """Make a connected connection with complete settings and imported master data; return its id."""

    def document(
        self, number: int, kind: DocumentKind = DocumentKind.SALES_INVOICE, counterparty: Party | None = None
    ) -> Sample:
        """Return a document that can be booked; another for each number and kind. Override to send samples of your own."""
        return sample(number, kind, counterparty)

    # ---------------------------------------------------------------------------------------------------- what goes wrong

    @abstractmethod
    async def fail(self, fault: Fault, times: int = 1) -> None:
        """Have the next ``times`` calls that book end in ``fault``; a big number means "until repaired"."""

    @abstractmethod
    async def repair(self) -> None:
        """End every fault."""

    @abstractmethod
    async def index_late(self, delay_s: float) -> None:
        """Have the vendor's search find a booking only ``delay_s`` after it was made."""

    # ------------------------------------------------------------------------------------------------- what the books hold

    @abstractmethod
    async def books(self) -> Sequence[HeldBooking]:
        """Return every booking the vendor holds, as it stands there: what is compared with the documents."""

    @abstractmethod
    async def objects(self) -> Mapping[str, int]:
        """Return how many objects of each kind the vendor holds: ``relation``, ``entry``, ``attachment`` and so on."""

    async def bookings(self) -> Mapping[str, int]:
        """Return how many bookings the vendor holds per remote reference (``KPL-…``)."""
        return Counter(held.reference for held in await self.books())

    async def change(self, reference: str) -> None:
        """Change the total of a booking by a cent, as somebody at the vendor may; only asked where books can be read."""
        raise NotImplementedError(f"{type(self).__name__} has books and cannot change them")

    async def remove(self, reference: str) -> None:
        """Remove a booking, as somebody at the vendor may; only asked where books can be read."""
        raise NotImplementedError(f"{type(self).__name__} has books and cannot remove from them")

    async def process(self) -> None:
        """Have the vendor's people put everything into the books, where that is a step of its own."""
        return

    # ------------------------------------------------------------------------------------------------- what the vendor saw

    @abstractmethod
    async def calls_seen(self) -> int:
        """Return how many requests the vendor has seen, token calls included."""

    @abstractmethod
    async def limits_broken(self) -> int:
        """Return how often the vendor had to refuse a call because its limits were exceeded by us, faults aside."""

    @abstractmethod
    async def spent_tokens_used(self) -> int:
        """Return how often a consumed refresh token was used again."""

"""What a connector supplies to the conformance suite: its vendor, as a server that can be made to misbehave."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from koppel_mesh.messages import DocumentKind

from .books import HeldBooking
from .document_factory import Party, Sample, sample
from .fault_gate import FaultGate
from .loopback import Request
from .testbed import Testbed
from .vendor_faults import Fault


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
        """Have the vendor's searches find what was made, of whatever kind, only ``delay_s`` later."""

    async def lose_first_answers(self) -> None:
        """Have each call that changes something act, and its answer get lost the first time; asked where one can look up."""
        raise NotImplementedError(f"{type(self).__name__} cannot lose answers")

    async def throttle_reading(self) -> bool:
        """Have every call that reads the books answered with "too many", until repaired.

        Returns:
            False where reading has no limit of its own, so that whatever throttles it throttles sending too.
        """
        return False

    async def become_company(self, name: str, number: str) -> bool:  # noqa: ARG002 - for those who override
        """Have the company behind the connection be another one, as after a slip in a list or a move at the vendor.

        Returns:
            False where the vendor tells no number of the company.
        """
        return False

    async def type_in(self, document: Sample, *, cents: int = 0) -> str:
        """Have somebody at the vendor book a document, its total so many cents higher; return the number of the entry.

        Only asked where the books can be searched (``Profile.book_search``). Of its lines one is enough, and no file is.
        """
        raise NotImplementedError(f"{type(self).__name__} has books to search and cannot type into them")

    async def take_number(self) -> bool:
        """Have the number that the next booking brings along taken by somebody else, between its look and its booking.

        Returns:
            False where this vendor gives the numbers itself, so that none can be taken.
        """
        return False

    async def change_password(self) -> None:
        """Have the user's password changed at the vendor and every session ended; only asked where there is a password."""
        raise NotImplementedError(f"{type(self).__name__} has a password and cannot change it")

    async def wrong_passwords(self) -> int:
        """Return how often the vendor has refused a password; only asked where there is one."""
        raise NotImplementedError(f"{type(self).__name__} has a password and does not count wrong ones")

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


class HttpHarness(VendorHarness):
    """A vendor behind a ``FaultGate``: the gate spoils calls and counts them."""

    def __init__(self, gate: FaultGate) -> None:
        self.gate = gate

    @abstractmethod
    def is_booking(self, request: Request) -> bool:
        """Return whether a request books a document."""

    def is_acting(self, request: Request) -> bool:
        """Return whether a request changes something; logins do not count. Override where the method does not tell."""
        return request.method not in ("GET", "HEAD")

    async def fail(self, fault: Fault, times: int = 1) -> None:
        """Have the gate spoil the next calls that book."""
        self.gate.fail(fault, self.is_booking, times)

    async def repair(self) -> None:
        """Have the gate spoil nothing more."""
        self.gate.repair()

    async def lose_first_answers(self) -> None:
        """Have the gate lose the first answer to each call that changes something."""
        self.gate.lose_first_answers(self.is_acting)

    async def calls_seen(self) -> int:
        """Return how many requests came to the gate."""
        return len(self.gate.seen)

    async def limits_broken(self) -> int:
        """Return 0: a vendor that counts its limits overrides this."""
        return 0

    async def spent_tokens_used(self) -> int:
        """Return 0: a vendor with rotating tokens overrides this."""
        return 0

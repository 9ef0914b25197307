"""The relation of a booking: known from the import, else searched at the vendor, else created, and given the role it needs.

A relation that was found or created is remembered, so a party costs calls for its first document only (R097, R099).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from koppel_bookkeeping import Booking, CannotBook, Party, Side
from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.parties import name_key, number_key, recognise
from koppel_connector.contract.delivery import DeliveryContext
from koppel_connector.contract.master_data import MasterDataStore

from .records import TypedRecord


@dataclass(frozen=True)
class RelationRecord(TypedRecord):
    """A customer or supplier at the vendor; a vendor's two lists become one here."""

    kind: ClassVar[str] = "relation"
    number_field: ClassVar[str] = "code"
    """The field that holds the number by which documents name it (``Party.code``)."""

    vat_number: str
    enterprise_number: str
    blocked: bool

    @property
    def counterparty(self) -> Counterparty:
        """Return it as documents name the other side."""
        return Counterparty(
            name=self.name, enterprise_number=self.enterprise_number or None, vat_number=self.vat_number or None
        )

    @abstractmethod
    def has_role(self, side: Side) -> bool:
        """Whether it may stand on an entry of this side: customer or supplier."""

    @classmethod
    def number_meant(cls, code: str) -> str:
        """Return the number that a document means by a customer number, written as ``number_field`` is; empty: none."""
        return code

    def is_numbered(self, code: str) -> bool:
        """Whether a document that names the party by this customer number means it."""
        number = self.number_meant(code)
        return number != "" and number == getattr(self, self.number_field)

    def search_keys(self) -> dict[str, Any]:
        """Return its numbers and name as they are compared, and its roles as people are shown them."""
        return {
            "vat_key": number_key(self.vat_number),
            "enterprise_key": number_key(self.enterprise_number),
            "name_key": name_key(self.name),
            "is_customer": self.has_role("sale"),
            "is_supplier": self.has_role("purchase"),
        }


R = TypeVar("R", bound=RelationRecord)


class RelationsOfVendor(ABC, Generic[R]):
    """What only the vendor can do: search, create and change a relation."""

    record: type[R]
    name_length_max: int | None = None
    """How much of a name the vendor can hold."""

    @abstractmethod
    async def search(self, party: Party) -> list[R]:
        """Return the relations that could be this party; ``recognise`` decides which of them it is."""

    @abstractmethod
    async def create(self, party: Party, side: Side) -> R:
        """Create the relation with the role of ``side``, idempotently: another document may create it at this moment."""

    @abstractmethod
    async def give_role(self, relation: R, side: Side) -> R:
        """Give a relation the role that it lacks, change nothing else, and return it with the role."""

    async def complete(self, relation: R, side: Side) -> R:  # noqa: ARG002 - most have nothing to add
        """Return the relation with the fields that an older version did not import; itself where it has them."""
        return relation


def candidates(party: Party, store: MasterDataStore, record: type[R], name_length_max: int | None = None) -> list[R]:
    """Return the imported relations that could be this party, by the keys they are kept under."""
    found = [
        kept
        for number in party.numbers
        for key in ("vat_key", "enterprise_key")
        for kept in store.find(record.kind, key, number)
    ]
    for key in party.name_keys(name_length_max):
        found += store.find(record.kind, "name_key", key)
    if number := record.number_meant(party.code):
        found += store.find(record.kind, record.number_field, number)
    return [record.of(kept) for kept in {kept.remote_id: kept for kept in found}.values()]


def known(store: MasterDataStore, booking: Booking, relations: RelationsOfVendor[R]) -> R | None:
    """Return the imported relation of the booking's party; without a call."""
    found = candidates(booking.party, store, relations.record, relations.name_length_max)
    return recognise(booking.party, found, booking.side, name_length_max=relations.name_length_max)


async def ensure(context: DeliveryContext, booking: Booking, relations: RelationsOfVendor[R]) -> R:
    """Return the booking's relation, ready to stand on an entry; its id is saved with the delivery as ``relation_id``.

    Raises:
        CannotBook: the party has no name to create a relation with, or the relation is blocked at the vendor.
        ConnectorError: the vendor cannot be asked, or refuses.
    """
    side, store = booking.side, context.vendor.master_data
    relation = known(store, booking, relations)
    if relation is None:
        relation = await _search(booking, relations) or await _create(booking, relations)
        await store.remember(relation.record())
        await context.save(relation_id=relation.id)
    if relation.blocked:
        # It may have been unblocked since the import.
        fresh = await _search(booking, relations)
        if fresh is None or fresh.blocked:
            raise CannotBook("relation_blocked", f"{relation.code} {relation.name}".strip())
        relation = fresh
        await store.remember(relation.record())
    completed = await relations.complete(relation, side)
    if completed is not relation:
        relation = completed
        await store.remember(relation.record())
    if not relation.has_role(side):
        relation = await relations.give_role(relation, side)
        await store.remember(relation.record())
        await context.save(relation_id=relation.id)
    return relation


async def _search(booking: Booking, relations: RelationsOfVendor[R]) -> R | None:
    found = await relations.search(booking.party)
    return recognise(booking.party, found, booking.side, name_length_max=relations.name_length_max)


async def _create(booking: Booking, relations: RelationsOfVendor[R]) -> R:
    if not booking.party.name:
        raise CannotBook("relation_missing")
    return await relations.create(booking.party, booking.side)

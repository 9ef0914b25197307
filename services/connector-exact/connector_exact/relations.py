"""The relation of an entry: known from the import, else searched in Exact, else made — and given the role it needs.

A relation found or made is remembered, so a party costs calls only the first time it is met.
"""

from dataclasses import replace

from koppel_connector.connector import MasterBook, Work

from .api import Exact
from .mapping import relation as parties
from .mapping.accounts import SIDES
from .mapping.booking import Booking
from .mapping.refusal import CannotBook
from .masters import Relation, Side


def known(book: MasterBook, booking: Booking) -> Relation | None:
    """Return the imported relation of the booking's party."""
    return parties.recognise(booking.party, parties.candidates(booking.party, book), SIDES[booking.kind])


async def ensure(exact: Exact, work: Work, booking: Booking) -> Relation:
    """Return the relation, searched or made when it was not imported; raise when it cannot be used."""
    side, book = SIDES[booking.kind], work.vendor.masters
    relation = known(book, booking)
    if relation is None:
        # Searched before it is made, every time: an answer that got lost must not make a second one.
        relation = await _search(exact, booking, side) or await _make(exact, booking, side)
        await book.remember(relation.line())
        await work.save(relation_id=relation.id)
    if relation.blocked:
        fresh = await _search(exact, booking, side)
        if fresh is None or fresh.blocked:
            raise CannotBook("relation_blocked", f"{relation.code} {relation.name}".strip())
        await book.remember(fresh.line())
        relation = fresh
    if not parties.has_role(relation, side):
        await exact.change_relation(relation.id, parties.role(side))
        relation = replace(relation, status="C") if side == "sale" else replace(relation, is_supplier=True)
        await book.remember(relation.line())
        await work.save(relation_id=relation.id)
    return relation


async def _search(exact: Exact, booking: Booking, side: Side) -> Relation | None:
    rows = await exact.find_relations(parties.search_terms(booking.party))
    return parties.recognise(booking.party, [Relation.read(row) for row in rows], side)


async def _make(exact: Exact, booking: Booking, side: Side) -> Relation:
    if not booking.party.name:
        raise CannotBook("relation_missing")
    return Relation.read(await exact.create_relation(parties.creation(booking.party, side)))

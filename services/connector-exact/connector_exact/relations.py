"""The relation of an entry: known from the import, else searched in Exact, else made — and given the role it needs.

A relation found or made is remembered, so a party costs calls only the first time it is met. It is made under an id that
follows from the party, so that neither a lost answer nor two documents at once make it twice.
"""

from dataclasses import replace

from koppel_bookkeeping import Booking, CannotBook, Side
from koppel_bookkeeping.parties import recognise
from koppel_connector.contract.connector import DeliveryContext, MasterDataStore, MasterRecord
from koppel_connector.contract.errors import RetryLater
from koppel_connector.contract.problems import Problem

from . import our_ids
from .answers import AlreadyExists
from .api import RELATIONS, Exact
from .mapping import relation as parties
from .masters import Relation

_CREATION = "relation_creation"


def known(book: MasterDataStore, booking: Booking) -> Relation | None:
    """Return the imported relation of the booking's party."""
    candidates = parties.candidates(booking.party, book)
    return recognise(booking.party, candidates, booking.side, name_length_max=parties.NAME_LENGTH_MAX)


async def ensure(exact: Exact, context: DeliveryContext, booking: Booking) -> Relation:
    """Return the relation, searched or made when it was not imported; raise when it cannot be used."""
    side, book = booking.side, context.vendor.master_data
    relation = known(book, booking)
    if relation is None:
        relation = await _search(exact, booking, side) or await _make(exact, context, booking, side)
        await book.remember(relation.line())
        await context.save(relation_id=relation.id)
    if relation.blocked:
        fresh = await _search(exact, booking, side)
        if fresh is None or fresh.blocked:
            raise CannotBook("relation_blocked", f"{relation.code} {relation.name}".strip())
        await book.remember(fresh.line())
        relation = fresh
    if relation.payment_condition(side) is None:
        relation = await _with_conditions(exact, relation)
        await book.remember(relation.line())
    if not relation.has_role(side):
        await exact.change_relation(relation.id, parties.role(side))
        relation = replace(relation, status="C") if side == "sale" else replace(relation, is_supplier=True)
        await book.remember(relation.line())
        await context.save(relation_id=relation.id)
    return relation


async def _with_conditions(exact: Exact, relation: Relation) -> Relation:
    """Return a relation that was imported before its payment conditions were asked, with them."""
    row = await exact.relation_by_id(relation.id)
    return Relation.read(row) if row else replace(relation, sales_condition="", purchase_condition="")


async def _search(exact: Exact, booking: Booking, side: Side) -> Relation | None:
    rows = await exact.find_relations(parties.search_terms(booking.party))
    found = [Relation.read(row) for row in rows]
    return recognise(booking.party, found, side, name_length_max=parties.NAME_LENGTH_MAX)


async def _make(exact: Exact, context: DeliveryContext, booking: Booking, side: Side) -> Relation:
    if not booking.party.name:
        raise CannotBook("relation_missing")
    identity = booking.party.identity
    await _note_creation(context.vendor.master_data, identity, booking.party.name)
    ours = our_ids.relation_id(context.vendor.settings.division, identity)
    body = parties.creation(booking.party, side)
    try:
        return Relation.read(await exact.create_relation(ours, body))
    except AlreadyExists:
        if not our_ids.are_kept(context.vendor.master_data, RELATIONS):
            raise
    if (row := await exact.relation_by_id(ours)) is not None:
        return Relation.read(row)
    # A search may not show it yet; it takes the role all the same.
    await exact.change_relation(ours, parties.role(side))
    return Relation.read({**body, "ID": ours})


async def _note_creation(book: MasterDataStore, identity: str, name: str) -> None:
    """Where Exact gives the ids: create a relation only when no search may still hide one we created.

    Raises:
        Later: a creation of this relation left a moment ago, and its answer got lost.
    """
    if our_ids.are_kept(book, RELATIONS):
        return
    if (line := book.get(_CREATION, identity)) and our_ids.may_be_hidden(book, dict(line.data), identity):
        raise RetryLater(problem=Problem("vendor_unavailable", f"{RELATIONS}: {name} may exist and not be shown yet"))
    await book.remember(MasterRecord(_CREATION, identity, identity, name, our_ids.creation(RELATIONS, identity)))

"""Exact's part of ``koppel_connector.ledger.relations``: search an account (``crm/Accounts``), create one, give it its role.

Its id is derived from the party, so that neither a lost answer nor two documents at once create it twice.
"""

from dataclasses import replace

from koppel_bookkeeping import Party, Side
from koppel_connector.contract import Vendor
from koppel_connector.ledger import own_ids
from koppel_connector.ledger.relations import RelationsOfVendor

from . import our_ids
from .answers import AlreadyExists
from .api import RELATIONS, Exact
from .mapping.relation import NAME_LENGTH_MAX, creation, role, search_terms
from .master_data import Relation
from .settings import ExactSettings


class ExactRelations(RelationsOfVendor[Relation]):
    """The relations of one division."""

    record = Relation
    name_length_max = NAME_LENGTH_MAX

    def __init__(self, exact: Exact, vendor: Vendor[ExactSettings]) -> None:
        self._exact = exact
        self._store = vendor.master_data
        self._division = vendor.settings.division

    async def search(self, party: Party) -> list[Relation]:
        """Search by every spelling of the numbers, by name and by code."""
        return [Relation.from_row(row) for row in await self._exact.find_relations(search_terms(party))]

    async def create(self, party: Party, side: Side) -> Relation:
        """Create the relation; where it exists already, return that one, in the role it needs."""
        await own_ids.note_creation(self._store, RELATIONS, party.identity, party.name)
        ours = our_ids.relation_id(self._division, party.identity)
        body = creation(party, side)
        try:
            return Relation.from_row(await self._exact.create_as(RELATIONS, ours, body))
        except AlreadyExists:
            if not own_ids.are_kept(self._store, RELATIONS):
                raise
        if (row := await self._exact.relation_by_id(ours)) is not None:
            return Relation.from_row(row)
        # The search does not show it yet; a PUT reaches it by its id.
        await self._exact.change_relation(ours, role(side))
        return Relation.from_row({**body, "ID": ours})

    async def give_role(self, relation: Relation, side: Side) -> Relation:
        """Make it a customer (Status C) or a supplier (``IsSupplier``); no other field is changed (§3.4)."""
        await self._exact.change_relation(relation.id, role(side))
        return replace(relation, status="C") if side == "sale" else replace(relation, is_supplier=True)

    async def complete(self, relation: Relation, side: Side) -> Relation:
        """Read the payment conditions of a relation that an older version imported without them."""
        if relation.payment_condition(side) is not None:
            return relation
        row = await self._exact.relation_by_id(relation.id)
        return Relation.from_row(row) if row else replace(relation, sales_condition="", purchase_condition="")

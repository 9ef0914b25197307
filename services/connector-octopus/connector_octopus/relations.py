"""Octopus's part of ``koppel_connector.ledger.relations``: search a relation, create one, tick the side that it lacks.

A relation that Koppel makes has an external number that follows from the party, so that neither a lost answer nor two documents
at once make it twice (octopus §2.4).
"""

from koppel_bookkeeping import Party, Side
from koppel_bookkeeping.parties import recognise, vat_number_spellings
from koppel_connector.contract import ActionRequired, Problem, RetryLater
from koppel_connector.ledger.relations import RelationsOfVendor

from .api import Octopus
from .mapping import creation, external_number, with_role
from .master_data import Relation
from .relation_search import find, row_of

ATTEMPTS_MAX = 5


class OctopusRelations(RelationsOfVendor[Relation]):
    """The relations of one dossier."""

    record = Relation

    def __init__(self, octopus: Octopus) -> None:
        self._octopus = octopus

    async def search(self, party: Party) -> list[Relation]:
        """Search by VAT number, by name, then by the number under which another package knows it; one filter a call."""
        spellings = vat_number_spellings(party.vat_number or party.enterprise_number)
        filters = [("vatNr", each) for each in spellings[:1] + spellings[3:4]]
        filters += [("name", party.name), ("extRelationId", Relation.number_meant(party.code))]
        found: list[Relation] = []
        for name, value in filters:
            found += await find(self._octopus, name, value) if value else []
            # One of that name may have another VAT number, and be somebody else. The side only chooses among several.
            if recognise(party, found, "sale") is not None:
                break
        return found

    async def create(self, party: Party, side: Side) -> Relation:
        """Create the relation; where an earlier call already did, return that one."""
        for attempt in range(ATTEMPTS_MAX):
            number = external_number(party.identity, attempt)
            if (found := await self._numbered(number)) is not None:
                if recognise(party, [found], side) is not None:
                    return found
                # Somebody else's, by a chance of one in a thousand million: to put it would overwrite theirs.
                continue
            if row := await self._octopus.put_relation(creation(party, side, number)):
                return Relation.read(row)
            # Made by another call since we looked (204), and not shown yet, perhaps; or made, and its key is not told.
            if (found := await self._numbered(number, fresh=True)) is not None:
                return found
            raise RetryLater(problem=Problem("relation_not_shown", party.name))
        raise ActionRequired(Problem("relation_refused", party.name))

    async def give_role(self, relation: Relation, side: Side) -> Relation:
        """Tick customer or supplier. A sparse PUT may blank the rest, so everything that Octopus holds is sent back."""
        row = await row_of(self._octopus, relation.id)
        if row is None:
            raise ActionRequired(Problem("relation_unknown", f"{relation.code} {relation.name}"))
        changed = with_role(row, side)
        await self._octopus.put_relation(changed)
        return Relation.read(changed)

    async def _numbered(self, number: int, *, fresh: bool = False) -> Relation | None:
        found = await find(self._octopus, "extRelationId", str(number), fresh=fresh)
        return found[0] if found else None

"""Relations searched at Octopus by one of its filters, or, where a dossier refuses those, among what its feed of changes told.

The feed is whole, and may be read 48 times a day (octopus §1.5, §2.7). So what the import brought is kept up to date: a search
reads what changed since the last read, at most every ten minutes, and finds in the master data.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from koppel_bookkeeping.parties import name_key, number_key
from koppel_connector.contract import Memory
from koppel_connector.ledger.records import readable, records_of
from koppel_mesh.clock import utc_now

from .api import Octopus
from .master_data import Relation
from .rows import Row, identity_of, key_id

BELIEVED_S: Final = 600.0
"""So long the last read is believed. A relation that somebody makes by hand meanwhile may be made twice."""
_READ: Final = "relations read from the feed"
"""The key in the memory: when, and whether for a search."""
_KEPT_UNDER: Final[Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "relationId": ("remote_id", str),
    "extRelationId": ("external_number", str),
    "name": ("name_key", name_key),
    "vatNr": ("vat_key", number_key),
}
"""Under which key of the master data stands what a filter compares."""


async def find(octopus: Octopus, name: str, value: str, *, fresh: bool = False) -> list[Relation]:
    """Return the relations that fit one filter.

    Args:
        octopus: the dossier.
        name: of the filter (``Octopus.relations_like``).
        value: what it compares.
        fresh: whether one counts that was made just now.
    """
    rows = await octopus.relations_like(**{name: value})
    if rows is not None:
        return readable(rows, Relation.read)
    await _read_changes(octopus, 0.0 if fresh else BELIEVED_S)
    key, written = _KEPT_UNDER[name]
    found = octopus.vendor.master_data.find(Relation.kind, key, written(value))
    return [Relation.of(record) for record in found]


async def row_of(octopus: Octopus, relation_id: str) -> Row | None:
    """Return a relation with every field as Octopus holds it now; where filters are refused, the whole feed is read for it."""
    rows = await octopus.relations_like(relationId=relation_id)
    if rows is None:
        rows = await octopus.relations()
    return next((row for row in rows if str(key_id(identity_of(row).get("relationKey"))) == relation_id), None)


async def note_import(memory: Memory, asked_at: datetime) -> None:
    """Note that the master data holds every relation of a moment; the next search still asks what came after it."""
    await memory.remember(_READ, False, observed_at=asked_at)


async def _read_changes(octopus: Octopus, believed_s: float) -> None:
    """Bring the relations of the master data up to date."""
    memory, store, asked_at = octopus.vendor.memory, octopus.vendor.master_data, utc_now()
    last = await memory.recall(_READ)
    if last is not None and last.value and (asked_at - last.observed_at).total_seconds() < believed_s:
        return
    rows = await octopus.relations() if last is None else await octopus.relations_since(last.observed_at)
    for record in records_of(readable(rows, Relation.read)):
        # A feed repeats two hours; what is kept already costs no write.
        if record not in store.find(Relation.kind, "remote_id", record.remote_id):
            await store.remember(record)
    await memory.remember(_READ, True, observed_at=asked_at)

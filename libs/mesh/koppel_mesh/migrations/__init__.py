"""Schema changes: alembic, run by one job before the rollout and never at a pod's start.

Each library and service that owns tables ships its own lineage of numbered, written-out revisions; a service names the lineages
whose tables its schema has. Revisions go forward only and follow expand/contract, so that the version before still runs on the
schema after. A released revision never changes: a test holds the hash of each.
"""

from pathlib import Path

from koppel_mesh import tables
from koppel_mesh.firm_data.of_mesh import FIRM_DATA

from .handover import UnknownHandoverError
from .lineage import Lineage, versions_beside
from .runner import is_new_enough, is_upgraded, missing_roles, upgrade

MESH = Lineage(
    name="mesh",
    versions=Path(__file__).parent / "versions",
    models=tables.metadata,
    handover={"0001": "0001", "0002": "0001"},
    firm_data=FIRM_DATA,
)
"""The tables that every service has: outbox, inbox, quarantine, idempotency keys, firms that left."""

__all__ = [
    "MESH",
    "Lineage",
    "UnknownHandoverError",
    "is_new_enough",
    "is_upgraded",
    "missing_roles",
    "upgrade",
    "versions_beside",
]

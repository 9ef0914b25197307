"""From the one history that each service had to lineages.

Until then a service's first revision made the tables of mesh and of the kit too, from their models of the day, and the schema had
one ``alembic_version``. That table stays as it is: processes of the version before ask it whether they may run.
"""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from .lineage import Lineage

_BEFORE = "alembic_version"


class UnknownHandoverError(Exception):
    """The schema was made by a version of Koppel whose revisions this one does not know."""


def take_over(connection: Connection, schema: str, lineage: Lineage, revisions: ScriptDirectory) -> None:
    """Note in the lineage's version table what the schema already has of it; do nothing when that was noted before.

    Raises:
        UnknownHandoverError: the revision it stands at is none that this lineage took over from.
    """
    tables = inspect(connection)
    if not lineage.handover or tables.has_table(lineage.version_table, schema) or not tables.has_table(_BEFORE, schema):
        return
    before = connection.execute(text(f'SELECT version_num FROM "{schema}".{_BEFORE}')).scalar()
    if before is None:
        return
    if before not in lineage.handover:
        raise UnknownHandoverError(
            f"schema {schema} is at revision {before}, from before lineages; {lineage.name} knows only"
            f" {', '.join(lineage.handover)}"
        )
    opts = {"version_table": lineage.version_table, "version_table_schema": schema}
    MigrationContext.configure(connection, opts=opts).stamp(revisions, lineage.handover[before])

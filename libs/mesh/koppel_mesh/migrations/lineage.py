"""A lineage: the numbered revisions of the tables that one library or service owns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import MetaData

from koppel_mesh.firm_data import FirmData


@dataclass(frozen=True)
class Lineage:
    """One history of revisions. Every schema that has its tables notes how far it is in a version table of this lineage."""

    name: str
    """Of the library or service that owns the tables."""
    versions: Path
    """Folder of alembic revisions (``…/migrations/versions``)."""
    models: MetaData
    """What the revisions together make of an empty schema."""
    handover: Mapping[str, str] = field(default_factory=dict)
    """A revision of the single history that a service had before lineages → the revision of this one that it amounts to."""
    firm_data: FirmData = field(default_factory=FirmData)
    """What its tables hold of firms."""

    @property
    def version_table(self) -> str:
        """Return the name of its version table."""
        return f"alembic_version_{self.name.replace('-', '_')}"


def versions_beside(module_file: str) -> Path:
    """Return the folder of a service's own revisions, given ``__file__`` of a module of its package.

    A checkout has ``migrations/`` beside the package; a wheel carries it inside, so that two services do not share one.
    """
    package = Path(module_file).parent
    folders = (package / "migrations" / "versions", package.parent / "migrations" / "versions")
    return next(folder for folder in folders if folder.is_dir())

"""The tables every service has."""

from alembic import op

from koppel_mesh.migrations import create_mesh_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make mesh's tables."""
    create_mesh_tables(op)

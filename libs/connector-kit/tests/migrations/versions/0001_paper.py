"""The paper connector's tables."""

from alembic import op

from koppel_connector.tables import create_kit_tables
from koppel_mesh.migrations import create_mesh_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_mesh_tables(op)
    create_kit_tables(op)

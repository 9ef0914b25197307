"""Whether dossier-api was asked for a dossier and its connections."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE dossier ADD COLUMN introduced_at timestamptz")

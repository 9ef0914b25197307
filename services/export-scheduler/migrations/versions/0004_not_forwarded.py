"""Which documents go by hand only, whatever the dossier's rules say (R122)."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. A process of the version before writes none, and lets everything go."""
    op.execute("ALTER TABLE document ADD COLUMN forward boolean NOT NULL DEFAULT true")

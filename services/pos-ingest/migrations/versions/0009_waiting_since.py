"""Since when what was closed has waited for its dossier: each try sets the next moment, which tells nothing of it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what the version before writes has waited since it was written."""
    op.execute("ALTER TABLE hand_in ADD COLUMN waits_since timestamptz NOT NULL DEFAULT now()")

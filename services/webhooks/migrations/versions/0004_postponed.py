"""Since when an event is not sent because nobody says who may have it: each turn sets the next moment, which does not tell."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the version before leaves it as it is."""
    op.execute("ALTER TABLE delivery ADD COLUMN postponed_since timestamptz")

"""The trace of whoever asked for an invoice or closed a period, so that it leads on to the ledger."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what the version before writes goes without."""
    op.execute("ALTER TABLE hand_in ADD COLUMN traceparent text")
    op.execute("ALTER TABLE ticket_invoice ADD COLUMN traceparent text")

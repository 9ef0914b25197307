"""Endpoints of partners that several firms consent to."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the firms beside which there is the one of the token; null means that one alone."""
    op.execute("ALTER TABLE endpoint ADD COLUMN firm_ids uuid[]")
    op.execute("CREATE INDEX endpoint_of_firms ON endpoint USING gin (firm_ids)")

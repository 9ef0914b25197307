"""By which secret key a signing key is encrypted; keys from before are noted when identity starts."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE signing_key ADD COLUMN key_id text")

"""Keep what a person should know of a delivery that nothing holds up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. A process of the version before writes none, and none are there."""
    op.add_column("delivery", sa.Column("warnings", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")))

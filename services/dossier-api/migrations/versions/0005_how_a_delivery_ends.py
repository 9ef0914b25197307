"""Keep whether a delivery ends booked or exported, so that nobody waits for a booking that no books will tell.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. A process of the version before writes none; until now every delivery was to end booked."""
    op.add_column("delivery", sa.Column("ends_as", sa.Text, nullable=False, server_default="booked"))

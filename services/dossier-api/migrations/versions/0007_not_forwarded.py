"""Keep which documents do not go to the bookkeeping by themselves.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. A process of the version before writes none, and what it takes in goes by itself."""
    op.add_column("document", sa.Column("forward", sa.Boolean, nullable=False, server_default=sa.text("true")))

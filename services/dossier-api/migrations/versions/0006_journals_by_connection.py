"""Keep the journal of a document for each connection whose books call it something else.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. A process of the version before writes none; until now one journal held for every target."""
    op.add_column("document", sa.Column("journals", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")))

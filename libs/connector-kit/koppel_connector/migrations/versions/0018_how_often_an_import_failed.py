"""An import that fails again and again is tried ever more rarely.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The version before counts none, and tries again after 15 seconds.
    op.execute("ALTER TABLE connection ADD COLUMN import_failures integer NOT NULL DEFAULT 0")

"""A claim names the process that made it, so that it is free as soon as that process is known to be dead.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE owner (id uuid PRIMARY KEY, renewed_at timestamptz NOT NULL DEFAULT now())")
    op.execute("ALTER TABLE delivery ADD COLUMN owner_id uuid")

"""A connection remembers what its vendor answered; master data may belong to a bookyear.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE memory (
            connection_id uuid NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
            key text NOT NULL,
            value jsonb NOT NULL,
            observed_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (connection_id, key)
        )
    """)
    op.execute("ALTER TABLE master ADD COLUMN year integer NOT NULL DEFAULT 0")

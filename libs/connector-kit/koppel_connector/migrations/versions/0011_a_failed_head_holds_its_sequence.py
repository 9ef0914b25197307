"""A failed delivery holds the rest of its sequence until a person tries it again or leaves it: that is remembered.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE delivery ADD COLUMN abandoned_at timestamptz")
    op.execute("DROP INDEX delivery_in_sequence")
    op.execute(
        "CREATE INDEX delivery_in_sequence ON delivery (sequence_key, id)"
        " WHERE sequence_key IS NOT NULL AND state IN ('ready', 'sending', 'unknown', 'blocked', 'review', 'failed')"
    )

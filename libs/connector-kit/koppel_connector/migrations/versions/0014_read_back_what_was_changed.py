"""A booked entry that the vendor says was changed is read back once more: it is found as exported ones are.

The index holds what the old one held, so that the version before finds its rows by it too.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX delivery_read_back")
    op.execute(
        "CREATE INDEX delivery_read_back ON delivery (due_at, connection_id)"
        " WHERE state IN ('exported', 'booked') AND due_at IS NOT NULL"
    )

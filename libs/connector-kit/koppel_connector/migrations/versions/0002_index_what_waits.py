"""The index of what waits holds every delivery that is not at its end, so that counting reads none that is.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX delivery_waiting")
    op.execute(
        "CREATE INDEX delivery_waiting ON delivery (connection_id)"
        " WHERE state NOT IN ('booked', 'superseded') AND NOT (state = 'exported' AND due_at IS NULL)"
    )

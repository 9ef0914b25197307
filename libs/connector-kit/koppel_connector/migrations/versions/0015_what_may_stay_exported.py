"""What somebody at the vendor books by hand, or never, is read back and reported by no clock.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The version before sets none: its deliveries are booked, or not read back.
    op.execute("ALTER TABLE delivery ADD COLUMN may_stay_exported boolean")

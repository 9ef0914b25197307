"""What a restored database remembers is told from what was observed since.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What the version before writes has none, and is not recalled by this one: that costs calls.
    op.execute("ALTER TABLE memory ADD COLUMN written_in text")

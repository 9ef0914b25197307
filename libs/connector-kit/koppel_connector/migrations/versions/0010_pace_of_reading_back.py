"""A connection remembers when its books were last read, so that all processes together keep the vendor's pace.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE connection ADD COLUMN read_back_at timestamptz")

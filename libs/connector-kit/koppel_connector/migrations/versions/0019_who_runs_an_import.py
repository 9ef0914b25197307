"""An import is run by one process, which holds it for as long as it lives.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The version before claims none: beside it an import may still run twice.
    op.execute("ALTER TABLE connection ADD COLUMN import_owner_id uuid")

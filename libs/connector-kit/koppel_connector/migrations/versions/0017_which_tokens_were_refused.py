"""An access token that the vendor refuses is used by no process, and its grant is not given up for it.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The version before notes no refusal, and gives a grant up by what it has in memory.
    op.execute("ALTER TABLE oauth_token ADD COLUMN refused_version integer")

"""How long the sync log is kept: an index to find what is old enough to be forgotten.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX attempt_kept ON attempt (finished_at) WHERE request IS NOT NULL OR NOT acts")

"""A connection knows since when its vendor is away, when to probe, and what a person is told of it.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE connection ADD COLUMN away_since timestamptz")
    op.execute("ALTER TABLE connection ADD COLUMN probe_at timestamptz")
    op.execute("ALTER TABLE connection ADD COLUMN outage jsonb")
    op.execute("CREATE INDEX connection_away ON connection (probe_at) WHERE away_since IS NOT NULL")
    # What was counted before paused a connection for up to ten minutes; the breaker finds out anew.
    op.execute("UPDATE connection SET failures = 0, not_before = now() WHERE failures > 0")

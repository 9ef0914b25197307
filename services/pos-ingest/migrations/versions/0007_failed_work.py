"""Work of one book that failed, and when it is tried again."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.execute("""
        CREATE TABLE failed_work (
            work text NOT NULL,
            book_id uuid NOT NULL,
            rule text NOT NULL,
            message text NOT NULL,
            due_at timestamptz NOT NULL,
            first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (work, book_id)
        )
    """)

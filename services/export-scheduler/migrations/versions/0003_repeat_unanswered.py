"""When a document that nobody answers for is announced again; those that wait for an answer now are, after ten minutes."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.execute("ALTER TABLE document ADD COLUMN repeat_at timestamptz, ADD COLUMN repeats integer NOT NULL DEFAULT 0")
    op.execute("CREATE INDEX document_repeat ON document (repeat_at) WHERE repeat_at IS NOT NULL")
    op.execute(
        "UPDATE document SET repeat_at = now() + interval '10 minutes'"
        " WHERE document_id IN (SELECT document_id FROM untaken)"
    )

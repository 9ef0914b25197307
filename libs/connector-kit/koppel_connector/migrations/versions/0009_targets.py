"""A delivery keeps the target it was made for; a connection names its books.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Deliveries of before keep NULL where their connector's profile decides, as it did for them.
    op.execute(
        "ALTER TABLE delivery ADD COLUMN has_target boolean NOT NULL DEFAULT true, ADD COLUMN on_ambiguous text,"
        " ADD COLUMN reads_back boolean, ADD COLUMN settle_s float8, ADD COLUMN sequence_key text"
    )
    op.execute(
        "CREATE INDEX delivery_in_sequence ON delivery (sequence_key, id)"
        " WHERE sequence_key IS NOT NULL AND state IN ('ready', 'sending', 'unknown', 'blocked', 'review')"
    )
    # NULL where the version before makes a connection while both run; its limit_scope says then whose books they are.
    op.execute("ALTER TABLE connection ADD COLUMN books_scope text")
    op.execute("UPDATE connection SET books_scope = limit_scope")

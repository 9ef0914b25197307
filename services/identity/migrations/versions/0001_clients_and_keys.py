"""Clients, their secrets, signing keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    now = sa.text("now()")
    op.create_table(
        "client",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("firm_id", sa.Uuid),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    )
    op.create_table(
        "secret",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("client", sa.Uuid, sa.ForeignKey("client.id", ondelete="CASCADE"), nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
    )
    op.create_index("secret_client", "secret", ["client"])
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Uuid, primary_key=True),
        sa.Column("public", JSONB, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("signs_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    )

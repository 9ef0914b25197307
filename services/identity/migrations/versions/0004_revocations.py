"""What was revoked before its end, and when each secret was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "revocation",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("jti", sa.Uuid, unique=True),
        sa.Column("client_id", sa.Text),
        sa.Column("firm_id", sa.Uuid),
        sa.Column("issued_before", sa.DateTime(timezone=True)),
        sa.Column("revoked_by", sa.Text, nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(jti IS NULL) = (client_id IS NOT NULL AND issued_before IS NOT NULL)", name="revocation_of"
        ),
    )
    op.create_index("revocation_ends", "revocation", ["ends_at"])
    op.add_column("secret", sa.Column("last_used_at", sa.DateTime(timezone=True)))

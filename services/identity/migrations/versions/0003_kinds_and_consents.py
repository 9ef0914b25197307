"""What kind of client each is, and what firms let partners do.

The version before writes no kind: a service is then a client without a firm. It gives a partner a token for a firm that is
nobody's, so that it sees nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column("client", sa.Column("kind", sa.Text))
    op.execute("UPDATE client SET kind = CASE WHEN firm_id IS NULL THEN 'service' ELSE 'firm' END")
    op.create_check_constraint("client_kind", "client", "kind IN ('service', 'firm', 'partner')")
    op.create_check_constraint(
        "client_firm", "client", "(kind = 'service') = (firm_id IS NULL) AND (kind <> 'partner' OR firm_id = id)"
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("client", sa.Uuid, sa.ForeignKey("client.id", ondelete="SET NULL")),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("firm_id", sa.Uuid, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("withdrawn_by", sa.Text),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", name="consent_withdrawn"),
    )
    op.create_index(
        "consent_living",
        "consent",
        ["client", "firm_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index("consent_firm", "consent", ["firm_id", "id"])

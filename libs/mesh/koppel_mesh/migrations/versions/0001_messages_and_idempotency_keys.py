"""Outbox, inbox, quarantine, idempotency keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("seq", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        _at("created_at"),
        _at("next_at"),
        sa.Column("last_error", sa.Text),
    )
    op.create_index("outbox_due", "outbox", ["next_at", "seq"])
    op.create_table("inbox", sa.Column("message_id", sa.Uuid, primary_key=True), _at("received_at"))
    op.create_index("inbox_received", "inbox", ["received_at"])
    op.create_table(
        "quarantine",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _at("received_at"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
        _at("created_at"),
    )
    op.create_index("idempotency_key_created", "idempotency_key", ["created_at"])


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))

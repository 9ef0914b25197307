"""The tables that mesh keeps in every service's schema.

``migrations/versions`` makes them; a test compares the two. All times are the database's clock.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
_now = text("now()")

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seq", BigInteger, Identity(), nullable=False),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("traceparent", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("last_error", Text),
    Index("outbox_due", "next_at", "seq"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("inbox_received", "received_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_now),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("idempotency_key_created", "created_at"),
)

firm_deletion = Table(
    "firm_deletion",
    metadata,
    Column("firm_id", Uuid, primary_key=True),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=_now),
    # When all was gone that no duty keeps; a message that was still on its way may bring some of it back.
    Column("completed_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("firm_deletion_due", "due_at"),
)
"""Firms that left: what is of them is deleted again and again, as messages arrive late and years of keeping end."""

"""Clients, their secrets, and the keys tokens are signed with."""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, LargeBinary, MetaData, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
_now = text("now()")

client = Table(
    "client",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("firm_id", Uuid),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)

secret = Table(
    "secret",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client", Uuid, ForeignKey("client.id", ondelete="CASCADE"), nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("ends_at", DateTime(timezone=True)),
    Index("secret_client", "client"),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Uuid, primary_key=True),
    Column("public", JSONB, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", Text),
    Column("signs_from", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)

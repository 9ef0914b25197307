"""Clients, their secrets, what firms let partners do, the keys tokens are signed with, and who did what of it."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
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
    Column("kind", Text),
    CheckConstraint("kind IN ('service', 'firm', 'partner')", name="client_kind"),
    # A partner's own id is no firm: whoever overlooks the kind sees nothing, rather than the data of every firm.
    CheckConstraint(
        "(kind = 'service') = (firm_id IS NULL) AND (kind <> 'partner' OR firm_id = id)", name="client_firm"
    ),
)

consent = Table(
    "consent",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client", Uuid, ForeignKey("client.id", ondelete="SET NULL")),
    Column("client_id", Text, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("reason", Text),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", DateTime(timezone=True)),
    CheckConstraint("(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", name="consent_withdrawn"),
    Index("consent_living", "client", "firm_id", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
    Index("consent_firm", "firm_id", "id"),
)

secret = Table(
    "secret",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client", Uuid, ForeignKey("client.id", ondelete="CASCADE"), nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("ends_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    Index("secret_client", "client"),
)

revocation = Table(
    "revocation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("jti", Uuid, unique=True),
    Column("client_id", Text),
    Column("firm_id", Uuid),
    Column("issued_before", DateTime(timezone=True)),
    Column("revoked_by", Text, nullable=False),
    Column("revoked_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("(jti IS NULL) = (client_id IS NOT NULL AND issued_before IS NOT NULL)", name="revocation_of"),
    Index("revocation_ends", "ends_at"),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("act", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("firm_id", Uuid),
    Column("about", JSONB, nullable=False),
    Column("source", Text, nullable=False),
    Column("request_id", Text),
    Index("audit_entry_firm", "firm_id", "id"),
    Index("audit_entry_at", "at"),
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

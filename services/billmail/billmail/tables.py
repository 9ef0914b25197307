"""The tables of billmail's own; deliveries and connections are the kit's."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
_AT = DateTime(timezone=True)

period_mail = Table(
    "period_mail",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("connection_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("dossier_id", Uuid, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date, nullable=False),
    Column("address", Text, nullable=False),
    Column("remarks", Text, nullable=False),
    Column("with_documents", Boolean, nullable=False),
    Column("document_ids", JSONB, nullable=False),
    Column("open_count", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("next_document", Integer, nullable=False, server_default="0"),
    Column("part_end", Integer, nullable=False, server_default="0"),
    Column("parts_sent", Integer, nullable=False, server_default="0"),
    Column("omitted", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("problem", JSONB),
    Column("due_at", _AT, nullable=False, server_default=text("now()")),
    Column("lease_token", Uuid),
    Column("lease_until", _AT),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", _AT, nullable=False, server_default=text("now()")),
    Column("sent_at", _AT),
    UniqueConstraint("connection_id", "request_key", name="period_mail_key"),
    Index("period_mail_due", "due_at", postgresql_where=text("state IN ('waiting', 'sending')")),
)
"""A period's documents on their way to an office. ``next_document`` is the place in ``document_ids`` from which on nothing has
left, ``part_end`` where the part ends that is leaving or in doubt; ``request_key`` is what makes the same wish twice one."""

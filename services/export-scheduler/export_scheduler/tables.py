"""The scheduler's own memory: dossiers' rules, documents and when they go, exports and what became of them.

A document row holds what is needed to send it and no more; its bytes stay with dossier-api.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    column,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
_now = text("now()")
_AT = DateTime(timezone=True)

dossier = Table(
    "dossier",
    metadata,
    Column("dossier_id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("frequency", Text, nullable=False),
    Column("approval_required", Boolean, nullable=False),
    Column("lock_after_export", Boolean, nullable=False),
    # Rises when the rules change; documents planned under an older number are planned again.
    Column("rules_number", Integer, nullable=False, server_default="1"),
    Column("replanning", Boolean, nullable=False, server_default="true"),
    Index("dossier_replanning", "dossier_id", postgresql_where=text("replanning")),
)

connection = Table(
    "connection",
    metadata,
    Column("connection_id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("connection_of_dossier", "dossier_id"),
)

document = Table(
    "document",
    metadata,
    Column("document_id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text),
    Column("issue_on", Date),
    Column("document_on", Date, nullable=False),
    Column("created_at", _AT, nullable=False),
    Column("state", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("traceparent", Text),
    # False: it goes by hand only (R122).
    Column("forward", Boolean, nullable=False, server_default="true"),
    Column("opened_at", _AT, nullable=False),
    Column("awaited_approval", Boolean, nullable=False),
    Column("approved_at", _AT),
    Column("sent_revision", Integer),
    Column("sent_at", _AT),
    Column("due_at", _AT),
    Column("trigger", Text),
    Column("waits_for", Text, nullable=False),
    Column("late", Boolean, nullable=False, server_default="false"),
    Column("rules_number", Integer, nullable=False, server_default="0"),
    Column("repeat_at", _AT),
    Column("repeats", Integer, nullable=False, server_default="0"),
    Index("document_repeat", "repeat_at", postgresql_where=text("repeat_at IS NOT NULL")),
    Index("document_due", "due_at", "document_id", postgresql_where=text("due_at IS NOT NULL")),
    Index("document_of_dossier", "dossier_id", "document_on", "document_id"),
    Index("document_open", "dossier_id", "document_id", postgresql_where=text("waits_for <> 'nothing'")),
)

export = Table(
    "export",
    metadata,
    Column("export_id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("include_exported", Boolean, nullable=False),
    Column("remarks", Text),
    Column("count", Integer, nullable=False),
    Column("created_at", _AT, nullable=False, server_default=_now),
    Column("created_by", Text),
    Index("export_of_dossier", "dossier_id", "created_at"),
)

export_item = Table(
    "export_item",
    metadata,
    Column("export_id", Uuid, ForeignKey("export.export_id", ondelete="CASCADE"), nullable=False),
    Column("document_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("late", Boolean, nullable=False, server_default="false"),
    Column("queued_at", _AT, nullable=False, server_default=_now),
    Column("released_at", _AT),
    PrimaryKeyConstraint("export_id", "document_id"),
    Index("export_item_queued", "queued_at", postgresql_where=text("released_at IS NULL")),
    Index("export_item_of_document", "document_id"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("document_id", Uuid, nullable=False),
    Column("connection_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("delivery_of_document", "document_id", "connection_id", "revision"),
)

untaken = table("untaken", column("document_id", Uuid))
"""Documents that went and that no connector has taken; a view."""

waiting = table(
    "waiting",
    *(
        column(name, document.c[name].type)
        for name in ("firm_id", "dossier_id", "document_id", "revision", "kind", "number")
    ),
    *(column(name, document.c[name].type) for name in ("issue_on", "state", "waits_for", "due_at", "trigger", "late")),
)
"""Everything that waits and what for; a view, of which these are the columns that callers are shown."""

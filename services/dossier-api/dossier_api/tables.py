"""The tables of dossier-api, in its schema. Ids are UUIDv7, so the primary key is also the order of arrival.

A document is one row: what it is made of (``content``), what was read of it (``detail``) and what people set on it are read
and written together, which keeps an intake at one insert.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
PENDING_SQL = "state IN ('awaiting_entry', 'held', 'filed')"
"""Papers in quick entry, documents that wait for an answer, and documents ready to export (R160)."""
PENDING = text(f"document.{PENDING_SQL}")
"""The same as a condition of a query."""
OPEN_SQL = """problem.resolved_at IS NULL AND (problem.code <> 'kind_not_taken' OR NOT EXISTS (
    SELECT FROM delivery WHERE delivery.document_id = problem.document_id AND delivery.id <> problem.delivery_id
        AND delivery.state <> 'superseded' AND coalesce(delivery.problem ->> 'code', '') <> 'kind_not_taken'))"""
"""An open problem. That a connection takes no documents of a kind is none while another connection takes the document."""
OPEN = text(OPEN_SQL)
"""The same as a condition of a query."""
_now = text("now()")
_object = text("'{}'::jsonb")
_list = text("'[]'::jsonb")


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=None if nullable else _now)


dossier = Table(
    "dossier",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("enterprise_number", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("email", Text),
    Column("reference", Text),
    Column("export_frequency", Text, nullable=False),
    Column("approval_required", Boolean, nullable=False),
    Column("lock_after_export", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    _at("created_at"),
    _at("updated_at"),
    Index("dossier_firm", "firm_id", "id"),
)

document = Table(
    "document",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, ForeignKey("dossier.id"), nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("locked", Boolean, nullable=False, server_default=text("false")),
    Column("number", Text),
    Column("issue_date", Date),
    Column("due_date", Date),
    Column("currency", Text),
    Column("total", Numeric),
    Column("reference", Text),
    Column("journal", Text),
    # By connection, where its books call the journal something else.
    Column("journals", JSONB, nullable=False, server_default=_object),
    Column("ledger_account", Text),
    # False: it goes to the bookkeeping by hand only (R122).
    Column("forward", Boolean, nullable=False, server_default=text("true")),
    Column("line_accounts", JSONB, nullable=False, server_default=_object),
    Column("relation", JSONB(none_as_null=True)),
    Column("content", JSONB, nullable=False, server_default=_list),
    Column("detail", JSONB, nullable=False, server_default=_object),
    Column("findings", JSONB, nullable=False, server_default=_list),
    Column("business_keys", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("questions", JSONB, nullable=False, server_default=_list),
    _at("created_at"),
    _at("updated_at"),
    _at("approved_at", nullable=True),
    Column("approved_by", Text),
    _at("exported_at", nullable=True),
    _at("booked_at", nullable=True),
    UniqueConstraint("dossier_id", "sha256", name="document_same_bytes"),
    Index("document_dossier", "dossier_id", "id"),
    Index("document_dossier_state", "dossier_id", "state", "id"),
    Index("document_dossier_day", "dossier_id", "issue_date", "id"),
    Index("document_firm", "firm_id", "id"),
    Index("document_firm_state", "firm_id", "state", "id"),
    Index("document_firm_day", "firm_id", "issue_date", "id"),
    Index(
        "document_pending",
        "dossier_id",
        postgresql_where=text(PENDING_SQL),
    ),
    Index("document_business_keys", "business_keys", postgresql_using="gin"),
)

content_to_erase = Table(
    "content_to_erase",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("marked_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    # When the store was last asked to erase them.
    Column("tried_at", DateTime(timezone=True)),
    Index("content_to_erase_marked", "marked_at"),
)
"""Bytes that a deleted document named. A trigger marks them, whoever deletes it; ``erasing.py`` erases them."""

content_named = Table(
    "content_named",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("document_id", Uuid, primary_key=True),
)
"""Which documents name some bytes; a trigger writes it."""

content_to_read = Table("content_to_read", metadata, Column("after", Uuid, primary_key=True))
"""One row until all documents that were there before ``content_named`` are in it: the id up to which they are."""

counterparty_answer = Table(
    "counterparty_answer",
    metadata,
    Column("dossier_id", Uuid, ForeignKey("dossier.id"), primary_key=True),
    Column("question", Text, primary_key=True),
    Column("counterparty", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("answered_by", Text, nullable=False),
    _at("answered_at"),
)
"""Answers that hold for every document of a counterparty; ``counterparty`` is its side and number, else its name."""

relation = Table(
    "relation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, ForeignKey("dossier.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("enterprise_number", Text),
    Column("vat_number", Text),
    Column("email", Text),
    Column("iban", Text),
    Column("is_customer", Boolean, nullable=False),
    Column("is_supplier", Boolean, nullable=False),
    Column("journal", Text),
    Column("ledger_account", Text),
    Column("remote_id", Text),
    _at("updated_at"),
    UniqueConstraint("dossier_id", "source", "code", name="relation_code"),
    Index("relation_dossier", "dossier_id", "id"),
    Index("relation_enterprise_number", "dossier_id", "enterprise_number"),
    Index("relation_vat_number", "dossier_id", "vat_number"),
    Index("relation_name", "dossier_id", "name_key"),
)

ledger_account = Table(
    "ledger_account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, ForeignKey("dossier.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("remote_id", Text),
    _at("updated_at"),
    UniqueConstraint("dossier_id", "source", "code", name="ledger_account_code"),
    Index("ledger_account_dossier", "dossier_id", "id"),
)

connection = Table(
    "connection",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, ForeignKey("dossier.id"), nullable=False),
    Column("connector", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("connected_via_user", Text),
    Column("problem", JSONB(none_as_null=True)),
    _at("updated_at"),
    Index("connection_dossier", "dossier_id"),
)
"""What connectors told us about their connections, for display; they own them."""

delivery = Table(
    "delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("document_id", Uuid, ForeignKey("document.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("connector", Text, nullable=False),
    Column("connection_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("entry_number", Text),
    Column("entry_url", Text),
    _at("exported_at", nullable=True),
    _at("booked_at", nullable=True),
    Column("problem", JSONB(none_as_null=True)),
    Column("warnings", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("ends_as", Text, nullable=False, server_default="booked"),
    _at("updated_at"),
    Index("delivery_document", "document_id"),
)
"""What connectors told us about their deliveries, for display; they own them."""

problem = Table(
    "problem",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("dossier_id", Uuid, ForeignKey("dossier.id"), nullable=False),
    Column("document_id", Uuid, ForeignKey("document.id")),
    Column("connector", Text, nullable=False),
    Column("connection_id", Uuid, nullable=False),
    Column("delivery_id", Uuid),
    Column("subject_id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", JSONB, nullable=False),
    Column("who_can_fix", Text, nullable=False),
    Column("detail", Text),
    Column("first_seen_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column("count", Integer, nullable=False, server_default="1"),
    Column("resolved_at", DateTime(timezone=True)),
    Index("problem_open_subject", "subject_id", "code", unique=True, postgresql_where=text("resolved_at IS NULL")),
    Index("problem_open_firm", "firm_id", "id", postgresql_where=text("resolved_at IS NULL")),
    Index("problem_open_dossier", "dossier_id", "id", postgresql_where=text("resolved_at IS NULL")),
    Index("problem_open_document", "document_id", postgresql_where=text("resolved_at IS NULL")),
)
"""``subject_id`` is the delivery the problem stops, or the connection when it stops all of them."""

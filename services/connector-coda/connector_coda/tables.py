"""What connector-coda keeps: what it heard of the mesh, accounts, their statements and lines, and what people decided."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
_AT = DateTime(timezone=True)
_now = text("clock_timestamp()")

dossier = Table(
    "dossier",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("enterprise_number", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # Its chains have to be arranged again.
    Column("arranging", Boolean, nullable=False, server_default="false"),
    # When to look next whether a statement can go.
    Column("releasing_at", _AT),
    # When dossier-api was asked for it and its connections.
    Column("introduced_at", _AT),
    Index("dossier_arranging", "id", postgresql_where=text("arranging")),
    Index("dossier_releasing", "releasing_at", postgresql_where=text("releasing_at IS NOT NULL")),
)

connection = Table(
    "connection",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("connector", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("connection_of_dossier", "dossier_id"),
)

document = Table(
    "document",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", _AT, nullable=False),
    Column("read_at", _AT),
    Column("read_due_at", _AT),
    Column("read_failures", Integer, nullable=False, server_default="0"),
    # The newest ``document.ready`` of export-scheduler.
    Column("ready", JSONB),
    Column("traceparent", Text),
    # Since when it should go; empty once it went.
    Column("asked_at", _AT),
    Column("released_at", _AT),
    Column("sequence_key", Text),
    # False from the release until every living connection has a delivery of it.
    Column("answered", Boolean, nullable=False, server_default="true"),
    Column("repeat_at", _AT),
    Column("repeats", Integer, nullable=False, server_default="0"),
    # A person let it go in spite of its problem.
    Column("let_go_at", _AT),
    Column("let_go_by", Text),
    Column("let_go_reason", Text),
    Column("let_go_problem", Text),
    Column("problem", JSONB),
    Column("problem_version", Integer, nullable=False, server_default="0"),
    Index("document_unread", "read_due_at", postgresql_where=text("read_due_at IS NOT NULL")),
    Index("document_asked", "dossier_id", postgresql_where=text("asked_at IS NOT NULL")),
    Index(
        "document_out_of_turn",
        "dossier_id",
        postgresql_where=text("asked_at IS NOT NULL AND (released_at IS NOT NULL OR let_go_at IS NOT NULL)"),
    ),
    Index("document_unanswered", "dossier_id", postgresql_where=text("NOT answered")),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("document_id", Uuid, ForeignKey("document.id", ondelete="CASCADE"), nullable=False),
    Column("connection_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    # It still may go, and holds what stands behind it in its sequence.
    Column("is_open", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("delivery_of_document", "document_id", "connection_id"),
)

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("bank", Text, nullable=False),
    Column("sequence_key", Text, nullable=False),
    # Sequences that became this one; what went under their keys goes before what goes under this.
    Column("joined_from", ARRAY(Text), nullable=False, server_default="{}"),
    Column("skips_numbers", Boolean, nullable=False, server_default="false"),
    Column("holder_number", Text, nullable=False, server_default=""),
    Column("holder_name", Text, nullable=False, server_default=""),
    # How it came to belong to the dossier: ``holder_number``, ``holder_name``, or who confirmed it. Empty while it is refused.
    Column("owned_by", Text),
    Column("owned_at", _AT),
    Column("owned_reason", Text),
    # A person took it away from the dossier: it comes back by a person only.
    Column("withdrawn_by", Text),
    Column("withdrawn_at", _AT),
    Column("withdrawn_reason", Text),
    Column("refusal", JSONB),
    Column("first_number", Integer),
    Column("last_number", Integer),
    Column("last_on", Date),
    Column("balance", Numeric),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("arrived_at", _AT, nullable=False, server_default=_now),
    UniqueConstraint("dossier_id", "number", "currency", name="account_of_dossier"),
    Index("account_number", "number", "currency", postgresql_where=text("owned_by IS NOT NULL")),
)

statement = Table(
    "statement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("document_id", Uuid, ForeignKey("document.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("opened_on", Date),
    Column("opening", Numeric, nullable=False),
    Column("closes_on", Date, nullable=False),
    Column("closing", Numeric, nullable=False),
    Column("movements", Integer, nullable=False),
    Column("is_partial", Boolean, nullable=False),
    Column("faults", JSONB, nullable=False),
    # ``chain.Standing``; empty for what does not count: of a refused account, of a document that is held or dropped.
    Column("standing", Text),
    # Rises along the chain.
    Column("turn", BigInteger),
    Column("before_id", Uuid),
    Column("missing", ARRAY(Integer), nullable=False, server_default="{}"),
    Column("released_at", _AT),
    UniqueConstraint("document_id", "place", name="statement_place"),
    Index("statement_of_account", "account_id", "closes_on", "number", "id"),
    Index("statement_waiting", "account_id", "turn", postgresql_where=text("released_at IS NULL")),
    Index(
        "statement_gone",
        "account_id",
        "turn",
        postgresql_where=text("released_at IS NOT NULL AND standing = 'linked'"),
    ),
)

line = Table(
    "line",
    metadata,
    Column("statement_id", Uuid, ForeignKey("statement.id", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("entry_on", Date, nullable=False),
    Column("value_on", Date, nullable=False),
    Column("message", Text, nullable=False),
    Column("counterparty_name", Text),
    Column("counterparty_account", Text),
    Column("mark", Text),
    PrimaryKeyConstraint("statement_id", "place"),
)

accepted_gap = Table(
    "accepted_gap",
    metadata,
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("before_id", Uuid, nullable=False),
    Column("after_id", Uuid, nullable=False),
    Column("missing", ARRAY(Integer), nullable=False),
    Column("reason", Text, nullable=False),
    Column("accepted_by", Text, nullable=False),
    Column("accepted_at", _AT, nullable=False, server_default=_now),
    PrimaryKeyConstraint("account_id", "before_id", "after_id"),
)

payment_key = Table(
    "payment_key",
    metadata,
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", _AT, nullable=False, server_default=_now),
    PrimaryKeyConstraint("dossier_id", "key"),
)

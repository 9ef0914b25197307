"""The tables of closing: periods of receipt books, and what has to be handed to dossier-api."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from pos_ingest.tables import AT, NOW, metadata

__all__ = ["hand_in", "metadata", "receipt_period"]
receipt_period = Table(
    "receipt_period",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, ForeignKey("receipt_book.id"), nullable=False),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    # Entries of the book that are in it, both included.
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    # Including VAT, by ``koppel_receipts.totals_key``; what came to nothing is left out.
    Column("takings", JSONB, nullable=False),
    Column("total", Numeric, nullable=False),
    # Empty where there is nothing to invoice.
    Column("invoice_number", BigInteger),
    Column("number", Text),
    Column("closed_by", Text, nullable=False),
    Column("closed_at", AT, nullable=False, server_default=NOW),
    UniqueConstraint("book_id", "ends_on", name="receipt_period_end"),
    UniqueConstraint("book_id", "invoice_number", name="receipt_period_invoice"),
    UniqueConstraint("dossier_id", "number", name="receipt_period_number"),
)

hand_in = Table(
    "hand_in",
    metadata,
    # That of the period or the statement.
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    # Made once and kept until dossier-api has it: whatever happens in between, the same bytes go again.
    Column("content", LargeBinary),
    # When it is tried next; empty once dossier-api has it, or while a person has to act.
    Column("due_at", AT, server_default=NOW),
    # Since it was closed, or a person last had it tried again.
    Column("waits_since", AT, nullable=False, server_default=text("now()")),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("problem", JSONB),
    Column("problem_version", Integer, nullable=False, server_default="0"),
    Column("document_id", Uuid),
    Column("handed_in_at", AT),
    # Of the request that closed the period or asked for the invoice.
    Column("traceparent", Text),
    Index("hand_in_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

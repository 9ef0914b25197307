"""The tables of external invoices: their books, the invoices, and every invoice number that a dossier has used."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from pos_ingest.tables import AT, NOW, metadata

invoice_book = Table(
    "invoice_book",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    # What {BookKey} stands for in the number format.
    Column("key", Text, nullable=False),
    # None: whoever hands in the invoices numbers them.
    Column("number_format", Text),
    Column("last_number", Integer, nullable=False, server_default=text("0")),
    Column("journal", Text),
    Column("journals", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("forward", Boolean, nullable=False),
    Column("created_at", AT, nullable=False, server_default=NOW),
    UniqueConstraint("dossier_id", "name", name="invoice_book_name"),
    UniqueConstraint("dossier_id", "key", name="invoice_book_key"),
)

external_invoice = Table(
    "external_invoice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("book_id", Uuid, ForeignKey("invoice_book.id")),
    Column("number", Text, nullable=False),
    # The sender's own.
    Column("external_reference", Text),
    Column("is_credit_note", Boolean, nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total", Numeric, nullable=False),
    # Name, code, numbers and e-mail of who it is for.
    Column("customer", JSONB, nullable=False),
    # Of what was handed in with a number: the same again is the same invoice.
    Column("sent_hash", Text),
    Column("ubl", LargeBinary, nullable=False),
    # Of its book when it was handed in: a changed book is for invoices that come later (R146).
    Column("journal", Text),
    Column("journals", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("forward", Boolean, nullable=False),
    Column("created_at", AT, nullable=False, server_default=NOW),
    Index("external_invoice_dossier", "dossier_id", "id"),
    Index("external_invoice_sent", "dossier_id", "sent_hash", unique=True),
)

invoice_number = Table(
    "invoice_number",
    metadata,
    Column("dossier_id", Uuid, nullable=False),
    # As numbers are compared (``koppel_bookkeeping.business_keys.document_number_key``).
    Column("number_key", Text, nullable=False),
    Column("number", Text, nullable=False),
    # The external invoice, or the period of a receipt book.
    Column("taken_by", Uuid, nullable=False),
    Column("taken_at", AT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("dossier_id", "number_key"),
)

"""What pos-ingest keeps: dossiers that it heard of, receipt books, the entries of their sealed chains, seals and their keys.

Parts of the service that have tables of their own declare them on ``metadata`` in a ``tables.py`` beside them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
AT = DateTime(timezone=True)
NOW = text("clock_timestamp()")

dossier = Table(
    "dossier",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("enterprise_number", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

receipt_book = Table(
    "receipt_book",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    # What {BookKey} stands for in the number format.
    Column("key", Text, nullable=False),
    # Where it is kept (law: one book for each place of business); empty where the entrepreneur has one.
    Column("place_of_business", Text),
    Column("customer_code", Text),
    Column("customer_name", Text),
    Column("number_format", Text, nullable=False),
    Column("number_prefix", Text, nullable=False),
    Column("period", Text, nullable=False),
    # 0 is Sunday, as Scrada counts.
    Column("week_starts_on", Integer, nullable=False),
    Column("forward", Boolean, nullable=False),
    Column("cash_book_id", Uuid),
    Column("journal", Text),
    # By connection, where its books call the journal something else.
    Column("journals", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    # In percent; empty: every rate of Belgium.
    Column("vat_rates", ARRAY(Text), nullable=False),
    # The last day on which it takes entries.
    Column("ends_on", Date),
    Column("created_at", AT, nullable=False, server_default=NOW),
    UniqueConstraint("dossier_id", "name", name="receipt_book_name"),
    UniqueConstraint("dossier_id", "key", name="receipt_book_key"),
)

# Triggers refuse to change or delete a row.
entry = Table(
    "entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, ForeignKey("receipt_book.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("entry_on", Date, nullable=False),
    Column("entered_at", AT, nullable=False),
    # Of the sender; empty for a day that the nightly run entered.
    Column("external_reference", Text),
    # Of what was sent with that reference.
    Column("sent_hash", Text),
    Column("content", JSONB, nullable=False),
    Column("running_totals", JSONB, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("book_id", "seq", name="entry_place"),
    Index(
        "entry_reference",
        "book_id",
        "external_reference",
        unique=True,
        postgresql_where=text("external_reference IS NOT NULL"),
    ),
    Index("entry_day", "book_id", "entry_on", "seq"),
)

seal_key = Table(
    "seal_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("public", Text, nullable=False),
    # The private half, sealed with KOPPEL_SECRET_KEYS, and the id of the key among these.
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("created_at", AT, nullable=False, server_default=NOW),
)

# A seal is over one entry, and thereby over all before it. Triggers refuse to change or delete a row.
seal = Table(
    "seal",
    metadata,
    Column("book_id", Uuid, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("key_id", Uuid, ForeignKey("seal_key.id"), nullable=False),
    Column("signature", Text, nullable=False),
    Column("sealed_at", AT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("book_id", "seq"),
)

# What is done by itself for one receipt book or cash book, and failed.
failed_work = Table(
    "failed_work",
    metadata,
    # By the name of its loop.
    Column("work", Text, nullable=False),
    Column("book_id", Uuid, nullable=False),
    Column("rule", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("due_at", AT, nullable=False),
    Column("first_seen_at", AT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("work", "book_id"),
)

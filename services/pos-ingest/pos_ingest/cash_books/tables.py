"""The tables of cash books: drawers, what went in and out of them, counts, and their statements."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from pos_ingest.tables import AT, NOW, metadata

cash_book = Table(
    "cash_book",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("start_on", Date, nullable=False),
    Column("start_balance", Numeric, nullable=False),
    # What is in the drawer after its last line; whoever enters lines names it, so that none are entered unseen.
    Column("balance", Numeric, nullable=False),
    Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("last_entry_on", Date),
    Column("coda_period", Text, nullable=False),
    # 0 is Sunday, as Scrada counts.
    Column("coda_week_starts_on", Integer, nullable=False),
    Column("coda_lines", Text, nullable=False),
    # What money is that a till says was put in the drawer, or taken from it; empty: a person is asked each time.
    Column("till_in", Text),
    Column("till_out", Text),
    # The last day that is on a statement, or has nothing to be on one; no line goes before the day after it.
    Column("closed_through", Date),
    Column("created_at", AT, nullable=False, server_default=NOW),
    UniqueConstraint("dossier_id", "name", name="cash_book_name"),
    UniqueConstraint("dossier_id", "iban", name="cash_book_iban"),
)

cash_entry = Table(
    "cash_entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, ForeignKey("cash_book.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("entry_on", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("balance", Numeric, nullable=False),
    Column("message", Text, nullable=False),
    Column("remark", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("invoice_number", Text, nullable=False),
    Column("external_reference", Text),
    # The entry of the linked receipt book that it follows from.
    Column("receipts_id", Uuid),
    Column("entered_by", Text, nullable=False),
    Column("entered_at", AT, nullable=False, server_default=NOW),
    UniqueConstraint("book_id", "seq", name="cash_entry_place"),
    Index(
        "cash_entry_reference",
        "book_id",
        "external_reference",
        unique=True,
        postgresql_where=text("external_reference IS NOT NULL"),
    ),
    Index("cash_entry_day", "book_id", "entry_on", "seq"),
)

cash_count = Table(
    "cash_count",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, ForeignKey("cash_book.id"), nullable=False),
    Column("counted_on", Date, nullable=False),
    Column("counted", Numeric, nullable=False),
    # What the book said when it was counted, after its entry ``seq``.
    Column("balance", Numeric, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("remark", Text, nullable=False),
    Column("counted_by", Text, nullable=False),
    Column("counted_at", AT, nullable=False, server_default=NOW),
    Column("confirmed_by", Text),
    Column("confirmed_at", AT),
    # The entry of the difference, once a person confirmed it.
    Column("entry_id", Uuid, ForeignKey("cash_entry.id")),
    Index("cash_count_of_book", "book_id", "id"),
)

cash_statement = Table(
    "cash_statement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, ForeignKey("cash_book.id"), nullable=False),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    # In the book and the year of ``ends_on``, from 1.
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    # The day that the statement before it ends on.
    Column("opened_on", Date, nullable=False),
    Column("opening", Numeric, nullable=False),
    Column("closing", Numeric, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("closed_at", AT, nullable=False, server_default=NOW),
    UniqueConstraint("book_id", "ends_on", name="cash_statement_period"),
    UniqueConstraint("book_id", "year", "number", name="cash_statement_number"),
)

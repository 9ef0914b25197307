"""Tables of tickets: which register writes to which book, the tickets, and what else comes of them."""

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

register = Table(
    "register",
    metadata,
    Column("dossier_id", Uuid, nullable=False),
    # register | location
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("book_id", Uuid, ForeignKey("receipt_book.id"), nullable=False),
    PrimaryKeyConstraint("dossier_id", "kind", "name"),
)

ticket = Table(
    "ticket",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("book_id", Uuid, ForeignKey("receipt_book.id"), nullable=False),
    Column("register", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    # The day of the sale in Brussels.
    Column("sold_on", Date, nullable=False),
    # SHA-256 of the whole ticket, and of what no later sending may change.
    Column("content_hash", LargeBinary, nullable=False),
    Column("sale_hash", LargeBinary, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("takings", JSONB, nullable=False),
    Column("is_invoice", Boolean, nullable=False),
    # Whether the book still has to hear of it.
    Column("is_pending", Boolean, nullable=False, server_default=text("true")),
    # The day of the entry that holds its takings, and of the one that took them out again.
    Column("entered_on", Date),
    Column("reversed_on", Date),
    Column("received_at", AT, nullable=False, server_default=NOW),
    UniqueConstraint("dossier_id", "register", "receipt", name="ticket_receipt"),
    Index("ticket_pending", "book_id", "sold_on", postgresql_where=text("is_pending")),
    Index("ticket_day", "dossier_id", "register", "sold_on"),
)

# What a ticket puts in the drawer or takes from it beside its payments.
cash_movement = Table(
    "cash_movement",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("book_id", Uuid, nullable=False),
    Column("moved_on", Date, nullable=False),
    Column("amount", Numeric(12, 2), nullable=False),
    # Of the lines of cash books; empty where neither the till nor a person has said it.
    Column("kind", Text),
    Column("party", Text, nullable=False, server_default=""),
    Column("invoice_number", Text, nullable=False, server_default=""),
    Column("remark", Text, nullable=False),
    # Why it is no line of the cash book yet, and when that is tried again.
    Column("refusal", Text),
    Column("due_at", AT, nullable=False, server_default=NOW),
    # Empty where the cash book began later: its opening balance holds it.
    Column("cash_entry_id", Uuid, ForeignKey("cash_entry.id")),
    Column("entered_at", AT),
    PrimaryKeyConstraint("ticket_id", "place"),
    UniqueConstraint("id", name="cash_movement_id"),
    Index("cash_movement_waiting", "book_id", "moved_on", postgresql_where=text("entered_at IS NULL")),
    Index("cash_movement_due", "due_at", postgresql_where=text("entered_at IS NULL")),
)

# A ticket that asks for an invoice; a loop hands it over.
ticket_invoice = Table(
    "ticket_invoice",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    # waiting | made | refused
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("external_invoice_id", Uuid),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", AT, nullable=False, server_default=NOW),
    Column("refusal", JSONB),
    # Of the request that handed the ticket over.
    Column("traceparent", Text),
    Index("ticket_invoice_due", "due_at", postgresql_where=text("state = 'waiting'")),
)

z_total = Table(
    "z_total",
    metadata,
    Column("dossier_id", Uuid, nullable=False),
    Column("register", Text, nullable=False),
    Column("sold_on", Date, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("given", JSONB, nullable=False),
    Column("counted", JSONB, nullable=False),
    # equal | differs | accepted
    Column("state", Text, nullable=False),
    Column("accepted_by", Text),
    Column("reason", Text),
    Column("given_at", AT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("dossier_id", "register", "sold_on"),
)

# A day of a book whose tickets could not be entered.
unfinished_day = Table(
    "unfinished_day",
    metadata,
    Column("book_id", Uuid, ForeignKey("receipt_book.id"), primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    Column("rule", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("due_at", AT, nullable=False),
    Column("first_seen_at", AT, nullable=False, server_default=NOW),
)

"""The tables of cash books and of closed periods, and the work of handing these to dossier-api."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CASH_BOOKS = """
CREATE TABLE cash_book (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    name text NOT NULL,
    iban text NOT NULL,
    start_on date NOT NULL,
    start_balance numeric NOT NULL,
    balance numeric NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0,
    last_entry_on date,
    coda_period text NOT NULL,
    coda_week_starts_on integer NOT NULL,
    coda_lines text NOT NULL,
    closed_through date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT cash_book_name UNIQUE (dossier_id, name),
    CONSTRAINT cash_book_iban UNIQUE (dossier_id, iban)
);

CREATE TABLE cash_entry (
    id uuid PRIMARY KEY,
    book_id uuid NOT NULL REFERENCES cash_book (id),
    seq bigint NOT NULL,
    entry_on date NOT NULL,
    kind text NOT NULL,
    amount numeric NOT NULL,
    balance numeric NOT NULL,
    message text NOT NULL,
    remark text NOT NULL,
    party text NOT NULL,
    invoice_number text NOT NULL,
    external_reference text,
    receipts_id uuid,
    entered_by text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT cash_entry_place UNIQUE (book_id, seq)
);
CREATE UNIQUE INDEX cash_entry_reference ON cash_entry (book_id, external_reference) WHERE external_reference IS NOT NULL;
CREATE INDEX cash_entry_day ON cash_entry (book_id, entry_on, seq);

CREATE TABLE cash_count (
    id uuid PRIMARY KEY,
    book_id uuid NOT NULL REFERENCES cash_book (id),
    counted_on date NOT NULL,
    counted numeric NOT NULL,
    balance numeric NOT NULL,
    seq bigint NOT NULL,
    remark text NOT NULL,
    counted_by text NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    confirmed_by text,
    confirmed_at timestamptz,
    entry_id uuid REFERENCES cash_entry (id)
);
CREATE INDEX cash_count_of_book ON cash_count (book_id, id);

CREATE TABLE cash_statement (
    id uuid PRIMARY KEY,
    book_id uuid NOT NULL REFERENCES cash_book (id),
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    opened_on date NOT NULL,
    opening numeric NOT NULL,
    closing numeric NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT cash_statement_period UNIQUE (book_id, ends_on),
    CONSTRAINT cash_statement_number UNIQUE (book_id, year, number)
);
"""
_CLOSING = """
CREATE TABLE receipt_period (
    id uuid PRIMARY KEY,
    book_id uuid NOT NULL REFERENCES receipt_book (id),
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    takings jsonb NOT NULL,
    total numeric NOT NULL,
    invoice_number bigint,
    number text,
    closed_by text NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT receipt_period_end UNIQUE (book_id, ends_on),
    CONSTRAINT receipt_period_invoice UNIQUE (book_id, invoice_number),
    CONSTRAINT receipt_period_number UNIQUE (dossier_id, number)
);

CREATE TABLE hand_in (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    content bytea,
    due_at timestamptz DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    problem jsonb,
    problem_version integer NOT NULL DEFAULT 0,
    document_id uuid,
    handed_in_at timestamptz
);
CREATE INDEX hand_in_due ON hand_in (due_at) WHERE due_at IS NOT NULL;
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (_CASH_BOOKS + _CLOSING).split(";\n"):
        if statement.strip():
            op.execute(statement)

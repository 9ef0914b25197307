"""The tables of external invoices, their books, and the invoice numbers of a dossier."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE invoice_book (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    name text NOT NULL,
    key text NOT NULL,
    number_format text,
    last_number integer NOT NULL DEFAULT 0,
    journal text,
    journals jsonb NOT NULL DEFAULT '{}'::jsonb,
    forward boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT invoice_book_name UNIQUE (dossier_id, name),
    CONSTRAINT invoice_book_key UNIQUE (dossier_id, key)
);
CREATE TABLE external_invoice (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    book_id uuid REFERENCES invoice_book (id),
    number text NOT NULL,
    is_credit_note boolean NOT NULL,
    issue_date date NOT NULL,
    currency text NOT NULL,
    total numeric NOT NULL,
    customer jsonb NOT NULL,
    sent_hash text,
    ubl bytea NOT NULL,
    journal text,
    journals jsonb NOT NULL DEFAULT '{}'::jsonb,
    forward boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX external_invoice_dossier ON external_invoice (dossier_id, id);
CREATE UNIQUE INDEX external_invoice_sent ON external_invoice (dossier_id, sent_hash);
CREATE TABLE invoice_number (
    dossier_id uuid NOT NULL,
    number_key text NOT NULL,
    number text NOT NULL,
    taken_by uuid NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dossier_id, number_key)
);
ALTER TABLE receipt_book ADD COLUMN journals jsonb NOT NULL DEFAULT '{}'::jsonb;
"""


def upgrade() -> None:
    """Make the tables. A receipt book of the version before has one journal for every target."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)

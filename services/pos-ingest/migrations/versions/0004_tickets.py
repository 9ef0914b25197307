"""The tables of tickets: registers, tickets, what else comes of them, and tills' own totals."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TICKETS = """
CREATE TABLE register (
    dossier_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    firm_id uuid NOT NULL,
    book_id uuid NOT NULL REFERENCES receipt_book (id),
    PRIMARY KEY (dossier_id, kind, name)
);

CREATE TABLE ticket (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    book_id uuid NOT NULL REFERENCES receipt_book (id),
    register text NOT NULL,
    receipt text NOT NULL,
    sold_on date NOT NULL,
    content_hash bytea NOT NULL,
    sale_hash bytea NOT NULL,
    content jsonb NOT NULL,
    takings jsonb NOT NULL,
    is_invoice boolean NOT NULL,
    is_pending boolean NOT NULL DEFAULT true,
    entered_on date,
    reversed_on date,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT ticket_receipt UNIQUE (dossier_id, register, receipt)
);
CREATE INDEX ticket_pending ON ticket (book_id, sold_on) WHERE is_pending;
CREATE INDEX ticket_day ON ticket (dossier_id, register, sold_on);
"""
_WORK = """
CREATE TABLE cash_movement (
    ticket_id uuid NOT NULL REFERENCES ticket (id),
    place integer NOT NULL,
    firm_id uuid NOT NULL,
    book_id uuid NOT NULL,
    moved_on date NOT NULL,
    amount numeric(12, 2) NOT NULL,
    remark text NOT NULL,
    handed_over_at timestamptz,
    PRIMARY KEY (ticket_id, place)
);
CREATE INDEX cash_movement_waiting ON cash_movement (book_id, moved_on) WHERE handed_over_at IS NULL;

CREATE TABLE ticket_invoice (
    ticket_id uuid PRIMARY KEY REFERENCES ticket (id),
    firm_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    external_invoice_id uuid,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    refusal jsonb
);
CREATE INDEX ticket_invoice_due ON ticket_invoice (due_at) WHERE state = 'waiting';
"""
_DAYS = """
CREATE TABLE z_total (
    dossier_id uuid NOT NULL,
    register text NOT NULL,
    sold_on date NOT NULL,
    firm_id uuid NOT NULL,
    given jsonb NOT NULL,
    counted jsonb NOT NULL,
    state text NOT NULL,
    accepted_by text,
    reason text,
    given_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dossier_id, register, sold_on)
);

CREATE TABLE unfinished_day (
    book_id uuid PRIMARY KEY REFERENCES receipt_book (id),
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    day date NOT NULL,
    rule text NOT NULL,
    message text NOT NULL,
    due_at timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (_TICKETS + _WORK + _DAYS).split(";\n"):
        if statement.strip():
            op.execute(statement)

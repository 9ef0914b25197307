"""The tables of connector-coda: what it knows of the mesh, accounts, statements and their lines, gaps, payment keys."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KNOWN = """
CREATE TABLE dossier (
    id uuid PRIMARY KEY,
    firm_id uuid NOT NULL,
    name text NOT NULL,
    enterprise_number text NOT NULL,
    version integer NOT NULL,
    arranging boolean NOT NULL DEFAULT false,
    releasing_at timestamptz
);
CREATE INDEX dossier_arranging ON dossier (id) WHERE arranging;
CREATE INDEX dossier_releasing ON dossier (releasing_at) WHERE releasing_at IS NOT NULL;

CREATE TABLE connection (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    connector text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL
);
CREATE INDEX connection_of_dossier ON connection (dossier_id);

CREATE TABLE document (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    version integer NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    read_due_at timestamptz,
    read_failures integer NOT NULL DEFAULT 0,
    ready jsonb,
    traceparent text,
    asked_at timestamptz,
    released_at timestamptz,
    sequence_key text,
    answered boolean NOT NULL DEFAULT true,
    repeat_at timestamptz,
    repeats integer NOT NULL DEFAULT 0,
    let_go_at timestamptz,
    let_go_by text,
    let_go_reason text,
    let_go_problem text,
    problem jsonb,
    problem_version integer NOT NULL DEFAULT 0
);
CREATE INDEX document_unread ON document (read_due_at) WHERE read_due_at IS NOT NULL;
CREATE INDEX document_asked ON document (dossier_id) WHERE asked_at IS NOT NULL;
CREATE INDEX document_out_of_turn ON document (dossier_id)
    WHERE asked_at IS NOT NULL AND (released_at IS NOT NULL OR let_go_at IS NOT NULL);
CREATE INDEX document_unanswered ON document (dossier_id) WHERE NOT answered;

CREATE TABLE delivery (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    connection_id uuid NOT NULL,
    revision integer NOT NULL,
    is_open boolean NOT NULL,
    version integer NOT NULL
);
CREATE INDEX delivery_of_document ON delivery (document_id, connection_id);
"""
_CHAINS = """
CREATE TABLE account (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    number text NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    bank text NOT NULL,
    sequence_key text NOT NULL,
    joined_from text[] NOT NULL DEFAULT '{}',
    skips_numbers boolean NOT NULL DEFAULT false,
    holder_number text NOT NULL DEFAULT '',
    holder_name text NOT NULL DEFAULT '',
    owned_by text,
    owned_at timestamptz,
    owned_reason text,
    refusal jsonb,
    first_number integer,
    last_number integer,
    last_on date,
    balance numeric,
    state text NOT NULL DEFAULT 'waiting',
    arrived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT account_of_dossier UNIQUE (dossier_id, number, currency)
);
CREATE INDEX account_number ON account (number, currency) WHERE owned_by IS NOT NULL;

CREATE TABLE statement (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES account (id),
    place integer NOT NULL,
    number integer NOT NULL,
    opened_on date,
    opening numeric NOT NULL,
    closes_on date NOT NULL,
    closing numeric NOT NULL,
    movements integer NOT NULL,
    is_partial boolean NOT NULL,
    faults jsonb NOT NULL,
    standing text,
    turn bigint,
    before_id uuid,
    missing integer[] NOT NULL DEFAULT '{}',
    released_at timestamptz,
    CONSTRAINT statement_place UNIQUE (document_id, place)
);
CREATE INDEX statement_of_account ON statement (account_id, closes_on, number, id);
CREATE INDEX statement_waiting ON statement (account_id, turn) WHERE released_at IS NULL;
CREATE INDEX statement_gone ON statement (account_id, turn) WHERE released_at IS NOT NULL AND standing = 'linked';

CREATE TABLE line (
    statement_id uuid NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
    place integer NOT NULL,
    amount numeric NOT NULL,
    entry_on date NOT NULL,
    value_on date NOT NULL,
    message text NOT NULL,
    counterparty_name text,
    counterparty_account text,
    mark text,
    PRIMARY KEY (statement_id, place)
);

CREATE TABLE accepted_gap (
    account_id uuid NOT NULL REFERENCES account (id),
    before_id uuid NOT NULL,
    after_id uuid NOT NULL,
    missing integer[] NOT NULL,
    reason text NOT NULL,
    accepted_by text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, before_id, after_id)
);

CREATE TABLE payment_key (
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    key text NOT NULL,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dossier_id, key)
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (_KNOWN + _CHAINS).split(";\n"):
        if statement.strip():
            op.execute(statement)

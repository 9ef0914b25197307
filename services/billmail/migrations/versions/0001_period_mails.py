"""The mails of a period that an office asked for, and how far each has come."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PERIOD_MAIL = """
CREATE TABLE period_mail (
    id uuid PRIMARY KEY,
    connection_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    dossier_id uuid NOT NULL,
    request_key text NOT NULL,
    from_on date NOT NULL,
    to_on date NOT NULL,
    address text NOT NULL,
    remarks text NOT NULL,
    with_documents boolean NOT NULL,
    document_ids jsonb NOT NULL,
    open_count integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    next_document integer NOT NULL DEFAULT 0,
    part_end integer NOT NULL DEFAULT 0,
    parts_sent integer NOT NULL DEFAULT 0,
    omitted jsonb NOT NULL DEFAULT '[]'::jsonb,
    failures integer NOT NULL DEFAULT 0,
    problem jsonb,
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_token uuid,
    lease_until timestamptz,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    CONSTRAINT period_mail_key UNIQUE (connection_id, request_key)
);
CREATE INDEX period_mail_due ON period_mail (due_at) WHERE state IN ('waiting', 'sending');
"""


def upgrade() -> None:
    """Make the table."""
    for statement in filter(str.strip, _PERIOD_MAIL.split(";\n")):
        op.execute(statement)

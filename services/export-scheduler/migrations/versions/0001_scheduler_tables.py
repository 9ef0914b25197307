"""The scheduler's tables, and the one view that shows everything that waits."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE dossier (
    dossier_id uuid PRIMARY KEY,
    firm_id uuid NOT NULL,
    version integer NOT NULL,
    frequency text NOT NULL,
    approval_required boolean NOT NULL,
    lock_after_export boolean NOT NULL,
    rules_number integer NOT NULL DEFAULT 1,
    replanning boolean NOT NULL DEFAULT true
);
CREATE INDEX dossier_replanning ON dossier (dossier_id) WHERE replanning;

CREATE TABLE document (
    document_id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    version integer NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL,
    number text,
    issue_on date,
    document_on date NOT NULL,
    created_at timestamptz NOT NULL,
    state text NOT NULL,
    content jsonb NOT NULL,
    traceparent text,
    opened_at timestamptz NOT NULL,
    awaited_approval boolean NOT NULL,
    approved_at timestamptz,
    sent_revision integer,
    sent_at timestamptz,
    due_at timestamptz,
    trigger text,
    waits_for text NOT NULL,
    late boolean NOT NULL DEFAULT false,
    rules_number integer NOT NULL DEFAULT 0
);
CREATE INDEX document_due ON document (due_at, document_id) WHERE due_at IS NOT NULL;
CREATE INDEX document_of_dossier ON document (dossier_id, document_on, document_id);
CREATE INDEX document_open ON document (dossier_id, document_id) WHERE waits_for <> 'nothing';

CREATE TABLE export (
    export_id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    trigger text NOT NULL,
    filters jsonb NOT NULL,
    include_exported boolean NOT NULL,
    remarks text,
    count integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text
);
CREATE INDEX export_of_dossier ON export (dossier_id, created_at);

CREATE TABLE export_item (
    export_id uuid NOT NULL REFERENCES export (export_id) ON DELETE CASCADE,
    document_id uuid NOT NULL,
    revision integer NOT NULL,
    again boolean NOT NULL,
    late boolean NOT NULL DEFAULT false,
    queued_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    PRIMARY KEY (export_id, document_id)
);
CREATE INDEX export_item_queued ON export_item (queued_at) WHERE released_at IS NULL;
CREATE INDEX export_item_of_document ON export_item (document_id);

CREATE TABLE delivery (
    delivery_id uuid PRIMARY KEY,
    document_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    revision integer NOT NULL,
    state text NOT NULL,
    version integer NOT NULL
);
CREATE INDEX delivery_of_document ON delivery (document_id, connection_id, revision);
"""

_WAITING = """
CREATE VIEW waiting AS
SELECT firm_id, dossier_id, document_id, revision, kind, number, document_on, state,
       waits_for, due_at, trigger, late, NULL::uuid AS export_id,
       due_at IS NOT NULL AND due_at <= now() AS overdue
FROM document
WHERE waits_for <> 'nothing'
UNION ALL
SELECT d.firm_id, d.dossier_id, d.document_id, d.revision, d.kind, d.number, d.document_on, d.state,
       'moment', i.queued_at, 'manual', i.late, i.export_id, true
FROM export_item i JOIN document d USING (document_id)
WHERE i.released_at IS NULL
"""


def upgrade() -> None:
    """Make everything."""
    for statement in [*_TABLES.split(";\n"), _WAITING]:
        if statement.strip():
            op.execute(statement)

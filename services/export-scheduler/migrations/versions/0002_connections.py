"""Which connections a dossier has; what went before there was one is shown as waiting for it.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CONNECTION = """
CREATE TABLE connection (
    connection_id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    state text NOT NULL,
    version integer NOT NULL
)
"""
_OF_DOSSIER = "CREATE INDEX connection_of_dossier ON connection (dossier_id)"
# Those that were made before are known by what they delivered, and taken for living until they tell of themselves.
_KNOWN = """
INSERT INTO connection (connection_id, dossier_id, state, version)
SELECT DISTINCT ON (v.connection_id) v.connection_id, d.dossier_id, 'connected', -1
FROM delivery v JOIN document d USING (document_id)
"""
# A removed connection ends what it has not sent as failed: that is as good as never taken.
_UNTAKEN = """
CREATE VIEW untaken AS
SELECT d.* FROM document d
WHERE d.waits_for = 'nothing' AND NOT EXISTS (
    SELECT FROM delivery v LEFT JOIN connection c USING (connection_id)
    WHERE v.document_id = d.document_id AND v.revision >= d.sent_revision
        AND NOT (v.state = 'failed' AND coalesce(c.state, '') = 'disconnected'))
"""
_WAITING = """
CREATE OR REPLACE VIEW waiting AS
SELECT firm_id, dossier_id, document_id, revision, kind, number, document_on, state,
       waits_for, due_at, trigger, late, NULL::uuid AS export_id,
       due_at IS NOT NULL AND due_at <= now() AS overdue, issue_on
FROM document
WHERE waits_for <> 'nothing'
UNION ALL
SELECT d.firm_id, d.dossier_id, d.document_id, d.revision, d.kind, d.number, d.document_on, d.state,
       'moment', i.queued_at, 'manual', i.late, i.export_id, true, d.issue_on
FROM export_item i JOIN document d USING (document_id)
WHERE i.released_at IS NULL
UNION ALL
SELECT d.firm_id, d.dossier_id, d.document_id, d.revision, d.kind, d.number, d.document_on, d.state,
       'connection', NULL, NULL, d.late, NULL, false, d.issue_on
FROM dossier o JOIN untaken d USING (dossier_id)
WHERE NOT EXISTS (SELECT FROM connection c WHERE c.dossier_id = o.dossier_id AND c.state <> 'disconnected')
    AND NOT EXISTS (SELECT FROM export_item i WHERE i.document_id = d.document_id AND i.released_at IS NULL)
"""


def upgrade() -> None:
    """Make the table and the views."""
    for statement in (_CONNECTION, _OF_DOSSIER, _KNOWN, _UNTAKEN, _WAITING):
        op.execute(statement)

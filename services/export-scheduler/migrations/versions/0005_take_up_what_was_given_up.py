"""Documents that the version before gave up are announced again: those that no living connection answered for in ten repeats.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Plan them. Nine repeats let a process of the version before announce them once more and not give them up for a day."""
    op.execute("""
        UPDATE document d SET repeats = 9, repeat_at = coalesce(d.repeat_at, now())
        WHERE d.repeats >= 10
            AND EXISTS (SELECT FROM untaken u WHERE u.document_id = d.document_id)
            AND EXISTS (SELECT FROM connection c WHERE c.dossier_id = d.dossier_id AND c.state <> 'disconnected')
    """)

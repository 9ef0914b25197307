"""A pause that outlives a challenge, since when an endpoint has its problem, and mails to owners."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE endpoint ADD COLUMN paused boolean NOT NULL DEFAULT false;
ALTER TABLE endpoint ADD COLUMN contact_email text;
ALTER TABLE endpoint ADD COLUMN problem_at timestamptz;
UPDATE endpoint SET paused = state = 'paused', problem_at = CASE WHEN problem IS NOT NULL THEN now() END;

CREATE TABLE owner_mail (
    id uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL,
    recipient text NOT NULL,
    subject text NOT NULL,
    content text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz DEFAULT now(),
    sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX owner_mail_due ON owner_mail (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX owner_mail_of_recipient ON owner_mail (recipient, created_at);
"""


def upgrade() -> None:
    """Add the columns and the table."""
    for statement in _CHANGES.split(";\n"):
        if statement.strip():
            op.execute(statement)

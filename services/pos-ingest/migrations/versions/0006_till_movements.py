"""What tills put in a drawer or take from it becomes a line of the cash book; senders' references of invoices."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE cash_book ADD COLUMN till_in text;
ALTER TABLE cash_book ADD COLUMN till_out text;

ALTER TABLE cash_movement RENAME COLUMN handed_over_at TO entered_at;
ALTER TABLE cash_movement ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE cash_movement ALTER COLUMN id DROP DEFAULT;
ALTER TABLE cash_movement ADD COLUMN kind text;
ALTER TABLE cash_movement ADD COLUMN party text NOT NULL DEFAULT '';
ALTER TABLE cash_movement ADD COLUMN invoice_number text NOT NULL DEFAULT '';
ALTER TABLE cash_movement ADD COLUMN refusal text;
ALTER TABLE cash_movement ADD COLUMN due_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE cash_movement ADD COLUMN cash_entry_id uuid REFERENCES cash_entry (id);
ALTER TABLE cash_movement ADD CONSTRAINT cash_movement_id UNIQUE (id);
CREATE INDEX cash_movement_due ON cash_movement (due_at) WHERE entered_at IS NULL;

ALTER TABLE external_invoice ADD COLUMN external_reference text;
"""


def upgrade() -> None:
    """Add the columns."""
    for statement in _CHANGES.split(";\n"):
        if statement.strip():
            op.execute(statement)

"""What vendors tell by themselves is stored before it is answered, and finds its delivery by the vendor's references.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE notice (
    id uuid PRIMARY KEY,
    address text NOT NULL,
    notice_id text NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}'::jsonb,
    content bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz DEFAULT now(),
    handled_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    problem text,
    CONSTRAINT notice_key UNIQUE (address, notice_id)
)
"""


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute("CREATE INDEX notice_due ON notice (due_at) WHERE due_at IS NOT NULL")
    op.execute("CREATE INDEX notice_open ON notice (id) WHERE handled_at IS NULL")
    op.execute("CREATE INDEX notice_handled ON notice (handled_at)")
    op.execute("CREATE INDEX delivery_remote_ref ON delivery (remote_ref)")
    op.execute("CREATE INDEX delivery_remote_id ON delivery (remote_id) WHERE remote_id IS NOT NULL")

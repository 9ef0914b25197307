"""A login that several connections of a firm share has a row: what the vendor refused once, none of them tries again.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE login (
            firm_id uuid NOT NULL,
            key text NOT NULL,
            version integer DEFAULT 1 NOT NULL,
            refused_at timestamp with time zone,
            problem jsonb,
            opening_token uuid,
            opening_until timestamp with time zone,
            PRIMARY KEY (firm_id, key)
        )
    """)
    op.execute("ALTER TABLE connection ADD COLUMN login_key text")
    op.execute("CREATE INDEX connection_of_login ON connection (firm_id, login_key) WHERE login_key IS NOT NULL")

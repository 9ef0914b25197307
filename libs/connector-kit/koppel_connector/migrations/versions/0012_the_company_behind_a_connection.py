"""The company behind a connection: what the vendor told of it, when, and who confirmed that it is the right one.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL where nothing was compared yet, as in every connection of before: the next import compares, or the next document does.
    op.execute(
        "ALTER TABLE connection ADD COLUMN remote_company jsonb, ADD COLUMN company_compared_at timestamptz,"
        " ADD COLUMN company_confirmations jsonb NOT NULL DEFAULT '[]'"
    )

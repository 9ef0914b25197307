"""The tables of Scrada's API: keys of companies, how often they call, what they say of themselves."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE scrada_key (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    name text NOT NULL,
    api_key text NOT NULL,
    password_hash bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (api_key)
);
CREATE INDEX ix_scrada_key_dossier_id ON scrada_key (dossier_id);

CREATE TABLE scrada_window (
    dossier_id uuid PRIMARY KEY,
    short_from timestamptz NOT NULL,
    short_calls integer NOT NULL,
    minute_from timestamptz NOT NULL,
    minute_calls integer NOT NULL
);

CREATE TABLE scrada_company (
    dossier_id uuid PRIMARY KEY,
    firm_id uuid NOT NULL,
    data jsonb NOT NULL
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)

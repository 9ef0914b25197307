"""The tables of pos-ingest: dossiers, receipt books, their sealed entries, seals and their keys."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BOOKS = """
CREATE TABLE dossier (
    id uuid PRIMARY KEY,
    firm_id uuid NOT NULL,
    name text NOT NULL,
    enterprise_number text NOT NULL,
    language text NOT NULL,
    version integer NOT NULL
);

CREATE TABLE receipt_book (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL,
    firm_id uuid NOT NULL,
    name text NOT NULL,
    key text NOT NULL,
    place_of_business text,
    customer_code text,
    customer_name text,
    number_format text NOT NULL,
    number_prefix text NOT NULL,
    period text NOT NULL,
    week_starts_on integer NOT NULL,
    forward boolean NOT NULL,
    cash_book_id uuid,
    journal text,
    vat_rates text[] NOT NULL,
    ends_on date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT receipt_book_name UNIQUE (dossier_id, name),
    CONSTRAINT receipt_book_key UNIQUE (dossier_id, key)
);
"""
_CHAIN = """
CREATE TABLE entry (
    id uuid PRIMARY KEY,
    book_id uuid NOT NULL REFERENCES receipt_book (id),
    seq bigint NOT NULL,
    entry_on date NOT NULL,
    entered_at timestamptz NOT NULL,
    external_reference text,
    sent_hash text,
    content jsonb NOT NULL,
    running_totals jsonb NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL,
    CONSTRAINT entry_place UNIQUE (book_id, seq)
);
CREATE UNIQUE INDEX entry_reference ON entry (book_id, external_reference) WHERE external_reference IS NOT NULL;
CREATE INDEX entry_day ON entry (book_id, entry_on, seq);

CREATE TABLE seal_key (
    id uuid PRIMARY KEY,
    public text NOT NULL,
    sealed bytea NOT NULL,
    key_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE seal (
    book_id uuid NOT NULL,
    seq bigint NOT NULL,
    key_id uuid NOT NULL REFERENCES seal_key (id),
    signature text NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, seq)
);
"""
# A row goes only where the transaction names the day before which the retention has ended, and not in less than seven years.
_REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ended_on date := nullif(current_setting('koppel.retention_ended_on', true), '')::date;
    written_at timestamptz;
BEGIN
    IF TG_OP = 'DELETE' AND ended_on IS NOT NULL THEN
        written_at := CASE TG_TABLE_NAME WHEN 'entry' THEN (to_jsonb(OLD) ->> 'entered_at')::timestamptz
            ELSE (to_jsonb(OLD) ->> 'sealed_at')::timestamptz END;
        IF written_at < ended_on AND written_at < clock_timestamp() - interval '7 years' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'a sealed book is not changed: % of %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""


_TRIGGERS = (
    "CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON seal FOR EACH ROW EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    """Make the tables, and let nobody change what is in the chain."""
    for statement in (_BOOKS + _CHAIN).split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(_REFUSE_CHANGE)
    for trigger in _TRIGGERS:
        op.execute(trigger)

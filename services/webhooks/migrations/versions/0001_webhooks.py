"""Endpoints, their secrets, what facts have said, and events with their deliveries and attempts by day."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE endpoint (
    id uuid PRIMARY KEY,
    client_id text NOT NULL,
    firm_id uuid NOT NULL,
    url text NOT NULL,
    event_types text[] NOT NULL,
    description text,
    state text NOT NULL DEFAULT 'unverified',
    problem jsonb,
    auth jsonb,
    auth_sealed bytea,
    auth_key_id text,
    challenge text,
    challenge_attempts integer NOT NULL DEFAULT 0,
    challenge_due_at timestamptz,
    verified_at timestamptz,
    failing_since timestamptz,
    resume_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX endpoint_of_client ON endpoint (client_id, firm_id, id);
CREATE INDEX endpoint_of_firm ON endpoint (firm_id);
CREATE INDEX endpoint_challenge ON endpoint (challenge_due_at) WHERE challenge_due_at IS NOT NULL;

CREATE TABLE secret (
    id uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    sealed bytea NOT NULL,
    key_id text NOT NULL,
    public_key jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at timestamptz
);
CREATE INDEX secret_of_endpoint ON secret (endpoint_id);

CREATE TABLE known (
    kind text NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    state text NOT NULL,
    findings text NOT NULL DEFAULT '',
    problem text NOT NULL DEFAULT '',
    PRIMARY KEY (kind, id)
);

CREATE TABLE subject (
    id uuid PRIMARY KEY,
    firm_id uuid NOT NULL,
    dossier_id uuid,
    sequence integer NOT NULL
);

CREATE SEQUENCE event_position AS bigint;

CREATE TABLE event (
    recorded_at timestamptz NOT NULL,
    id uuid NOT NULL,
    position bigint NOT NULL DEFAULT nextval('event_position'),
    type text NOT NULL,
    firm_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    sequence integer NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (recorded_at, id)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX event_of_firm ON event (firm_id, position);
CREATE INDEX event_of_id ON event (id);

CREATE TABLE delivery (
    recorded_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    subject_id uuid NOT NULL,
    sequence integer NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz DEFAULT now(),
    leased_until timestamptz,
    delivered_at timestamptz,
    PRIMARY KEY (recorded_at, event_id, endpoint_id)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX delivery_due ON delivery (endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_in_order ON delivery (endpoint_id, subject_id, sequence) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_of_endpoint ON delivery (endpoint_id, position);

CREATE TABLE attempt (
    at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    number integer NOT NULL,
    outcome text NOT NULL,
    status integer,
    duration_ms integer NOT NULL,
    answer text NOT NULL,
    PRIMARY KEY (at, event_id, endpoint_id)
) PARTITION BY RANGE (at);
CREATE INDEX attempt_of_delivery ON attempt (endpoint_id, event_id, at);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)

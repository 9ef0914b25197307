"""The kit's tables, in the schema of the connector that uses it (messaging §3.4). All times are the database's clock.

``migrations/versions`` makes them; a test compares the two.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
NOT_AT_ITS_END = "state NOT IN ('booked', 'superseded') AND NOT (state = 'exported' AND due_at IS NULL)"
"""Of a delivery; exported is the end where nothing can be read back, and then nobody is to look again.

What is counted and shown of those that wait goes by this index, however many have ended."""
OUTCOME_IS_OPEN = """(state IN ('sending', 'unknown') OR state = 'blocked' AND unknown_since IS NOT NULL
    OR state = 'exported' AND due_at IS NOT NULL AND may_stay_exported IS NOT TRUE)"""
"""Of a delivery: the vendor may hold it, and its connection is needed to learn so, or under which number it was booked.

What may stay exported is where it was to go; whether somebody books it is looked at for a quarter, and nobody waits for that."""
_now = text("now()")
_empty = text("'{}'::jsonb")


def _moment(name: str, *, default: bool = False) -> "Column[Any]":
    if default:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=_now)
    return Column(name, DateTime(timezone=True))


dossier = Table(
    "dossier",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("enterprise_number", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="0"),
)
"""What ``dossier.changed`` told us; dossier-api owns it."""

connection = Table(
    "connection",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("settings", JSONB, nullable=False, server_default=_empty),
    Column("secrets", LargeBinary),
    Column("key_id", Text),
    Column("limit_scope", Text, nullable=False),
    Column("books_scope", Text),
    Column("connected_via_user", Text),
    Column("problem", JSONB),
    Column("masters_version", Integer, nullable=False, server_default="0"),
    _moment("imported_at"),
    _moment("import_due_at"),
    Column("import_owner_id", Uuid),
    Column("import_failures", Integer, nullable=False, server_default="0"),
    Column("max_inflight", Integer, nullable=False, server_default="1"),
    Column("failures", Integer, nullable=False, server_default="0"),
    _moment("not_before", default=True),
    _moment("away_since"),
    _moment("probe_at"),
    Column("outage", JSONB),
    _moment("unblocked_at", default=True),
    _moment("last_served_at", default=True),
    _moment("read_back_at"),
    Column("login_key", Text),
    Column("remote_company", JSONB),
    _moment("company_compared_at"),
    Column("company_confirmations", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    _moment("created_at", default=True),
    _moment("changed_at", default=True),
    Index("connection_of_dossier", "dossier_id"),
    Index("connection_of_firm", "firm_id", "id"),
    Index("connection_away", "probe_at", postgresql_where=text("away_since IS NOT NULL")),
    Index("connection_import_due", "import_due_at", postgresql_where=text("import_due_at IS NOT NULL")),
    Index("connection_of_login", "firm_id", "login_key", postgresql_where=text("login_key IS NOT NULL")),
)

login = Table(
    "login",
    metadata,
    Column("firm_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("version", Integer, nullable=False, server_default="1"),
    _moment("refused_at"),
    Column("problem", JSONB),
    Column("opening_token", Uuid),
    _moment("opening_until"),
)
"""A login that several connections of a firm share (``Connector.login_key``). Refused once, it waits for another secret."""

oauth_token = Table(
    "oauth_token",
    metadata,
    Column("connection_id", Uuid, ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    _moment("obtained_at", default=True),
    _moment("access_expires_at", default=True),
    _moment("refresh_expires_at", default=True),
    _moment("next_refresh_at", default=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("refused_version", Integer),
    Index("oauth_token_next_refresh", "next_refresh_at"),
    Index("oauth_token_key", "key_id"),
)

oauth_state_used = Table(
    "oauth_state_used",
    metadata,
    Column("nonce", Text, primary_key=True),
    _moment("used_at", default=True),
)
"""Each consent is exchanged exactly once; a second callback with the same state finds its row."""

delivery = Table(
    "delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("connection_id", Uuid, ForeignKey("connection.id"), nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("dossier_id", Uuid, nullable=False),
    Column("document_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("operation", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("has_target", Boolean, nullable=False, server_default="true"),
    Column("on_ambiguous", Text),
    Column("reads_back", Boolean),
    Column("may_stay_exported", Boolean),
    Column("settle_s", Float),
    Column("sequence_key", Text),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    _moment("due_at"),
    Column("lease_token", Uuid),
    Column("owner_id", Uuid),
    _moment("lease_until"),
    _moment("claimed_at"),
    Column("remote_ref", Text, nullable=False),
    Column("remote_uuid", Uuid, nullable=False),
    Column("remote_id", Text),
    Column("entry_number", Text),
    Column("entry_url", Text),
    Column("progress", JSONB, nullable=False, server_default=_empty),
    Column("problem", JSONB),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("lookups", Integer, nullable=False, server_default="0"),
    Column("not_found", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _moment("unknown_since"),
    _moment("resend_decided_at"),
    _moment("abandoned_at"),
    Column("export_id", Uuid),
    Column("traceparent", Text),
    _moment("exported_at"),
    _moment("booked_at"),
    _moment("created_at", default=True),
    _moment("changed_at", default=True),
    UniqueConstraint("connection_id", "operation", "document_id", "revision", name="delivery_key"),
    Index(
        "delivery_due",
        "connection_id",
        "due_at",
        postgresql_where=text("state IN ('ready', 'unknown') AND due_at IS NOT NULL"),
    ),
    Index(
        "delivery_read_back",
        "due_at",
        "connection_id",
        postgresql_where=text("state IN ('exported', 'booked') AND due_at IS NOT NULL"),
    ),
    Index("delivery_leased", "lease_until", postgresql_where=text("lease_token IS NOT NULL")),
    Index("delivery_waiting", "connection_id", postgresql_where=text(NOT_AT_ITS_END)),
    Index("delivery_of_document", "document_id"),
    Index(
        "delivery_in_sequence",
        "sequence_key",
        "id",
        postgresql_where=text(
            "sequence_key IS NOT NULL AND state IN ('ready', 'sending', 'unknown', 'blocked', 'review', 'failed')"
        ),
    ),
    Index("delivery_of_firm", "firm_id", "id"),
    Index("delivery_remote_ref", "remote_ref"),
    Index("delivery_remote_id", "remote_id", postgresql_where=text("remote_id IS NOT NULL")),
)

owner = Table(
    "owner",
    metadata,
    Column("id", Uuid, primary_key=True),
    _moment("renewed_at", default=True),
)
"""A process that may hold claims; one that is not here holds none any more."""

attempt = Table(
    "attempt",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("connection_id", Uuid, ForeignKey("connection.id"), nullable=False),
    Column("delivery_id", Uuid),
    Column("document_id", Uuid),
    Column("phase", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("acts", Boolean, nullable=False),
    _moment("started_at", default=True),
    _moment("deadline_at", default=True),
    _moment("finished_at"),
    Column("outcome", Text),
    Column("http_status", Integer),
    Column("duration_ms", Integer),
    Column("request", Text),
    Column("response", Text),
    Column("message", Text),
    Column("trace_id", Text),
    Index("attempt_of_connection", "connection_id", "id"),
    Index("attempt_of_delivery", "delivery_id", "id", postgresql_where=text("delivery_id IS NOT NULL")),
    Index("attempt_of_document", "document_id", "id", postgresql_where=text("document_id IS NOT NULL")),
    Index("attempt_open", "delivery_id", postgresql_where=text("finished_at IS NULL")),
    Index("attempt_kept", "finished_at", postgresql_where=text("request IS NOT NULL OR NOT acts")),
)
"""Every exchange with a vendor, committed before its bytes leave. This is the sync log people see."""

notice = Table(
    "notice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("address", Text, nullable=False),
    Column("notice_id", Text, nullable=False),
    Column("headers", JSONB, nullable=False, server_default=_empty),
    Column("content", LargeBinary, nullable=False),
    _moment("received_at", default=True),
    Column("due_at", DateTime(timezone=True), server_default=_now),
    _moment("handled_at"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("problem", Text),
    UniqueConstraint("address", "notice_id", name="notice_key"),
    Index("notice_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("notice_open", "id", postgresql_where=text("handled_at IS NULL")),
    Index("notice_handled", "handled_at"),
)
"""What vendors told by themselves. Without ``due_at`` it is at its end: worked off, or given up (no ``handled_at``)."""

rate_window = Table(
    "rate_window",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("period_s", Integer, nullable=False),
    Column("used", Integer, nullable=False, server_default="0"),
    _moment("ends_at", default=True),
)

error_budget = Table(
    "error_budget",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("errors", Integer, nullable=False, server_default="0"),
    _moment("window_ends_at", default=True),
    _moment("open_until"),
    _moment("probe_until"),
)
"""The breaker of one endpoint: it opens before the vendor's own block would, and closes by one good probe."""

master = Table(
    "master",
    metadata,
    Column("connection_id", Uuid, ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("remote_id", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("data", JSONB, nullable=False, server_default=_empty),
    Column("year", Integer, nullable=False, server_default="0"),
)
"""``year`` is 0 for what belongs to no bookyear; the ``remote_id`` of every other line ends in ``@`` and its year.

The year is not in the primary key: the version before this column still runs on this schema and writes by that key."""

memory = Table(
    "memory",
    metadata,
    Column("connection_id", Uuid, ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    _moment("observed_at", default=True),
    Column("written_in", Text),
)
"""What a vendor answered, believed for a while; losing it costs calls.

``written_in`` is the number of the transaction that wrote the row: that of a restored row differs."""

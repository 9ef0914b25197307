"""The tables of webhooks.

Events, deliveries and attempts are partitioned by day, so that what has been kept long enough goes by dropping a table.
``partitions.py`` makes the partitions ahead.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
_AT = DateTime(timezone=True)
_now = text("clock_timestamp()")
_DUE = text("due_at IS NOT NULL")


def _by_day(column: str) -> dict[str, Any]:
    return {"postgresql_partition_by": f"RANGE ({column})"}


endpoint = Table(
    "endpoint",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Whose it is: the client that registered it, and the firm of its token.
    Column("client_id", Text, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    # Whose events are sent; null: that firm's.
    Column("firm_ids", ARRAY(Uuid)),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False),
    Column("description", Text),
    # unverified, active, paused or disabled.
    Column("state", Text, nullable=False, server_default="unverified"),
    # Whether its owner wants nothing now: it is kept while the endpoint has to answer a challenge.
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("problem", JSONB),
    Column("problem_at", _AT),
    # Who is told by mail that it was disabled.
    Column("contact_email", Text),
    # How a token is fetched that the receiver wants; the client's secret is sealed.
    Column("auth", JSONB),
    Column("auth_sealed", LargeBinary),
    Column("auth_key_id", Text),
    # What the endpoint has to answer before anything is sent to it.
    Column("challenge", Text),
    Column("challenge_attempts", Integer, nullable=False, server_default="0"),
    Column("challenge_due_at", _AT),
    Column("verified_at", _AT),
    # Since when every attempt has failed, and until when it asked to be left alone.
    Column("failing_since", _AT),
    Column("resume_at", _AT),
    Column("created_at", _AT, nullable=False, server_default=_now),
    Index("endpoint_of_client", "client_id", "firm_id", "id"),
    Index("endpoint_of_firm", "firm_id"),
    Index("endpoint_of_firms", "firm_ids", postgresql_using="gin"),
    Index("endpoint_challenge", "challenge_due_at", postgresql_where=text("challenge_due_at IS NOT NULL")),
)

secret = Table(
    "secret",
    metadata,
    # Also the ``kid`` of its public key.
    Column("id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, ForeignKey("endpoint.id", ondelete="CASCADE"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("public_key", JSONB, nullable=False),
    Column("created_at", _AT, nullable=False, server_default=_now),
    # From when it signs no more; null for the newest.
    Column("ends_at", _AT),
    Index("secret_of_endpoint", "endpoint_id"),
)

owner_mail = Table(
    "owner_mail",
    metadata,
    # Also of its Message-ID: a mail that is sent twice can be known.
    Column("id", Uuid, primary_key=True),
    # Stays when the endpoint is deleted: what an address got is counted by it.
    Column("endpoint_id", Uuid, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", _AT, server_default=text("now()")),
    Column("sent_at", _AT),
    Column("created_at", _AT, nullable=False, server_default=text("now()")),
    Index("owner_mail_due", "due_at", postgresql_where=_DUE),
    Index("owner_mail_of_recipient", "recipient", "created_at"),
)

known = Table(
    "known",
    metadata,
    # What facts have said last of a document, delivery, connection or period: an id may be of two kinds.
    Column("kind", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("findings", Text, nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
)

subject = Table(
    "subject",
    metadata,
    # What events are put in order of: a document, a connection, a period.
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("dossier_id", Uuid),
    # Of its last event.
    Column("sequence", Integer, nullable=False),
)

event_position = Sequence("event_position", metadata=metadata, data_type=BigInteger)

event = Table(
    "event",
    metadata,
    Column("recorded_at", _AT, primary_key=True),
    Column("id", Uuid, primary_key=True),
    # The order in which events were committed (see ``recording.py``).
    Column("position", BigInteger, event_position, nullable=False, server_default=event_position.next_value()),
    Column("type", Text, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    # CloudEvents JSON, as it is sent.
    Column("body", Text, nullable=False),
    Index("event_of_firm", "firm_id", "position"),
    Index("event_of_id", "id"),
    **_by_day("recorded_at"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("recorded_at", _AT, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    # pending, delivered, failed or withheld.
    Column("state", Text, nullable=False, server_default="pending"),
    # Of this round; a replay begins another.
    Column("attempts", Integer, nullable=False, server_default="0"),
    # When the next attempt may begin; null when there is none to be made.
    Column("due_at", _AT, server_default=text("now()")),
    # While an attempt is under way.
    Column("leased_until", _AT),
    # Since when it is not sent for a reason that is not the endpoint's.
    Column("postponed_since", _AT),
    Column("delivered_at", _AT),
    Index("delivery_due", "endpoint_id", "due_at", postgresql_where=_DUE),
    Index("delivery_in_order", "endpoint_id", "subject_id", "sequence", postgresql_where=_DUE),
    Index("delivery_of_endpoint", "endpoint_id", "position"),
    **_by_day("recorded_at"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("at", _AT, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    # Of the answer; null where there was none.
    Column("status", Integer),
    Column("duration_ms", Integer, nullable=False),
    # The beginning of the answer, or why there was none.
    Column("answer", Text, nullable=False),
    Index("attempt_of_delivery", "endpoint_id", "event_id", "at"),
    **_by_day("at"),
)
PARTITIONED = ("event", "delivery", "attempt")

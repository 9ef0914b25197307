"""Tables of Scrada's API: keys of companies, how often they call, and what they say of themselves."""

from sqlalchemy import Column, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from pos_ingest.tables import AT, NOW, metadata

scrada_key = Table(
    "scrada_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False, index=True),
    Column("firm_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("api_key", Text, nullable=False, unique=True),
    # SHA-256: the password is 256 random bits, so nothing is gained by a slow hash.
    Column("password_hash", LargeBinary, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", AT, nullable=False, server_default=NOW),
)

scrada_window = Table(
    "scrada_window",
    metadata,
    Column("dossier_id", Uuid, primary_key=True),
    Column("short_from", AT, nullable=False),
    Column("short_calls", Integer, nullable=False),
    Column("minute_from", AT, nullable=False),
    Column("minute_calls", Integer, nullable=False),
)

scrada_company = Table(
    "scrada_company",
    metadata,
    Column("dossier_id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("data", JSONB, nullable=False),
)

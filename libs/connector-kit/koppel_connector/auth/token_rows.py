"""A grant of a vendor, opened and in memory, and how it lies in its row; ``vault.py`` says who may spend it."""

import time
from dataclasses import dataclass
from uuid import UUID

from koppel_mesh.prepared_sql import Statement


@dataclass(frozen=True)
class Grant:
    """A token pair, opened, in memory."""

    connection_id: UUID
    access_token: str
    refresh_token: str
    version: int
    received: float
    """Our monotonic clock at the moment the pair counted as received."""
    access_valid_s: float
    refused_version: int | None = None
    """The last pair whose access token the vendor refused for good, as long as none after it has worked."""

    @property
    def is_refused(self) -> bool:
        """Whether nobody may use its access token any more; its refresh token is good."""
        return self.refused_version == self.version

    def age_s(self) -> float:
        """Return how old the pair is."""
        return time.monotonic() - self.received


_ROW = """SELECT ciphertext, key_id, version, failures, refused_version,
    extract(epoch FROM clock_timestamp() - obtained_at)::float8 AS age_s,
    extract(epoch FROM access_expires_at - obtained_at)::float8 AS valid_s
    FROM oauth_token WHERE connection_id = :id"""
READ = Statement(_ROW)
LOCK = Statement(f"{_ROW} FOR UPDATE")
WRITE = Statement("""
    UPDATE oauth_token SET ciphertext = :ciphertext, key_id = :key_id, version = :version, failures = 0,
        refused_version = CAST(:refused_version AS integer),
        obtained_at = clock_timestamp() - :age_s * interval '1 second',
        access_expires_at = clock_timestamp() + (:valid_s - :age_s) * interval '1 second',
        refresh_expires_at = clock_timestamp() + :refresh_days * interval '1 day',
        next_refresh_at = clock_timestamp() + :keep_alive_s * (0.9 + random() * 0.2) * interval '1 second'
    WHERE connection_id = :id AND version = :version - 1
""")
INSERT = Statement("""
    INSERT INTO oauth_token (connection_id, ciphertext, key_id, version, access_expires_at, refresh_expires_at, next_refresh_at)
    VALUES (:id, :ciphertext, :key_id, 1, clock_timestamp() + :valid_s * interval '1 second',
        clock_timestamp() + :refresh_days * interval '1 day', clock_timestamp() + :keep_alive_s * interval '1 second')
    ON CONFLICT (connection_id) DO UPDATE SET ciphertext = excluded.ciphertext, key_id = excluded.key_id,
        version = oauth_token.version + 1, obtained_at = clock_timestamp(), failures = 0, refused_version = NULL,
        access_expires_at = excluded.access_expires_at, refresh_expires_at = excluded.refresh_expires_at,
        next_refresh_at = excluded.next_refresh_at
    RETURNING version
""")
FAILED = Statement("""
    UPDATE oauth_token SET failures = failures + 1,
        next_refresh_at = clock_timestamp() + :wait_s * interval '1 second' WHERE connection_id = :id RETURNING failures
""")
REFUSED = Statement("UPDATE oauth_token SET refused_version = version WHERE connection_id = :id AND version = :version")
PROVED = Statement("""
    UPDATE oauth_token SET refused_version = NULL
    WHERE connection_id = :id AND version = :version AND refused_version < version
""")

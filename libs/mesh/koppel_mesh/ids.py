"""Identifiers: UUIDv7, so that ids made later sort later and indexes stay compact (contract §4)."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """Return a new UUIDv7."""
    return UUID(bytes=uuid_utils.uuid7().bytes)

"""Connections whose secrets this process can read: those under a secret key that it holds.

The others wait and keep everything they have; they go on by themselves in a process that holds the key.
"""

from koppel_connector.contract.problems import Problem
from koppel_mesh.keyring import MissingKeyError

KEYS_HELD = """((c.key_id IS NULL OR c.key_id = ANY(CAST(:key_ids AS text[])))
            AND NOT EXISTS (SELECT FROM oauth_token held WHERE held.connection_id = c.id
                AND NOT held.key_id = ANY(CAST(:key_ids AS text[]))))"""
"""Of a connection ``c``; ``key_ids`` are the ids of the keys this process holds."""


def problem_of(error: MissingKeyError) -> Problem:
    """Return what a person is told: the ids of the key wanted and of the keys given, never a key."""
    return Problem("secret_key_missing", wanted=error.wanted or "…", given=", ".join(error.given))

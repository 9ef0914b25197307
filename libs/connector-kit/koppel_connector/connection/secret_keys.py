"""Connections whose secrets this process can read: those under a secret key that it holds.

The others wait and keep everything they have; they go on by themselves in a process that holds the key. What is damaged waits for
a person instead: no key brings it back.
"""

from koppel_connector.contract.problems import Problem
from koppel_mesh.keyring import DamagedSecretError, MissingKeyError, WrongKeyError

KEYS_HELD = """((c.key_id IS NULL OR c.key_id = ANY(CAST(:key_ids AS text[])))
            AND NOT EXISTS (SELECT FROM oauth_token held WHERE held.connection_id = c.id
                AND NOT held.key_id = ANY(CAST(:key_ids AS text[]))))"""
"""Of a connection ``c``; ``key_ids`` are the ids of the keys this process holds."""


SECRETS_DAMAGED = "secrets_damaged"
GRANT_DAMAGED = "grant_damaged"


def problem_of(error: WrongKeyError, damaged: str = SECRETS_DAMAGED) -> Problem:
    """Return the problem of a person: the ids of the key wanted and of the keys given, never a key.

    Args:
        error: why it does not open.
        damaged: code of the problem where no key helps.
    """
    if isinstance(error, MissingKeyError):
        return Problem("secret_key_missing", wanted=error.wanted or "…", given=", ".join(error.given))
    assert isinstance(error, DamagedSecretError)
    return Problem(damaged)

"""The mesh or our own database is away. Neither the document nor the vendor is to blame, so no try is spent."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from koppel_mesh.database import DatabaseAwayError, is_unavailable
from koppel_mesh.http.internal_client import InternalCallError

INFRASTRUCTURE_PAUSE_S = 5.0


def is_infrastructure_error(error: Exception) -> bool:
    """Return whether something of ours is away. A connector's own TimeoutError or ConnectionError is a bug of it."""
    of_database = isinstance(error, DBAPIError | PoolTimeoutError | DatabaseAwayError)
    return isinstance(error, InternalCallError) or (of_database and is_unavailable(error))

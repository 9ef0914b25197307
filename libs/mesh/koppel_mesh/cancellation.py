"""Whose cancellation it is: that of our task, or only of what the task waited for.

aiormq raises a bare CancelledError for a lost connection, and where we are cancelled as it connects an error of its own (both
measured). Taken for what they look like, the first ends a loop for good and the second keeps one alive that was told to end.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_own_cancellation() -> Iterator[None]:
    """Have the block end with CancelledError if its task was cancelled, and only then: the task alone knows.

    Raises:
        ConnectionError: what the block waited for is lost.
    """
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError from error
        if isinstance(error, asyncio.CancelledError):
            raise ConnectionError("what was waited for is lost") from error
        raise

"""Free ports of the loopback, for servers that need one before they listen."""

import itertools
import os
import socket
from typing import Final

LOWEST: Final = 10_000
HIGHEST: Final = 32_000
"""Linux gives clients their ports from 32,768 up: none of them takes a port between our look at it and its server's start."""
_STEP: Final = 4

# Processes that look at the same moment, as the workers of a test run do, begin far from each other.
_numbers = itertools.count(os.getpid() * 997)


def free_port(more: int = 0) -> int:
    """Return a port that nothing listens on and that this process was not given before.

    Args:
        more: how many of the ports right after it (at most 3) are free as well.

    Raises:
        OSError: every port is taken.
    """
    for _ in range(LOWEST, HIGHEST, _STEP):
        port = LOWEST + next(_numbers) * _STEP % (HIGHEST - LOWEST)
        if all(_is_free(port + offset) for offset in range(more + 1)):
            return port
    raise OSError(f"No port from {LOWEST} to {HIGHEST} is free.")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

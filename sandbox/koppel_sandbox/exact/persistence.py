"""The folder of a sandbox Exact Online, which reads what the version before kept too."""

from pathlib import Path

from koppel_sandbox.persistence import FILE, UnreadableStateError
from koppel_sandbox.persistence import StateStore as Store

from .rows import LAYOUT
from .seed import seeded
from .state import State
from .state_file import read_state_file

__all__ = ["FILE", "FORMAT_1_FILE", "StateStore", "UnreadableStateError", "may_change"]

TITLE = "Exact"
FORMAT = 2
FORMAT_1_FILE = "state.json"
"""What the version before kept: read once, and left as it is."""


class StateStore(Store[State]):
    """One sandbox and its folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, LAYOUT, title=TITLE, format_number=FORMAT)

    def first_state(self, folder: Path) -> State:
        """Return what the version before kept, or the seed."""
        format_1 = folder / FORMAT_1_FILE
        if not format_1.exists():
            return seeded()
        try:
            return read_state_file(format_1.read_bytes())
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnreadableStateError(TITLE, format_1, error) from error


def may_change(method: str, path: str) -> bool:
    """Return whether a request may change something: a consent is a GET, and it makes a code."""
    return method != "GET" or path.endswith("/oauth2/auth")

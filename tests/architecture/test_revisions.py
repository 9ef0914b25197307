"""A released revision never changes: databases out there have run it as it was."""

import hashlib
from pathlib import Path
from typing import Any

FROZEN = Path(__file__).parent / "revisions.sha256"
"""One line for each revision, as ``sha256sum libs/mesh/koppel_mesh/migrations/versions/0001_….py`` prints it in the checkout.

Add the line of a new revision when it lands on main. A line that is there stays: what a released revision made wrong, the next
one mends.
"""


def test_released_revisions_are_what_they_were(checkout: Any) -> None:
    frozen = {path: digest for digest, path in map(str.split, FROZEN.read_text().splitlines())}
    found = {
        str(path.relative_to(checkout.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("libs", "services")
        for path in (checkout.root / folder).glob("**/migrations/versions/[0-9]*.py")
    }
    assert {path for path in frozen if found.get(path) != frozen[path]} == set(), "a released revision has changed"
    assert set(found) - set(frozen) == set(), f"add to {FROZEN.name} the lines that sha256sum prints for these"

"""What ships needs nothing but what ``requirements.lock`` has: the image holds that and no more.

Why: a library that tests bring along is there on every machine that develops, and is missing where it runs.
"""

import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

LAPTOP = {"postgres.py", "rabbitmq.py", "reaper.py"}
"""Of ``deploy/local``: what starts servers for ``koppel up``, which imports it when it needs it."""
OPTIONAL = {"koppel_sandbox"}
"""Found where it is installed, and done without elsewhere."""


def names(lock: Path) -> set[str]:
    """Return the distributions that a lock has."""
    return {_plain(name) for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text("utf-8"), re.MULTILINE)}


def _plain(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def foreign(sources: list[Any]) -> set[str]:
    """Return the top names that shipped files import and the standard library does not have."""
    shipped = [
        source
        for source in sources
        if (
            source.distribution.split("/")[0] in {"libs", "services"}
            and "testing" not in source.path.parts
            and source.path.stem != "testing"
            and not source.distribution.endswith("/sandbox")
        )
        or (source.distribution == "deploy/local" and source.path.name not in LAPTOP)
    ]
    assert len(shipped) > 200
    tops = {name.split(".")[0] for source in shipped for name in source.imports()}
    ours = {part for source in sources for part in source.path.parts}
    return tops - sys.stdlib_module_names - OPTIONAL - ours


def test_what_ships_imports_what_the_lock_has(checkout: Any) -> None:
    locked, of_package = names(checkout.root / "requirements.lock"), packages_distributions()
    lacking = {
        top for top in foreign(checkout.shipped) if not any(_plain(name) in locked for name in of_package.get(top, ()))
    }
    assert not lacking, f"requirements.in lacks what {sorted(lacking)} come from"


def test_both_locks_agree(checkout: Any) -> None:
    def pinned(name: str) -> set[str]:
        return set(re.findall(r"^[A-Za-z0-9_.-]+==\S+", (checkout.root / name).read_text("utf-8"), re.MULTILINE))

    assert pinned("requirements.lock") < pinned("requirements-dev.lock")

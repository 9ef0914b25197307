"""The code lists: each is a text file beside this page.

``RELEASE`` is the release of the EN 16931 validation artefacts whose lists these are; they change about twice a year, and a
new release replaces the files and ``RELEASE`` together. Peppol's own, narrower lists are with its rules.
"""

from functools import cache
from importlib.resources import files

RELEASE = "1.3.16 (April 2026)"


@cache
def codes(name: str) -> frozenset[str]:
    """Return the codes of a list, such as ``currencies`` or ``units``.

    Raises:
        FileNotFoundError: there is no such list.
    """
    return frozenset(files(__name__).joinpath(f"{name}.txt").read_text(encoding="ascii").split())


@cache
def as_text(name: str) -> str:
    """Return the codes sorted in one text with a space around each: two official rules look for a part of that text."""
    return f" {' '.join(sorted(codes(name)))} "

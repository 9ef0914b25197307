"""From and to, both inclusive, either may be open."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Period:
    """BG-14 of the document, BG-26 of a line."""

    start: date | None = None
    """BT-73, BT-134."""
    end: date | None = None
    """BT-74, BT-135."""

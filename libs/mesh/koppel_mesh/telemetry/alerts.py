"""When a metric wants somebody: rules for Prometheus, declared beside the metric they watch.

Pure. ``deploy/monitoring`` writes the rules of all installed services to a file, and ``koppel doctor`` reads the same rules
against what a service answers now. What to do is the section of the rule's name in docs/operating.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["page", "ticket"]
"""``page``: documents do not move, somebody has to look now. ``ticket``: within the working day."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One rule: the metric is above or below a value for some time.

    Raises:
        ValueError: neither or both of ``above`` and ``below`` are given.
    """

    name: str
    """In CamelCase and beginning with ``Koppel``, as Prometheus shows it."""
    summary: str
    """What is the matter, a sentence without its full stop; ``{value}`` in it is the metric's value, of seconds with the unit."""
    severity: Severity
    above: float | None = None
    below: float | None = None
    lasts: str = "5m"
    """For how long it has to be so, in Prometheus' own spelling."""
    where: Mapping[str, str] | None = None
    """Regular expressions that labels have to match whole; unset: every one counts."""
    within: str | None = None
    """Of a counter: it is the increase within this time that counts."""
    as_share: bool = False
    """With ``within``: the share of those that match ``where`` in all of the counter."""

    def __post_init__(self) -> None:
        """Check that there is one limit."""
        if (self.above is None) == (self.below is None):
            raise ValueError(f"{self.name} needs either a value it may not be above or one it may not be below")

    def expression(self, sample: str) -> str:
        """Return the rule in PromQL; ``sample`` is the name of the time series.

        Processes of one service read their gauges from the same rows, so the highest (or lowest) is the one that counts;
        counters are of each process and are added up.
        """
        chosen = ", ".join(f'{label}=~"{pattern}"' for label, pattern in (self.where or {}).items())
        chosen = f"{{{chosen}}}" if chosen else ""
        limit = f"> {self.above:g}" if self.above is not None else f"< {self.below:g}"
        if self.within is None:
            return f"{'max' if self.above is not None else 'min'} by (service) ({sample}{chosen}) {limit}"
        counted = f"sum by (service) (increase({sample}{chosen}[{self.within}]))"
        if self.as_share:
            counted += f" / sum by (service) (increase({sample}[{self.within}]))"
        return f"{counted} {limit}"

    def is_beyond(self, value: float) -> bool:
        """Return whether a gauge with this value is beyond the limit; what has no value (NaN) never is."""
        return value > self.above if self.above is not None else value < (self.below or 0)

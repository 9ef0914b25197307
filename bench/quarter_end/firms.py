"""The firms of a quarter end: how many documents each has, when they become ready, and where they go."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from koppel_mesh.clock import BRUSSELS

FIRMS: Final = 2_000
DOCUMENTS: Final = 1_200_000
SPREAD: Final = 1.2
"""Of the logarithm of a firm's size: the median firm has half as many documents as the mean, the largest fifty times as many."""
STARTS_AT: Final = datetime(2027, 1, 1, 6, 0, tzinfo=BRUSSELS).astimezone(UTC)
"""When exports by the month go (``KOPPEL_EXPORT_RUN_AT``) after the quarter."""
BY_SCHEDULE: Final = 0.7
"""The share of documents that become ready then; the others are handed in over five days, from eight to eighteen."""
HAND_IN_DAYS, FROM_S, UNTIL_S = 5, 2 * 3600.0, 12 * 3600.0
DAY_S: Final = 86_400.0
SHARES: Final = {"exact": 0.6, "octopus": 0.25, "mail": 0.15}
"""Of firms at each vendor."""


@dataclass(frozen=True)
class Firm:
    """One firm with one dossier."""

    name: str
    vendor: str
    ready: Sequence[float]
    """When its documents become ready, in seconds after ``STARTS_AT``, the earliest first."""

    @property
    def size(self) -> int:
        """How many documents it has."""
        return len(self.ready)


def firms(chance: random.Random, count: int = FIRMS, documents: int = DOCUMENTS) -> list[Firm]:
    """Return so many firms, which have so many documents together."""
    weights = [chance.lognormvariate(0, SPREAD) for _ in range(count)]
    sizes = [max(1, int(documents * weight / sum(weights))) for weight in weights]
    for place in range(documents - sum(sizes)):
        sizes[place % count] += 1
    vendors = chance.choices(list(SHARES), list(SHARES.values()), k=count)
    return [
        Firm(f"{place:05}", vendor, _moments(chance, size))
        for place, (size, vendor) in enumerate(zip(sizes, vendors, strict=True))
    ]


def _moments(chance: random.Random, size: int) -> list[float]:
    by_schedule = round(size * BY_SCHEDULE)
    by_hand = (
        chance.randrange(HAND_IN_DAYS) * DAY_S + chance.uniform(FROM_S, UNTIL_S) for _ in range(size - by_schedule)
    )
    return [0.0] * by_schedule + sorted(by_hand)

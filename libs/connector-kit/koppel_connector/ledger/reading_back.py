"""What reading an entry back means, once it was compared with what was sent."""

from collections.abc import Sequence
from typing import Final

from koppel_connector.contract.problems import Problem
from koppel_connector.contract.results import Booked, Differs

_DETAIL_LENGTH_MAX: Final = 500


def compared(differences: Sequence[str], entry_number: str, entry_url: str) -> Booked | Differs:
    """Return that it is booked; where anything differs, ``totals_differ``, a problem of the connector's own, which says what."""
    if differences:
        return Differs(Problem("totals_differ", "; ".join(differences)[:_DETAIL_LENGTH_MAX]), entry_number, entry_url)
    return Booked(entry_number, entry_url)

"""The VAT categories that a document can carry: all of UNTDID 5305, which is wider than what BR-CL-17 allows."""

from decimal import Decimal
from typing import Final

NO_CATEGORY: Final = "none"
"""The category of a line that has none, or one that no list knows; the settings have a VAT code for it under this word."""
STANDARD: Final = "S"
RATED: Final = frozenset({STANDARD, "L", "M", "B"})
"""Categories whose VAT the seller charges: standard, Canary Islands, Ceuta and Melilla, Italian split payment."""
UNRATED: Final = frozenset({"Z", "E", "AE", "K", "G", "O", "AB", "AC", "AD", "D", "F", "I", "J"})
"""Categories under which an invoice charges no VAT. Every other one charges it where its rate is above zero."""
OTHER_RATES: Final = frozenset({"AA", "H"})
"""A lower and a higher rate: with a rate they say no more than ``S`` at that rate."""
MARGIN: Final = frozenset({"D", "F", "I", "J"})
"""The margin schemes: travel, second-hand goods, works of art, collectors' items."""
DUE_BY_BUYER: Final = frozenset({"AE", "K"})
"""Categories whose VAT the buyer owes the state: reverse charge, and goods from another country of the Union."""
CATEGORIES: Final = RATED | UNRATED | OTHER_RATES | {"A", "C", NO_CATEGORY}


def category_of(written: str | None, rate: Decimal | None) -> str:
    """Return which of ``CATEGORIES`` is meant; older documents give a rate alone, and one above zero is standard."""
    category = (written or "").strip().upper()
    if rate and (not category or category in OTHER_RATES):
        return STANDARD
    return category if category in CATEGORIES else NO_CATEGORY


def is_rated(category: str, rate: Decimal | None) -> bool:
    """Whether the seller charges VAT: nobody does at 0 %."""
    return category not in UNRATED and (rate != 0 if category in RATED else bool(rate))

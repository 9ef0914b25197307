"""Builds a whole document from what was sold: works out everything that follows, and refuses what breaks a rule.

``build.py`` is the way in, ``amounts.py`` the arithmetic of the standard, ``including_vat.py`` that of tills and shops, and
``belgian.py`` the values that Belgian documents share.
"""

from .belgian import credit_transfer, daily_receipts, party
from .build import build

__all__ = ["build", "credit_transfer", "daily_receipts", "party"]

"""The demo's bakery with two tills, as both packages know it."""

from typing import Final

DRAWER_IBAN: Final = "BE16985000000174"
"""Of the financial journal of its cash: a number with a bank code that the National Bank gives to nobody."""

"""How long a number may be, and arithmetic that keeps every digit of it."""

from decimal import Context
from typing import Final

WHOLE_DIGITS_MAX: Final = 20
"""Before the point."""
DECIMALS_MAX: Final = 40
"""After it: ``decimal`` of .NET divides to 28 decimals, IEEE 754's longest to 34 digits. Standard and schema set no limit."""
EXACT: Final = Context(prec=100)
"""Python's own context keeps 28 digits, also where it only turns a sign."""

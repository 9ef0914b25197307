"""The rules of Peppol BIS Billing 3 and of its self-billing, with those of the countries, written from their meaning.

Release 3.0.21 (May 2026) is followed.
"""

from koppel_ubl.checking.engine import Layer

from . import codes, document, empty, identifiers, lines  # noqa: F401 - each declares its rules
from .code_lists import RELEASE
from .national import (  # noqa: F401 - each declares its rules
    denmark,
    germany,
    greece,
    iceland,
    italy,
    netherlands,
    norway,
    sweden,
)
from .patterns import RULES

__all__ = ["LAYER", "RELEASE"]

LAYER = Layer("peppol", RULES.by_id, RULES.assertions)

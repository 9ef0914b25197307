"""What countries ask of their own sellers beyond Peppol's rules; Belgium asks nothing. A file for each group of countries."""

from koppel_ubl.checking.peppol.rule import Pattern

from .denmark import DENMARK
from .germany import GERMANY
from .greece import GREECE, GREECE_BOTH
from .iceland import ICELAND
from .italy import ITALY
from .netherlands import NETHERLANDS
from .norway import NORWAY
from .sweden import SWEDEN

PATTERNS: tuple[Pattern, ...] = (NORWAY, DENMARK, ITALY, SWEDEN, GREECE, GREECE_BOTH, ICELAND, NETHERLANDS, GERMANY)

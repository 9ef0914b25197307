"""What each table holds of a firm, declared once; its export, its deletion and the end of retention follow from that."""

from .days import brussels_day
from .holdings import Age, FirmData, Holding

__all__ = ["Age", "FirmData", "Holding", "brussels_day"]

"""What every ledger needs, written once: the typed document, the booking verified to the cent, the choices of an entry.

Pure: values in, values out, no vendor and no service. Read ``document`` and ``booking`` first.
"""

from .booking import Booking, BookingLine, EmbeddedFile, VatAmount
from .document import Document
from .overrides import Overrides
from .parties import Party
from .reasons import CannotBook, Reason
from .sides import SIDES, Side

__all__ = [
    "SIDES",
    "Booking",
    "BookingLine",
    "CannotBook",
    "Document",
    "EmbeddedFile",
    "Overrides",
    "Party",
    "Reason",
    "Side",
    "VatAmount",
]

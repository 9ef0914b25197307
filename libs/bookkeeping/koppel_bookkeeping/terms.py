"""When an entry is due: the document's own date, its written terms, the relation's condition, the settings', in this order."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from koppel_mesh.messages import DocumentKind

from .booking import Booking
from .reasons import CannotBook, Reason
from .settings import PerSide

DAYS_MAX: Final = 366
_DAYS: Final = re.compile(
    r"(?<![\d.,])(\d{1,3})\s*(?:kalenderdagen|calendar days|jours calendrier|dagen|days|jours|dgn|d\b|j\b)"
)
_END_OF_MONTH: Final = re.compile(r"end of (?:the )?month|\beom\b|einde (?:van de )?maand|fin (?:de |du )?mois")
_AT_ONCE: Final = re.compile(r"\b(?:contant|comptant|au grand comptant|due on receipt|on receipt|cash|bij ontvangst)\b")
_NOT_PLAIN: Final = re.compile(r"%|#|korting|escompte|discount|intrest|interest|intérêt")


@dataclass(frozen=True)
class Terms:
    """What an entry says about its payment; neither means that the relation's own condition applies."""

    due_on: date | None = None
    condition: str | None = None
    """Code of a payment condition of the vendor's."""


def choose_terms(booking: Booking, *, relation_has_condition: bool, defaults: PerSide) -> Terms:
    """Return the payment terms of an entry.

    Args:
        booking: what there is to book.
        relation_has_condition: whether the vendor applies a condition of the relation by itself.
        defaults: ``default_payment_condition`` of the connection's settings.

    Raises:
        CannotBook: nothing says when it is due; the detail names the setting that would.
    """
    due_on = booking.due_on or due_date_of(booking.payment_terms, booking.issued_on)
    if due_on is not None:
        return Terms(due_on=due_on)
    if relation_has_condition:
        return Terms()
    if (condition := defaults.of(booking.side)) is not None:
        return Terms(condition=condition)
    if booking.is_credit_note or booking.kind is DocumentKind.DAILY_RECEIPTS or booking.payable <= 0:
        # Nothing is to be paid by a later day: it was paid already, or is open from the day it was issued.
        return Terms(due_on=booking.issued_on)
    raise CannotBook(Reason.PAYMENT_CONDITION_MISSING, f"default_payment_condition.{booking.side}")


def due_date_of(terms: str | None, issued_on: date) -> date | None:
    """Return the day that written payment terms (BT-20) name, in Dutch, French or English; None when they are not plain.

    ``30 dagen``, ``30 days end of month`` and ``comptant`` are plain. A text with several numbers of days, a discount or
    interest is not: a person reads it otherwise than we might.
    """
    text = " ".join((terms or "").casefold().split())
    if not text or _NOT_PLAIN.search(text):
        return None
    days = {int(found) for found in _DAYS.findall(text)}
    if not days and _AT_ONCE.search(text):
        return issued_on
    if len(days) != 1 or (number := days.pop()) > DAYS_MAX:
        return None
    due_on = issued_on + timedelta(days=number)
    if _END_OF_MONTH.search(text):
        return due_on.replace(day=calendar.monthrange(due_on.year, due_on.month)[1])
    return due_on

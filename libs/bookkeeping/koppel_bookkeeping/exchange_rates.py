"""The rate of a document in foreign currency: the sender's, recovered from two VAT totals, else the operator's of the day.

Peppol has no field for the rate, only the VAT in both currencies (BT-110, BT-111), each rounded to the cent. Their quotient
is the rate of the VAT and of nothing larger: with 0.21 USD and 0.19 EUR it is wrong in the second digit.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from .booking import Booking
from .reasons import CannotBook, Reason

EURO: Final = "EUR"
RATE_PLACES: Final = Decimal("0.0000000001")
_HALF_A_CENT: Final = Decimal("0.005")
_CENT: Final = Decimal("0.01")
_PUBLISHED_PLACES_MAX: Final = 4
"""Decimals of the reference rates of the European Central Bank for nearly all currencies."""
_CHANCE_MAX: Final = Decimal("0.1")
_RATE_MIN: Final = Decimal("0.000001")
_RATE_MAX: Final = Decimal(1_000_000)


def rate_of_vat(foreign: Decimal, euros: Decimal, total: Decimal) -> Decimal | None:
    """Return euros for one unit of the currency; None where the rounding of both VAT totals leaves it open.

    Args:
        foreign: VAT in the document's currency (BT-110).
        euros: the same VAT in euros (BT-111).
        total: of the document, in its currency.

    Both totals allow a range of rates. A rate as banks publish them that lies in it, in euros for a unit or units for a euro, and
    hardly by chance, is the sender's, unless it is only the roundest of several there. What is still possible then must not move
    the total by a cent.
    """
    foreign, euros = abs(foreign), abs(euros)
    if foreign <= _HALF_A_CENT or euros <= _HALF_A_CENT or not _RATE_MIN < euros / foreign < _RATE_MAX:
        return None
    lowest = (euros - _HALF_A_CENT) / (foreign + _HALF_A_CENT)
    highest = (euros + _HALF_A_CENT) / (foreign - _HALF_A_CENT)
    found: list[Decimal] = []
    for places in range(_PUBLISHED_PLACES_MAX + 1) if _count_published(lowest, highest) <= 1 else ():
        found += _published(lowest, highest, places)
        found += (1 / rate for rate in _published(1 / highest, 1 / lowest, places))
    possible = found or [lowest, euros / foreign, highest]
    if abs(total) * (max(possible) - min(possible)) >= _CENT:
        return None
    return (found[0] if found else euros / foreign).quantize(RATE_PLACES)


def _count_published(lowest: Decimal, highest: Decimal) -> int:
    """Return how many rates lie in a range, with as many decimals as banks publish."""
    unit = Decimal(1).scaleb(-_PUBLISHED_PLACES_MAX)
    return int((highest / unit).to_integral_value(ROUND_FLOOR) - (lowest / unit).to_integral_value(ROUND_CEILING)) + 1


def _published(lowest: Decimal, highest: Decimal, places: int) -> Iterator[Decimal]:
    """Yield the number of so many decimals in a range so narrow that it is hardly there by chance."""
    unit = Decimal(1).scaleb(-places)
    if highest - lowest < _CHANCE_MAX * unit:
        number = (lowest / unit).to_integral_value(ROUND_CEILING) * unit
        if 0 < number <= highest:
            yield number


def choose_exchange_rate(booking: Booking, given: Mapping[str, Decimal], *, vendor_has_rates: bool) -> Decimal | None:
    """Return the rate of an entry; None in euros, and where the vendor's own rate of the day is to be used.

    Args:
        booking: the document.
        given: the operator's rates, by ``currency:date`` or ``currency``.
        vendor_has_rates: whether the vendor keeps rates of its own.

    Raises:
        CannotBook: nobody knows the rate: ``exchange_rate_missing``, which a rate in the settings solves.
    """
    if booking.currency == EURO:
        return None
    of_day = f"{booking.currency}:{booking.issued_on}"
    rate = booking.exchange_rate or given.get(of_day) or given.get(booking.currency)
    if rate is None and not vendor_has_rates:
        raise CannotBook(Reason.EXCHANGE_RATE_MISSING, of_day)
    return rate

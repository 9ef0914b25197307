"""Which boxes of the Belgian VAT return the seeded VAT codes stand for, as an accountant ties them in Octopus."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from koppel_sandbox.vat_boxes import CENT, BoxedLine, Tied, boxes_of

_SALES = {
    "21": Tied("03", "54"),
    "12": Tied("02", "54"),
    "6": Tied("01", "54"),
    "0": Tied("00"),
    "0VR": Tied("00"),
    "0MC": Tied("45"),
    "0IC": Tied("46"),
    "0ICD": Tied("44"),
    "0EX": Tied("47"),
}
_IN_REVERSE = {
    "MC21": (Tied("87", "56"), Decimal("0.21")),
    "MC6": (Tied("87", "56"), Decimal("0.06")),
    "ICH21": (Tied("86", "55"), Decimal("0.21")),
    "ICD21": (Tied("88", "55"), Decimal("0.21")),
    "INV21": (Tied("87", "57"), Decimal("0.21")),
}
"""Purchases whose VAT is owed and deducted at once; bookings carry none, for the rate of the code says it (octopus §3)."""


def boxes_of_booking(booking: dict[str, Any]) -> dict[str, Decimal]:
    """Return what a buy or sell booking does to the return, by box, in its own currency."""
    is_credit = Decimal(booking["amount"]) < 0
    return boxes_of(_line(booking, line, is_credit=is_credit) for line in booking["bookingLines"])


def _line(booking: dict[str, Any], line: dict[str, Any], *, is_credit: bool) -> BoxedLine:
    sign = -1 if is_credit else 1
    net, vat, code = sign * Decimal(line["baseAmount"]), sign * Decimal(line["vatAmount"]), line["vatCodeKey"]
    account, share = str(line["accountKey"]), Decimal(line["vatRecupPercentage"]) / 100
    if booking["journalKey"].startswith("V"):
        return BoxedLine("sale", _SALES.get(code, Tied()), net, vat, account, is_credit)
    if code in _IN_REVERSE:
        tied, rate = _IN_REVERSE[code]
        owed = (net * rate).quantize(CENT, ROUND_HALF_UP)
        return BoxedLine("purchase", tied, net, owed, account, is_credit, share)
    return BoxedLine("purchase", Tied(), net, vat, account, is_credit, share)

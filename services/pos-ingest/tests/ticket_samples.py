"""Tickets as tills write them, in the field spellings of Scrada's API."""

import itertools
from decimal import Decimal
from typing import Any

_receipts = itertools.count(1)
RATES = {21: 1, 12: 1, 6: 1, 0: 2}


def line(amount: str, rate: int = 21, **changes: Any) -> dict[str, Any]:
    """Return a line of one product."""
    known = {
        "lineID": "1",
        "quantity": 1,
        "itemInclVat": float(amount),
        "vatType": RATES[rate],
        "vatPercentage": rate,
        "totalInclVat": float(amount),
        "itemType": 1,
        "itemName": "Koffie",
    }
    return known | changes


def payment(amount: str, method: int = 2, **changes: Any) -> dict[str, Any]:
    """Return a payment; method 2 is cash, 5 a debit card."""
    names = {2: "Contant", 5: "Bancontact", 6: "Visa", 7: "Cadeaubon"}
    known = {"paymentID": "1", "type": 1, "amount": float(amount), "paymentMethodType": method}
    return known | {"paymentMethodName": names.get(method, "Andere")} | changes


def ticket(
    *lines: dict[str, Any], at: str = "2026-03-19T18:30:00+01:00", register: str = "K1", **changes: Any
) -> dict[str, Any]:
    """Return a ticket paid in cash; without lines a coffee of 12.10 at 21 %."""
    given = list(lines) or [line("12.10")]
    total = sum((Decimal(str(each["totalInclVat"])) for each in given), Decimal(0))
    known = {
        "receiptID": f"R{next(_receipts)}",
        "receiptCreatedOn": at,
        "receiptFinalizedOn": at,
        "registerID": register,
        "totalInclVat": float(total),
        "lines": given,
        "payments": [payment(str(total))] if total else [],
    }
    return known | changes

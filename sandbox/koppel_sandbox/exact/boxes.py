"""Which boxes of the Belgian VAT return the seeded VAT codes stand for, as an accountant ties them in Exact."""

from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple


class Tied(NamedTuple):
    """The boxes of one VAT code."""

    base: str
    vat: str = ""
    """Of what is owed."""


SALES = {
    "21": Tied("03", "54"),
    "12": Tied("02", "54"),
    "6": Tied("01", "54"),
    "0": Tied("00"),
    "VRY": Tied("00"),
    "MC": Tied("45"),
    "ICD": Tied("44"),
    "ICL": Tied("46"),
    "ICT": Tied("46"),
    "EXP": Tied("47"),
}
PURCHASES = {
    "P21": Tied(""),
    "P12": Tied(""),
    "P6": Tied(""),
    "P0": Tied(""),
    "PVR": Tied(""),
    "PMC": Tied("87", "56"),
    "PIC": Tied("86", "55"),
    "PID": Tied("88", "55"),
    "PIN": Tied("87", "57"),
}
OF_UNION = frozenset({"44", "46", "86", "88"})
CREDIT_NOTES = frozenset({21, 31})


def boxes_of(entry: dict[str, Any]) -> dict[str, Decimal]:
    """Return the amount in each box, in euros; a credit note's amounts are those on paper, as the form wants them."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    is_credit = entry["Type"] in CREDIT_NOTES
    for line in entry.get("SalesEntryLines") or ():
        _sale(found, line, is_credit=is_credit)
    for line in entry.get("PurchaseEntryLines") or ():
        _purchase(found, line, is_credit=is_credit)
    return {box: amount for box, amount in sorted(found.items()) if amount}


def _sale(found: dict[str, Decimal], line: dict[str, Any], *, is_credit: bool) -> None:
    tied, net, vat = SALES[line["VATCode"].strip()], Decimal(line["AmountDC"]), Decimal(line["VATAmountDC"])
    if is_credit:
        found["48" if tied.base in OF_UNION else "49"] -= net
        found["64"] -= vat
    else:
        found[tied.base] += net
        found[tied.vat] += vat


def _purchase(found: dict[str, Decimal], line: dict[str, Any], *, is_credit: bool) -> None:
    tied, net, vat = PURCHASES[line["VATCode"].strip()], Decimal(line["AmountDC"]), Decimal(line["VATAmountDC"])
    account = str(line["GLAccountCode"])
    found["81" if account.startswith("60") else {"6": "82", "2": "83"}.get(account[0], "?")] += net
    if tied.base:
        found[tied.base] += net
    if is_credit:
        found["84" if tied.base in OF_UNION else "85"] -= net
        # What is owed less and deducted less cancel out.
        found["63"] -= vat if not tied.base else Decimal(0)
    else:
        found["59"] += vat
        found[tied.vat] += vat if tied.vat else Decimal(0)

"""Which boxes of the Belgian VAT return the seeded VAT codes stand for, as an accountant ties them in Exact."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from koppel_sandbox.vat_boxes import BoxedLine, Side, Tied, boxes_of

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
    "P21": Tied(),
    "P12": Tied(),
    "P6": Tied(),
    "P0": Tied(),
    "PVR": Tied(),
    "PMC": Tied("87", "56"),
    "PIC": Tied("86", "55"),
    "PID": Tied("88", "55"),
    "PIN": Tied("87", "57"),
}
CREDIT_NOTES = frozenset({21, 31})


def boxes_of_entry(entry: dict[str, Any]) -> dict[str, Decimal]:
    """Return the amount in each box, in euros."""
    is_credit = entry["Type"] in CREDIT_NOTES
    lines = [_line("sale", SALES, line, is_credit=is_credit) for line in entry.get("SalesEntryLines") or ()]
    lines += [_line("purchase", PURCHASES, line, is_credit=is_credit) for line in entry.get("PurchaseEntryLines") or ()]
    return boxes_of(lines)


def _line(side: Side, tied: Mapping[str, Tied], line: dict[str, Any], *, is_credit: bool) -> BoxedLine:
    net, vat = Decimal(line["AmountDC"]), Decimal(line["VATAmountDC"])
    return BoxedLine(side, tied[line["VATCode"].strip()], net, vat, str(line["GLAccountCode"]), is_credit)

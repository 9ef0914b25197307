"""The boxes of the Belgian VAT return, filled from lines whose VAT codes are tied to them as an accountant ties them."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

Side = Literal["sale", "purchase"]


class Tied(NamedTuple):
    """The boxes of one VAT code, beside those that follow from side and account."""

    base: str = ""
    vat: str = ""
    """Of the VAT that is owed."""


class BoxedLine(NamedTuple):
    """What one line of an entry brings; on a credit note its amounts are negative."""

    side: Side
    tied: Tied
    net: Decimal
    vat: Decimal
    """Of a purchase that is charged in reverse, the VAT that is owed and deducted at once."""
    account: str
    is_credit: bool
    deductible: Decimal = Decimal(1)
    """Share of the VAT that is claimed back; the rest is cost."""


OF_UNION = frozenset({"44", "46", "86", "88"})
"""Their credit notes have boxes of their own: 48 for sales, 84 for purchases."""
CENT = Decimal("0.01")


def boxes_of(lines: Iterable[BoxedLine]) -> dict[str, Decimal]:
    """Return the amount in each box that is not empty; of credit notes as on paper, as the form wants them.

    What a sale brings to a code that is tied to no box stands under an empty name, so that it is seen.
    """
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.side == "sale":
            _sale(found, line)
        else:
            _purchase(found, line)
    return {box: amount for box, amount in sorted(found.items()) if amount}


def _sale(found: dict[str, Decimal], line: BoxedLine) -> None:
    if line.is_credit:
        found["48" if line.tied.base in OF_UNION else "49"] -= line.net
        found["64"] -= line.vat
    else:
        found[line.tied.base] += line.net
        found[line.tied.vat] += line.vat


def _purchase(found: dict[str, Decimal], line: BoxedLine) -> None:
    claimed = (line.vat * line.deductible).quantize(CENT, ROUND_HALF_UP)
    cost = line.net + line.vat - claimed
    found["81" if line.account.startswith("60") else {"6": "82", "2": "83"}.get(line.account[0], "?")] += cost
    if line.tied.base:
        found[line.tied.base] += line.net
    if line.is_credit:
        found["84" if line.tied.base in OF_UNION else "85"] -= line.net
        # Charged in reverse, what is owed less and what is deducted less cancel out.
        found["63"] -= claimed if not line.tied.base else Decimal(0)
    else:
        found["59"] += claimed
        if line.tied.vat:
            found[line.tied.vat] += line.vat

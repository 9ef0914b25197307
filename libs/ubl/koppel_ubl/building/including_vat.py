"""Prices that include VAT, as tills and shops know them: the customer pays the sum of what was asked, to the cent."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from koppel_ubl.errors import WriteError
from koppel_ubl.model import Line, Price

from .amounts import ZERO, line_net, rounded


def without_vat(lines: Sequence[Line]) -> tuple[tuple[Line, ...], Decimal]:
    """Return the lines without VAT, and what is to be rounded off (BT-114) so that the total is what was asked.

    Per rate the net is that of the gross total; what the lines differ from it goes to the largest of them. A net and its VAT
    cannot always add up to the gross in whole cents: that cent is the rounding, never a line's.

    Raises:
        WriteError: a line has no price, or allowances of its own, of which nobody can say whether VAT is in them.
    """
    gross = [_gross(line, number) for number, line in enumerate(lines, 1)]
    nets = [rounded(amount / _factor(line)) for line, amount in zip(lines, gross, strict=True)]
    residue = ZERO
    for vat in dict.fromkeys((line.vat.category, line.vat.rate) for line in lines):
        places = [place for place, line in enumerate(lines) if (line.vat.category, line.vat.rate) == vat]
        asked = sum((gross[place] for place in places), ZERO)
        net = rounded(asked / _factor(lines[places[0]]))
        largest = max(places, key=lambda place: abs(nets[place]))
        nets[largest] += net - sum((nets[place] for place in places), ZERO)
        residue += asked - net - rounded(net * (vat[1] or ZERO) / 100)
    return tuple(_priced(line, net) for line, net in zip(lines, nets, strict=True)), residue


def _factor(line: Line) -> Decimal:
    return 1 + (line.vat.rate or ZERO) / 100


def _gross(line: Line, number: int) -> Decimal:
    amount = line_net(line)
    if amount is None or line.net is not None or line.allowances_charges:
        sentence = "A line that includes VAT has a price, and neither a net amount nor allowances or charges."
        raise WriteError("including_vat", sentence, f"lines[{number}]")
    return amount


def _priced(line: Line, net: Decimal) -> Line:
    """State the price of all units together: a price of one would need more decimals than there are."""
    quantity = line.quantity or Decimal(1)
    sign = -1 if quantity < 0 else 1
    price = Price(net=net * sign, base_quantity=None if abs(quantity) == 1 else abs(quantity))
    return replace(line, quantity=quantity, net=net, price=price)

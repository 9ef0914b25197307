"""Prices that include VAT, as in shops: the customer pays the sum of the prices, to the cent.

Base and VAT of each rate are within its gross total, and together they are that total: the base is rounded half up, the VAT is
the rest. VAT worked out again from the rounded base would now and then find or lose a cent; that cent BR-CO-17 allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from koppel_ubl.errors import WriteError
from koppel_ubl.model import Line, Price

from .amounts import ZERO, line_net, rounded

Vat = tuple[str | None, Decimal | None]
"""A category and its rate."""


def without_vat(lines: Sequence[Line]) -> tuple[tuple[Line, ...], Mapping[Vat, Decimal]]:
    """Return the lines without VAT, and the VAT of each category and rate.

    The net of each rate is that of the gross total; the largest line takes the difference with the lines.

    Raises:
        WriteError: a line has no price, or has allowances, which may or may not include VAT.
    """
    gross = [_gross(line, number) for number, line in enumerate(lines, 1)]
    nets = [rounded(amount / _factor(line)) for line, amount in zip(lines, gross, strict=True)]
    taxes: dict[Vat, Decimal] = {}
    for vat in dict.fromkeys((line.vat.category, line.vat.rate) for line in lines):
        places = [place for place, line in enumerate(lines) if (line.vat.category, line.vat.rate) == vat]
        gross_total = sum((gross[place] for place in places), ZERO)
        net = rounded(gross_total / _factor(lines[places[0]]))
        largest = max(places, key=lambda place: abs(nets[place]))
        nets[largest] += net - sum((nets[place] for place in places), ZERO)
        taxes[vat] = gross_total - net
    return tuple(_priced(line, net) for line, net in zip(lines, nets, strict=True)), taxes


def _factor(line: Line) -> Decimal:
    return 1 + (line.vat.rate or ZERO) / 100


def _gross(line: Line, number: int) -> Decimal:
    amount = line_net(line)
    if amount is None or line.net is not None or line.allowances_charges:
        sentence = "A line that includes VAT has a price, and neither a net amount nor allowances or charges."
        raise WriteError("including_vat", sentence, f"lines[{number}]")
    return amount


def _priced(line: Line, net: Decimal) -> Line:
    """State the price of all units together: the price of one would need more decimals than UBL allows."""
    quantity = line.quantity or Decimal(1)
    sign = -1 if quantity < 0 else 1
    price = Price(net=net * sign, base_quantity=None if abs(quantity) == 1 else abs(quantity))
    return replace(line, quantity=quantity, net=net, price=price)

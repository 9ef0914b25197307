"""Which boxes of the periodic Belgian VAT return the amounts of a document land in.

The boxes and what belongs in each are those of the return's form (royal decree no. 1 of 29 December 1992, annex). An accountant
fills in the return; this tells beforehand what a document does to it, so that a wrong VAT code shows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from .amounts import ZERO, rounded, spread
from .booking import Booking, BookingLine, vat_due_by_buyer
from .exchange_rates import EURO
from .vat_categories import MARGIN
from .vat_situation import OUTSIDE_THE_RETURN, Exemption, Supply, Territory, VatSituation, situation_of

ASK: Final = "?"
"""In place of a box: the document does not tell enough, and a person must say."""
PURCHASES: Final = "81-83"
"""Goods for resale (81), services and other goods (82) or investments (83), where the ledger account is not known."""
STANDARD_RATE: Final = Decimal(21)
_SALES_AT: Final = {Decimal(6): "01", Decimal(12): "02", Decimal(21): "03"}
_OF_UNION: Final = frozenset({"44", "46", "86", "88"})
# Exemptions on exports and what counts as such, and the travel agents' outside the Union: box 47.
_LIKE_EXPORT: Final = ("143", "144", "146", "148", "151", "153", "159", "309", "G")
_BOUGHT_WITHOUT_VAT: Final = frozenset({"Z", "E", "G"}) | MARGIN

Boxes = Mapping[str, Decimal | None]
"""Euros by box. None: nothing tells the amount in euros, as of a base in dollars without their rate."""
_AccountOf = Callable[[BookingLine], str | None]


class Due(NamedTuple):
    """The boxes of a purchase whose VAT the buyer owes: of the operation, and of the VAT."""

    operation: str
    vat: str


def vat_return(
    booking: Booking,
    *,
    rate_due: Decimal = STANDARD_RATE,
    import_deferred: bool = True,
    account_of: _AccountOf = lambda _: None,
) -> Boxes:
    """Return the amount in each box, by box; ``ASK`` stands for what no box can be given to.

    Amounts are in euros, as the return is. Of a document in another currency the VAT is what the document says in euros
    (BT-111), else by its rate, as all else is; without a rate all else is None.

    Args:
        booking: what there is to book.
        rate_due: in percent, where the buyer owes the VAT and the document shows none.
        import_deferred: whether the dossier has the licence to declare the VAT on imports in the return.
        account_of: the ledger account of a line, which parts purchases into 81, 82 and 83 by its class.
    """

    def boxes(lines: Iterable[BookingLine]) -> dict[str, Decimal]:
        return _boxes(booking, lines, rate_due, import_deferred=import_deferred, account_of=account_of)

    if booking.currency == EURO:
        return dict(boxes(booking.lines))
    taxes = _taxes_in_euros(booking)
    if (rate := booking.exchange_rate) is not None:
        converted = zip(booking.lines, taxes or [line.tax * rate for line in booking.lines], strict=True)
        return dict(boxes(replace(line, net=line.net * rate, tax=tax) for line, tax in converted))
    if taxes is None:
        return dict.fromkeys(boxes(booking.lines))
    known = boxes(replace(line, net=ZERO, tax=tax) for line, tax in zip(booking.lines, taxes, strict=True))
    unknown = boxes(replace(line, tax=ZERO) for line in booking.lines)
    return {box: None if box in unknown else known[box] for box in sorted({*known, *unknown})}


def _taxes_in_euros(booking: Booking) -> list[Decimal] | None:
    """Return the VAT of each line in euros by the document's own total (BT-111); None where that does not tell."""
    taxes = [line.tax for line in booking.lines]
    if not any(taxes):
        return taxes
    if booking.vat_in_euros is None or not sum(taxes):
        return None
    return spread(rounded(booking.vat_in_euros), taxes)


def _boxes(
    booking: Booking,
    lines: Iterable[BookingLine],
    rate_due: Decimal,
    *,
    import_deferred: bool,
    account_of: _AccountOf,
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    owed: dict[Due, list[BookingLine]] = defaultdict(list)
    for line in lines:
        situation = situation_of(booking, line)
        due = _due(situation, import_deferred=import_deferred)
        if due is not None:
            owed[due].append(line)
            continue
        amounts = (
            _of_sale(booking, line, situation) if booking.side == "sale" else _of_purchase(booking, line, situation)
        )
        _add(found, amounts, line, account_of)
    for due, due_lines in owed.items():
        for line, vat in zip(due_lines, vat_due_by_buyer(due_lines, rate_due), strict=True):
            _add(found, _of_owed(booking, line, due, vat), line, account_of)
    return {box: rounded(found[box]) for box in sorted(found) if found[box]}


def _add(
    found: dict[str, Decimal],
    amounts: Iterable[tuple[str, Decimal]],
    line: BookingLine,
    account_of: _AccountOf,
) -> None:
    for box, amount in amounts:
        found[_purchases_box(account_of(line)) if box == PURCHASES else box] += amount


def _purchases_box(account: str | None) -> str:
    """Return 81, 82 or 83 by the class of the Belgian chart of accounts: 60, the rest of 6, and 2."""
    if account is None:
        return PURCHASES
    if account.startswith("60"):
        return "81"
    return {"6": "82", "2": "83"}.get(account[:1], PURCHASES)


# ── sales ──


def _of_sale(booking: Booking, line: BookingLine, situation: VatSituation) -> Iterator[tuple[str, Decimal]]:
    box = _sales_box(situation)
    if box is None:
        return
    if box == ASK:
        yield ASK, line.net
        return
    charges_ours = box in _SALES_AT.values()
    if booking.is_credit_note:
        yield "48" if box in _OF_UNION else "49", line.net
    else:
        yield box, line.net
    if charges_ours:
        yield "64" if booking.is_credit_note else "54", line.tax


def _sales_box(situation: VatSituation) -> str | None:
    """Return the box of an invoice's base; None for what is no part of the return."""
    if situation.exemption == Exemption.ABROAD:
        return "47"
    if situation.exemption == Exemption.UNREGISTERED or situation.is_unexplained_abroad:
        return ASK
    if situation.is_rated:
        return _rated_sales_box(situation)
    match situation.category:
        case "AE" | "K":
            return _box_without_vat(situation)
        case "G":
            return "47"
        case "O":
            return None if situation.territory == Territory.BELGIUM else "47"
        case "Z" | "E":
            return _exempt_sales_box(situation.reason_code)
        case category if category in MARGIN:
            return "00"
        case _:
            return ASK


def _rated_sales_box(situation: VatSituation) -> str:
    if situation.category == "S" and situation.rate in _SALES_AT and not situation.one_stop_shop:
        return _SALES_AT[situation.rate]
    # VAT of another country is declared there, or in the one-stop shop; the operation is one abroad.
    abroad = situation.category != "S" or situation.territory != Territory.BELGIUM or situation.one_stop_shop
    return "47" if abroad and situation.rate else ASK


def _box_without_vat(situation: VatSituation) -> str:
    if situation.category == "K" and situation.territory != Territory.UNION:
        return ASK
    if situation.territory != Territory.UNION:
        return "45" if situation.territory == Territory.BELGIUM else "47"
    return "46" if _of_goods(situation) else "44"


def _of_goods(situation: VatSituation) -> bool:
    return situation.of_goods or (situation.category == "K" and situation.supply != Supply.SERVICES)


def _exempt_sales_box(reason_code: str) -> str | None:
    if reason_code == OUTSIDE_THE_RETURN:
        return None
    if reason_code == "VATEX-EU-IC":
        return "46"
    article = reason_code.removeprefix("VATEX-EU-").split("-")[0]
    return "47" if article in _LIKE_EXPORT else "00"


# ── purchases ──


def _of_purchase(booking: Booking, line: BookingLine, situation: VatSituation) -> Iterator[tuple[str, Decimal]]:
    """Yield the boxes of a purchase whose VAT, if any, the seller charges. Foreign VAT is cost, and claimed elsewhere."""
    if situation.reason_code == OUTSIDE_THE_RETURN:
        return
    if situation.category == "O" and situation.territory == Territory.BELGIUM:
        return
    is_known = situation.is_rated or situation.category in _BOUGHT_WITHOUT_VAT
    if not is_known or situation.is_unexplained_abroad:
        yield ASK, line.net
        return
    foreign = situation.charges_foreign_vat
    cost = line.net + line.tax if foreign else line.cost
    yield PURCHASES, booking.sign * cost
    if booking.is_credit_note:
        yield "85", cost
    if not foreign:
        yield "63" if booking.is_credit_note else "59", line.deductible_tax


def _of_owed(booking: Booking, line: BookingLine, due: Due, vat: Decimal) -> Iterator[tuple[str, Decimal]]:
    """Yield the boxes of a purchase whose VAT we owe. On a credit note what is owed less and deducted less cancel out."""
    lost = rounded(vat * line.non_deductible_percent / 100)
    yield PURCHASES, booking.sign * (line.net + lost)
    yield due.operation, booking.sign * line.net
    if booking.is_credit_note:
        yield "84" if due.operation in _OF_UNION else "85", line.net
        yield "62", lost
    else:
        yield due.vat, vat
        yield "59", vat - lost


def _due(situation: VatSituation, *, import_deferred: bool) -> Due | None:
    """Return the boxes of a purchase whose VAT we owe the state; None where we owe none."""
    if situation.side == "sale":
        return None
    if situation.exemption == Exemption.IMPORT:
        return Due("87", "57") if import_deferred else None
    if not situation.is_due_by_buyer or situation.exemption in {Exemption.UNREGISTERED, Exemption.ABROAD}:
        return None
    if situation.category == "K" and situation.territory != Territory.UNION:
        return None
    if situation.territory != Territory.UNION and situation.category == "AE":
        return Due("87", "56")
    return Due("86" if _of_goods(situation) else "88", "55")

"""The entries of a day from its tickets: totals by VAT and by method, large sales by themselves, corrections. Pure.

The same tickets give the same lines, in whatever order and batches they came.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from pos_ingest.rules import CASH, CASH_STEP, OUTSIDE
from pos_ingest.takings import LINES_MAX, PAYMENTS_MAX, Item, Kind, Payment, TakingsLine

from .ticket_takings import OUTSIDE_KEYS, Payments, TicketTakings, VatKey

SINGLES_AT_ONCE: Final = LINES_MAX // 4
"""Sales on lines of their own in one entry; each may have several rates."""
OTHER_METHODS: Final = "other"
REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "late": {
        "nl": "Tickets die na het afsluiten van de dag binnenkwamen ({of})",
        "fr": "Tickets reçus après la clôture du jour ({of})",
        "en": "Tickets that came in after the day was closed ({of})",
    },
    "invoiced": {
        "nl": "Ticket {of} werd een factuur",
        "fr": "Le ticket {of} est devenu une facture",
        "en": "Ticket {of} became an invoice",
    },
}


@dataclass(frozen=True, slots=True)
class Correction:
    """Why takings of an earlier day come, or go, on a later one."""

    on: date
    """The day concerned."""
    reason: str


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What one entry of the book holds."""

    lines: tuple[TakingsLine, ...]
    payments: tuple[Payment, ...]


def entries_of(tickets: Sequence[TicketTakings], correction: Correction | None = None) -> Iterator[DayTotals]:
    """Give the entries that hold these tickets: one, unless the book cannot take it as one."""
    counted = [ticket for ticket in tickets if ticket.amounts]
    for group in _groups(sorted(counted, key=_order)):
        totals = _total(group, correction)
        if totals.lines:
            yield totals


def reason(kind: str, language: str, of: str) -> str:
    """Return why there is a correction, in the language of the dossier."""
    texts = REASONS[kind]
    return texts.get(language, texts["en"]).format(of=of[:150])


def _groups(tickets: list[TicketTakings]) -> Iterator[list[TicketTakings]]:
    plain, singles = ([each for each in tickets if bool(each.single) is is_single] for is_single in (False, True))
    yield [*plain, *singles[:SINGLES_AT_ONCE]]
    for start in range(SINGLES_AT_ONCE, len(singles), SINGLES_AT_ONCE):
        yield singles[start : start + SINGLES_AT_ONCE]


def _total(tickets: Iterable[TicketTakings], correction: Correction | None) -> DayTotals:
    amounts: dict[VatKey, list[Decimal]] = defaultdict(list)
    singles: list[TakingsLine] = []
    payments: Payments = defaultdict(Decimal)
    rounding = Decimal(0)
    for ticket in tickets:
        for key, amount in ticket.amounts.items():
            if key.item is Item.CASH_ROUNDING:
                rounding += amount
            elif ticket.single and key.item not in OUTSIDE:
                singles.append(_line(Kind.SINGLE, key, amount, ticket.single, correction))
            else:
                amounts[key].append(amount)
        for method, paid in ticket.payments.items():
            payments[method] += paid
    if rounding:
        amounts[_rounding(rounding, payments[CASH])].append(rounding)
    normal = [
        _normal(key, parts, correction) for key, parts in sorted(amounts.items(), key=lambda each: _place(each[0]))
    ]
    paid_by = [Payment(method=method, amount=paid) for method, paid in sorted(_few(payments).items()) if paid]
    return DayTotals(tuple(normal + singles), tuple(paid_by))


def _rounding(amount: Decimal, cash: Decimal) -> VatKey:
    # Beside a rounding the book wants cash in steps of 5 cents: a till that does not round breaks that for its neighbours.
    if not cash % CASH_STEP:
        return OUTSIDE_KEYS[Item.CASH_ROUNDING]
    return VatKey("O", Decimal(0), Item.SALE if amount > 0 else Item.REFUND)


def _normal(key: VatKey, parts: list[Decimal], correction: Correction | None) -> TakingsLine:
    line = _line(Kind.NORMAL, key, sum(parts, Decimal(0)), None, correction)
    if correction is not None or key.item in OUTSIDE:
        return line
    largest = max(parts, key=abs)
    return line.model_copy(update={"sales": len(parts), "largest_sale": abs(largest)})


def _line(kind: Kind, key: VatKey, amount: Decimal, text: str | None, correction: Correction | None) -> TakingsLine:
    if correction is not None:
        kind = Kind.CORRECTION
        text = f"{correction.reason}: {text}"[:300] if text else correction.reason
    return TakingsLine(
        kind=kind,
        item=key.item,
        vat_category=key.category,
        vat_rate=key.rate,
        amount=amount,
        description=text,
        exemption=key.exemption,
        corrects_date=correction.on if correction else None,
    )


def _few(payments: Payments) -> Payments:
    """Return the payments with as many methods as an entry takes: the smallest of too many are one."""
    if len(payments) <= PAYMENTS_MAX:
        return payments
    by_size = sorted(payments.items(), key=lambda each: (each[0] != CASH, -abs(each[1]), each[0]))
    kept = dict(by_size[: PAYMENTS_MAX - 1])
    rest = sum((paid for _, paid in by_size[PAYMENTS_MAX - 1 :]), Decimal(0))
    kept[OTHER_METHODS] = kept.get(OTHER_METHODS, Decimal(0)) + rest
    return kept


def _place(key: VatKey) -> tuple[str, Decimal, str, str]:
    return key.category, key.rate, key.item.value, key.exemption or ""


def _order(ticket: TicketTakings) -> tuple[str, str]:
    return ticket.single or "", repr(ticket.to_json())

"""The entries of a day from its tickets: totals by VAT and by method, large sales by themselves, corrections. Pure.

The same tickets give the same lines, in whatever order and batches they came.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from pos_ingest.rules import CASH, CASH_STEP, OUTSIDE
from pos_ingest.takings import LINES_MAX, PAYMENTS_MAX, Item, Kind, Payment, TakingsLine

from .ticket_takings import OUTSIDE_KEYS, Payments, TicketTakings, VatKey

SUM_MAX: Final = Decimal("999999999.99")
"""In EUR: the largest amount of an entry's line (``fields.Amount``)."""
SALES_MAX: Final = 1_000_000
"""How many sales a line may be the total of."""
OTHER_METHODS: Final = "other"
_NOTHING_SOLD: Final = VatKey("O", Decimal(0), Item.SALE)
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
    invoice_number: str | None = None
    """Of the invoice that it became, where it was made already."""


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What one entry of the book holds."""

    lines: tuple[TakingsLine, ...]
    payments: tuple[Payment, ...]


class Sums:
    """What tickets add up to. They are added one at a time and not kept, except for sales that stand by themselves.

    Only where the sums of a day are too large for one entry does the order of the tickets say which entry they are in.
    """

    def __init__(self) -> None:
        self._parts = [_Part()]
        self._singles: list[TicketTakings] = []

    def add(self, ticket: TicketTakings) -> None:
        """Add what one ticket puts in the book."""
        if ticket.single:
            self._singles.append(ticket)
        elif ticket.amounts or ticket.payments:
            self._place(ticket)

    def entries(self, correction: Correction | None = None) -> Iterator[DayTotals]:
        """Give the entries that hold all of it: one, unless the book cannot take it as one. Nothing may be added after."""
        for ticket in sorted(self._singles, key=_order):
            self._place(ticket)
        for part in self._parts:
            totals = part.totals(correction)
            if totals.lines:
                yield totals

    def _place(self, ticket: TicketTakings) -> None:
        if not self._parts[-1].has_room_for(ticket):
            self._parts.append(_Part())
        self._parts[-1].add(ticket)


class _Part:
    """What one entry holds: as many lines, and sums of as many digits, as an entry takes."""

    def __init__(self) -> None:
        self._amounts: dict[VatKey, _Sum] = defaultdict(_Sum)
        self._payments: Payments = defaultdict(Decimal)
        self._singles: list[tuple[VatKey, Decimal, str]] = []
        self._size = Decimal(0)
        self._tickets = 0

    def has_room_for(self, ticket: TicketTakings) -> bool:
        """Return whether the entry still takes it as well."""
        alone = sum(_is_alone(ticket, key) for key in ticket.amounts)
        summed = sum(not _is_alone(ticket, key) and key not in self._amounts for key in ticket.amounts)
        lines = len(self._singles) + len(self._amounts) + alone + summed + 1  # and a line for what cash was rounded by
        fits = lines <= LINES_MAX and self._size + _size(ticket) <= SUM_MAX
        return fits and self._tickets < SALES_MAX

    def add(self, ticket: TicketTakings) -> None:
        """Add a ticket."""
        self._tickets += 1
        self._size += _size(ticket)
        for key, amount in ticket.amounts.items():
            if _is_alone(ticket, key):
                self._singles.append((key, amount, ticket.single or ""))
            else:
                self._amounts[key].add(amount)
        for method, paid in ticket.payments.items():
            self._payments[method] += paid

    def totals(self, correction: Correction | None) -> DayTotals:
        """Return the entry. Nothing may be added after."""
        self._round()
        amounts = sorted(self._amounts.items(), key=lambda each: _place(each[0]))
        payments = tuple(
            Payment(method=method, amount=paid) for method, paid in sorted(_few(self._payments).items()) if paid
        )
        lines = [_normal(key, total, correction) for key, total in amounts]
        lines += [_line(Kind.SINGLE, key, amount, text, correction) for key, amount, text in self._singles]
        if payments and not lines:
            # A wrong method of payment is put right by receipts of 0 EUR with plus and minus on the methods.
            lines = [_line(Kind.NORMAL, _NOTHING_SOLD, Decimal(0), None, correction)]
        return DayTotals(tuple(lines), payments)

    def _round(self) -> None:
        """Let what cash was rounded by stand where the book takes it.

        Beside a rounding the book wants cash in steps of 5 cents: a till that does not round breaks that for its neighbours, and
        cash that was all given back is none.
        """
        rounded = self._amounts.pop(OUTSIDE_KEYS[Item.CASH_ROUNDING], None)
        if rounded is None or not rounded.amount:
            return
        key = OUTSIDE_KEYS[Item.CASH_ROUNDING]
        cash = self._payments.get(CASH, Decimal(0))
        if not cash or cash % CASH_STEP:
            key = VatKey("O", Decimal(0), Item.SALE if rounded.amount > 0 else Item.REFUND)
        self._amounts[key].add(rounded.amount)


@dataclass(slots=True)
class _Sum:
    """Amounts under one key."""

    amount: Decimal = Decimal(0)
    count: int = 0
    largest: Decimal = Decimal(0)

    def add(self, amount: Decimal) -> None:
        self.amount += amount
        self.count += 1
        self.largest = max(self.largest, abs(amount))


def reason(kind: str, language: str, of: str) -> str:
    """Return why there is a correction, in the language of the dossier."""
    texts = REASONS[kind]
    return texts.get(language, texts["en"]).format(of=of[:150])


def _normal(key: VatKey, total: _Sum, correction: Correction | None) -> TakingsLine:
    line = _line(Kind.NORMAL, key, total.amount, None, correction)
    if correction is not None or key.item in OUTSIDE:
        return line
    return line.model_copy(update={"sales": total.count, "largest_sale": total.largest})


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
        invoice_number=correction.invoice_number if correction else None,
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


def _is_alone(ticket: TicketTakings, key: VatKey) -> bool:
    return bool(ticket.single) and key.item not in OUTSIDE


def _size(ticket: TicketTakings) -> Decimal:
    """Return what no sum of the ticket's amounts, or of its payments, can pass."""
    return max(sum(map(abs, ticket.amounts.values()), Decimal(0)), sum(map(abs, ticket.payments.values()), Decimal(0)))


def _place(key: VatKey) -> tuple[str, Decimal, str, str]:
    return key.category, key.rate, key.item.value, key.exemption or ""


def _order(ticket: TicketTakings) -> tuple[str, str]:
    return ticket.single or "", repr(ticket.to_json())

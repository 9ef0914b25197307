"""What an entry must be: the rules of the daily receipts book, each by its code. Pure.

The law behind each is in docs/receipts.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from koppel_mesh.clock import BRUSSELS, brussels_date
from koppel_receipts import OUTSIDE_SCOPE

from .fields import EARLIEST_DAY
from .takings import Item, Kind, Payment, TakingsLine

BELGIAN_RATES = frozenset(map(Decimal, (0, 6, 12, 21)))
SINGLE_ABOVE = Decimal(250)
"""Including VAT: a sale above it stands on a line of its own."""
CASH = "cash"
CASH_STEP = Decimal("0.05")
TAXED_VOUCHER = "single_purpose_voucher"
ZERO_AT = time(23, 30)
"""In Brussels: when a day without entries is entered as closed."""
NEEDS_INVOICE = frozenset({"AE", "K"})
"""Reverse charge and supplies within the Union are never without an invoice."""


OUTSIDE = frozenset(
    {Item.TIP, Item.GIFT_CARD, Item.MULTI_PURPOSE_VOUCHER, Item.RETURNABLE_PACKAGING, Item.CASH_ROUNDING}
)
"""No supply, or no part of what is taxed: these have category O."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a part of the entry breaks."""

    field: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Book:
    """What of a book the rules look at."""

    first_on: date | None
    last_on: date | None
    ends_on: date | None
    vat_rates: Sequence[str]
    has_cash_book: bool
    closed_through: date | None = None
    """The last day whose takings are on an invoice already."""


def broken_by_day(book: Book, on: date, now: datetime) -> Iterator[Broken]:
    """Yield what is wrong with the day of an entry."""
    if on < EARLIEST_DAY:
        yield Broken("date", "before_all_books", f"No book begins before {EARLIEST_DAY}.")
    if on > brussels_date(now):
        yield Broken("date", "future_date", f"{on} has not begun in Brussels.")
    if book.last_on and on < book.last_on:
        message = (
            f"The last entry is of {book.last_on}. Enter a correction on that day or later, with corrects_date {on}."
        )
        yield Broken("date", "before_last_entry", message)
    elif book.closed_through and on <= book.closed_through:
        message = f"{on} is closed and invoiced. Enter a correction on a later day, with corrects_date {on}."
        yield Broken("date", "period_closed", message)
    if book.ends_on and on > book.ends_on:
        yield Broken("date", "book_ended", f"The book ended on {book.ends_on}.")


def broken_by_lines(book: Book, on: date, lines: Sequence[TakingsLine]) -> Iterator[Broken]:
    """Yield what is wrong with each line."""
    for place, line in enumerate(lines):
        at = f"lines.{place}"
        if line.kind is not Kind.CLOSED:
            yield from _vat(book, line, at)
        yield from _OF_KIND[line.kind](book, on, line, at)
        yield from _sign(line, at)
    if len(lines) > 1 and any(line.kind is Kind.CLOSED for line in lines):
        yield Broken("lines", "closed_day_alone", "A closed day has one line and no takings.")


def broken_by_payments(
    book: Book, lines: Sequence[TakingsLine], payments: Sequence[Payment] | None
) -> Iterator[Broken]:
    """Yield what is wrong with the payments, and with them beside the lines."""
    received = sum((line.amount for line in lines), Decimal(0))
    if payments is None:
        if book.has_cash_book and received:
            yield Broken(
                "payments", "payments_needed", "The book is linked to a cash book: say how each amount was paid."
            )
        return
    paid = sum((payment.amount for payment in payments), Decimal(0))
    if paid != received:
        yield Broken("payments", "payments_differ", f"The payments are {paid} together, the takings {received}.")
    for method, count in Counter(payment.method for payment in payments).items():
        if count > 1:
            yield Broken("payments", "method_twice", f"{method} stands there {count} times.")
    if any(payment.method == TAXED_VOUCHER for payment in payments):
        message = "A single-purpose voucher was taxed when it was sold: leave what it pays for out of the takings."
        yield Broken("payments", "taxed_when_sold", message)
    if any(line.item is Item.CASH_ROUNDING for line in lines):
        cash = [payment.amount for payment in payments if payment.method == CASH]
        if not cash or cash[0] % CASH_STEP:
            message = "Only what is paid in cash is rounded, and then it is a multiple of 0.05."
            yield Broken("payments", "cash_not_rounded", message)


def _vat(book: Book, line: TakingsLine, at: str) -> Iterator[Broken]:
    if line.vat_category in NEEDS_INVOICE:
        message = f"Category {line.vat_category} always has an invoice, and is no part of the daily receipts."
        yield Broken(f"{at}.vat_category", "needs_invoice", message)
    elif line.vat_category == "S":
        if line.vat_rate not in BELGIAN_RATES or not line.vat_rate:
            yield Broken(f"{at}.vat_rate", "unknown_rate", f"{line.vat_rate} is no rate of category S in Belgium.")
    elif line.vat_rate:
        yield Broken(f"{at}.vat_rate", "unknown_rate", f"Category {line.vat_category} has rate 0.")
    if book.vat_rates and line.vat_category != OUTSIDE_SCOPE and line.vat_rate not in map(Decimal, book.vat_rates):
        message = f"The book takes the rates {', '.join(book.vat_rates)}."
        yield Broken(f"{at}.vat_rate", "rate_not_in_book", message)
    if line.item in OUTSIDE and line.vat_category != OUTSIDE_SCOPE:
        message = f"{line.item} is outside the VAT base: give it category {OUTSIDE_SCOPE}."
        yield Broken(f"{at}.vat_category", "outside_vat_base", message)
    if line.item in (Item.SINGLE_PURPOSE_VOUCHER, Item.DOWN_PAYMENT) and line.vat_category == OUTSIDE_SCOPE:
        message = f"{line.item} is taxed when it is paid: give it the category and rate of what it is for."
        yield Broken(f"{at}.vat_category", "taxed_at_payment", message)


def _normal(_: Book, __: date, line: TakingsLine, at: str) -> Iterator[Broken]:
    if line.corrects_date is not None:
        yield Broken(f"{at}.corrects_date", "only_corrections", "Only a correction names the day that it corrects.")
    largest = line.largest_sale or (abs(line.amount) if line.sales == 1 else Decimal(0))
    if largest > SINGLE_ABOVE and line.item not in OUTSIDE:
        message = f"A sale above {SINGLE_ABOVE} EUR stands on a line of its own, of kind single and with what it was."
        yield Broken(f"{at}.kind", "single_above_250", message)


def _single(_: Book, __: date, line: TakingsLine, at: str) -> Iterator[Broken]:
    if line.corrects_date is not None:
        yield Broken(f"{at}.corrects_date", "only_corrections", "Only a correction names the day that it corrects.")
    if line.sales not in (None, 1):
        yield Broken(f"{at}.sales", "single_is_one", "A line of kind single is one sale.")
    if not line.description:
        yield Broken(f"{at}.description", "description_needed", "Say what was sold.")


def _correction(book: Book, on: date, line: TakingsLine, at: str) -> Iterator[Broken]:
    if not line.description:
        yield Broken(f"{at}.description", "reason_needed", "Say why it is corrected.")
    if line.corrects_date is None:
        yield Broken(f"{at}.corrects_date", "corrects_date_needed", "Name the day that is corrected.")
    elif book.first_on is None or not book.first_on <= line.corrects_date <= on:
        yield Broken(
            f"{at}.corrects_date", "day_not_in_book", f"The book has no entry of {line.corrects_date} by then."
        )


def _closed(_: Book, __: date, line: TakingsLine, at: str) -> Iterator[Broken]:
    if line.amount:
        yield Broken(f"{at}.amount", "closed_day_has_takings", "On a closed day the amount is 0.00.")


_OF_KIND = {Kind.NORMAL: _normal, Kind.SINGLE: _single, Kind.CORRECTION: _correction, Kind.CLOSED: _closed}


def _sign(line: TakingsLine, at: str) -> Iterator[Broken]:
    if line.kind is Kind.CORRECTION or line.item is Item.CASH_ROUNDING:
        return
    if line.item is Item.REFUND and line.amount > 0:
        yield Broken(f"{at}.amount", "refund_is_negative", "What is given back has a negative amount.")
    if line.amount < 0 and line.item not in (Item.REFUND, Item.RETURNABLE_PACKAGING):
        message = "Takings are not negative: what is given back is an item refund, what was wrong a correction."
        yield Broken(f"{at}.amount", "negative_takings", message)


def last_closing(now: datetime) -> datetime:
    """Return the latest moment of closing in Brussels that is over; clocks that change move it with them."""
    local = now.astimezone(BRUSSELS)
    on = local.date() if local.time() >= ZERO_AT else local.date() - timedelta(days=1)
    return datetime.combine(on, ZERO_AT, BRUSSELS)


def days_without_entry(last_on: date, until: date) -> Iterator[date]:
    """Yield each day after the last entry's, up to and with ``until``."""
    for number in range(1, (until - last_on).days + 1):
        yield last_on + timedelta(days=number)

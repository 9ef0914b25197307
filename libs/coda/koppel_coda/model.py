"""A statement as frozen values.

Amounts are signed ``Decimal``: money in is positive, money out negative. Text keeps its leading blanks and loses those at its
end; absent text is ``""``. Sequence numbers, detail numbers, line numbers, notes and the trailer follow from the rest or from the
file, so they take no part in comparison: ``read(write([statement])) == [statement]``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .accounts import Account
from .codes import TransactionCode
from .communications import Structured
from .errors import Note


@dataclass(frozen=True, slots=True)
class Header:
    """Record 0.

    ``company_number`` is ten digits or ``""``. ``separate_application`` other than ``00000``: the file holds only part of the
    account's movements and its balances mean nothing. ``version`` is ``1`` or ``2``.
    """

    created_on: date | None
    bank_number: str = "000"
    addressee: str = ""
    bic: str = ""
    company_number: str = ""
    file_reference: str = ""
    duplicate: bool = False
    separate_application: str = "00000"
    transaction_reference: str = ""
    related_reference: str = ""
    application: str = "05"
    version: str = "2"


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance at the end of a day; ``paper_number`` is that of the paper statement, or the day of the year, or 0."""

    amount: Decimal
    on: date | None
    paper_number: int = 0


@dataclass(frozen=True, slots=True)
class Counterparty:
    """The other side of a movement. ``address`` is of version 1 only."""

    name: str = ""
    account: Account | None = None
    bic: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Information:
    """Records 3.1 to 3.3: more about the movement they follow."""

    communication: str | Structured
    code: TransactionCode
    bank_reference: str = ""
    sequence: int = field(default=0, compare=False, repr=False, kw_only=True)
    detail: int = field(default=0, compare=False, repr=False, kw_only=True)
    line: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Movement:
    """Records 2.1 to 2.3 with what belongs to them.

    ``details`` are the movements under the same sequence number: they make up this one and do not count beside it.
    ``customer_reference`` is the end-to-end id of a payment. ``r_transaction`` is ``1`` reject, ``2`` return, ``3`` refund,
    ``4`` reversal, ``5`` cancellation or ``""``, and ``reason`` its ISO code. ``trade_reference`` is what files from before
    version 2.3 have instead of these four. ``globalisation`` is the level at which a group opens or closes, or 0.
    """

    amount: Decimal
    code: TransactionCode
    entry_on: date
    value_on: date
    communication: str | Structured = ""
    counterparty: Counterparty | None = None
    bank_reference: str = ""
    customer_reference: str = ""
    r_transaction: str = ""
    reason: str = ""
    category_purpose: str = ""
    purpose: str = ""
    trade_reference: str = ""
    paper_number: int = 0
    globalisation: int = 0
    information: tuple[Information, ...] = ()
    details: tuple["Movement", ...] = ()
    sequence: int = field(default=0, compare=False, repr=False, kw_only=True)
    detail: int = field(default=0, compare=False, repr=False, kw_only=True)
    line: int = field(default=0, compare=False, repr=False, kw_only=True)

    @property
    def details_agree(self) -> bool:
        """Return whether the details add up to the movement; true when there are none."""
        return not self.details or sum(one.amount for one in self.details) == self.amount

    def walk(self) -> Iterator["Movement"]:
        """Yield this movement, then every detail at every depth, in the order of the file."""
        yield self
        for one in self.details:
            yield from one.walk()

    def leaves(self) -> Iterator["Movement"]:
        """Yield the finest movements that still add up: the details where they do, else the movement itself."""
        if self.details and self.details_agree:
            for one in self.details:
                yield from one.leaves()
        else:
            yield self


@dataclass(frozen=True, slots=True)
class Trailer:
    """Record 9 as the file states it; ``record_count`` is of records 1, 2, 3 and 8, totals are positive."""

    record_count: int
    debit: Decimal
    credit: Decimal
    another_follows: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account.

    ``movements`` are those that count for the balance; what is under them stands in their ``details``. ``new_balance`` is None
    when the file states none (a day without movements may be written so); see ``closing``.
    """

    header: Header
    account: Account
    old_balance: Balance
    new_balance: Balance | None
    movements: tuple[Movement, ...] = ()
    holder_name: str = ""
    description: str = ""
    coded_number: int = 0
    free_communications: tuple[str, ...] = ()
    closing_account: Account | None = field(default=None, compare=False, repr=False, kw_only=True)
    trailer: Trailer | None = field(default=None, compare=False, repr=False, kw_only=True)
    notes: tuple[Note, ...] = field(default=(), compare=False, repr=False, kw_only=True)
    line: int = field(default=0, compare=False, repr=False, kw_only=True)

    @property
    def closing(self) -> Decimal:
        """Return the closing balance: as stated, else the old one and the movements."""
        return self.new_balance.amount if self.new_balance else self.old_balance.amount + self.total

    @property
    def closed_on(self) -> date | None:
        """Return the last day it covers: that of its closing balance, else that of its file, as of a day without movements."""
        return (self.new_balance.on if self.new_balance else None) or self.header.created_on

    @property
    def total(self) -> Decimal:
        """Return what the movements add up to."""
        return sum((one.amount for one in self.movements), Decimal("0.00"))

    @property
    def is_partial(self) -> bool:
        """Return whether it is a separate application: an extract that proves no balance."""
        return self.header.separate_application != "00000"

    def walk(self) -> Iterator[Movement]:
        """Yield every movement and every detail, in the order of the file."""
        for one in self.movements:
            yield from one.walk()

    def leaves(self) -> Iterator[Movement]:
        """Yield the finest movements that add up to the same total."""
        for one in self.movements:
            yield from one.leaves()

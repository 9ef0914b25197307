"""The lines of an entry: each line of the booking with the ledger account and the VAT code it is booked on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from .accounts import AccountChooser, AccountOfBooks
from .amounts import ZERO
from .booking import Booking, BookingLine
from .overrides import Overrides
from .settings import LedgerSettings
from .vat import VatCodeOfBooks, choose_vat_code, insist_on_vat
from .vat_situation import situation_of

A = TypeVar("A", bound=AccountOfBooks)
V = TypeVar("V", bound=VatCodeOfBooks)


@dataclass(frozen=True)
class ChosenLine(Generic[A, V]):
    """A line with its account and VAT code. Making one raises ``CannotBook`` for VAT under a code that charges none."""

    line: BookingLine
    account: A
    vat_code: V

    def __post_init__(self) -> None:
        """Refuse a line that would be booked without its VAT."""
        insist_on_vat(self.vat_code, self.line.category, self.line.tax)


def choose_lines(
    booking: Booking,
    settings: LedgerSettings,
    overrides: Overrides,
    *,
    account: Callable[[str], A | None],
    account_of_relation: A | None,
    vat_codes: Mapping[str, V],
    vat_codes_without_vat: Mapping[str, V] | None = None,
    prefers: Callable[[A, V], bool] = lambda *_: True,
) -> tuple[ChosenLine[A, V], ...]:
    """Return the lines of an entry, in the order of the booking's (R096, R098, R142–R146).

    VAT that a foreign seller charges is part of a line's net where the chosen code charges none.

    Args:
        booking: what there is to book.
        settings: of the connection.
        overrides: what people chose.
        account: returns the vendor's ledger account of a code.
        account_of_relation: the account that the vendor proposes for the relation.
        vat_codes: the vendor's, by code.
        vat_codes_without_vat: as they are on a line without Belgian VAT of the seller's; None where that is no different.
        prefers: as in ``choose_vat_code``, for a line on this account.

    Raises:
        CannotBook: an account or a VAT code is missing, cannot be used or is not the only one that could be meant.
    """
    side = booking.side
    chooser = AccountChooser(
        account, settings.default_ledger_account, side, overrides, account_of_relation, booking.document_reference
    )
    chosen = []
    for line in booking.lines:
        situation, booked = situation_of(booking, line), line
        own_account = chooser.choose(line.line_id, line.reference)
        has_belgian_vat = situation.is_rated and not situation.charges_foreign_vat
        codes = vat_codes if has_belgian_vat or vat_codes_without_vat is None else vat_codes_without_vat
        vat_code = choose_vat_code(codes, settings.vat_codes, situation, prefers=partial(prefers, own_account))
        if situation.charges_foreign_vat and not vat_code.computes_vat:
            # Another country's VAT is refunded there, on application (directive 2008/9), and is cost in our books.
            booked = replace(line, net=line.net + line.tax, tax=ZERO)
        chosen.append(ChosenLine(booked, own_account, vat_code))
    return tuple(chosen)

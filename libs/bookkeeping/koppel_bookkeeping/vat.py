"""Which of a vendor's VAT codes stands for a category and rate of the invoice.

The settings decide; what they leave open is found only where the vendor has exactly one code that can be meant (contract §7).
Guessing between two would put turnover in the wrong box of a VAT return, so that is a question for a person.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from .reasons import CannotBook, Reason
from .settings import VatCodes, vat_key
from .sides import Side

RATED: Final = frozenset({"S", "L", "M", "B"})
"""Categories whose VAT the seller charges: standard, Canary Islands, Ceuta and Melilla, Italian split payment."""


class VatCodeOfBooks(Protocol):
    """What a vendor's VAT code must tell to be chosen."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def blocked(self) -> bool: ...  # noqa: D102

    @property
    def percentage(self) -> Decimal: ...  # noqa: D102

    @property
    def computes_vat(self) -> bool:
        """Whether an amount of VAT is booked with it and added to what the relation owes."""

    @property
    def unusable(self) -> str | None:
        """Code of the vendor's own problem that keeps every line from using it; None when there is none."""

    def serves(self, side: Side) -> bool:
        """Whether the vendor allows it on this side of the books."""

    def can_mean(self, side: Side, category: str, rate: Decimal | None) -> bool:
        """Whether its own properties say what the category says."""


V = TypeVar("V", bound=VatCodeOfBooks)


def choose_vat_code(
    codes: Mapping[str, V],
    settings: VatCodes,
    side: Side,
    category: str,
    rate: Decimal | None,
    *,
    prefers: Callable[[V], bool] = lambda _: True,
) -> V:
    """Return the VAT code of a line.

    Args:
        codes: the vendor's, by code as people see it.
        settings: what people chose for the connection.
        side: of the document.
        category: of the line (BT-151).
        rate: in percent (BT-152).
        prefers: of several that could be meant, those for which it is true are meant.

    Raises:
        CannotBook: none or several could be meant, and they are named; or the chosen one cannot be right.
    """
    wanted = settings.find(side, category, rate)
    if wanted is not None:
        return _usable(codes, wanted, side, category, rate)
    meant = [
        code
        for code in codes.values()
        if not code.blocked and code.serves(side) and code.can_mean(side, category, rate)
    ]
    if len(meant) > 1:
        meant = [code for code in meant if prefers(code)] or meant
    if len(meant) != 1:
        named = ", ".join(sorted(code.code for code in meant)) or "none"
        raise CannotBook(
            Reason.UNKNOWN_VAT_CODE, f"{side} {_shown(category, rate)}: codes that could be meant: {named}"
        )
    return meant[0]


def _usable(codes: Mapping[str, V], wanted: str, side: Side, category: str, rate: Decimal | None) -> V:
    code = codes.get(wanted)
    shown = f"{side} {_shown(category, rate)}: code {wanted}"
    if code is None:
        raise CannotBook(Reason.UNKNOWN_VAT_CODE, f"{shown} does not exist")
    if code.blocked:
        raise CannotBook(Reason.VAT_CODE_BLOCKED, shown)
    if code.unusable is not None:
        raise CannotBook(code.unusable, shown)
    if not code.serves(side):
        raise CannotBook(Reason.VAT_CODE_NOT_ALLOWED, f"{shown} is not meant for this side")
    if code.computes_vat != (category in RATED) or (code.computes_vat and code.percentage != rate):
        charged = "" if code.computes_vat else ", and charges no VAT"
        raise CannotBook(Reason.VAT_PERCENTAGE_DIFFERS, f"{shown} is {code.percentage} %{charged}")
    return code


def insist_on_vat(code: VatCodeOfBooks, category: str, tax: Decimal) -> None:
    """Raise for a line that charges VAT under a code that charges none: it cannot be booked as it stands."""
    if tax and not code.computes_vat:
        raise CannotBook(Reason.VAT_AMOUNT_NOT_ALLOWED, f"{category}: VAT {tax} under code {code.code}")


def _shown(category: str, rate: Decimal | None) -> str:
    return vat_key(category, rate).replace(":", " at ") + (" %" if rate is not None else "")

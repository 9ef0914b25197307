"""Which of a vendor's VAT codes stands for the situation of a line.

The settings decide; what they leave open is found only where the vendor has exactly one code that can be meant (contract §7).
Guessing between two would put turnover in the wrong box of a VAT return, so that is a question for a person.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from .reasons import CannotBook, Reason
from .settings import VatCodes
from .sides import Side
from .vat_situation import VatSituation

CODES_NAMED_MAX: Final = 40


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

    def can_mean(self, situation: VatSituation) -> bool:
        """Whether its own properties say what the situation is."""


V = TypeVar("V", bound=VatCodeOfBooks)


def choose_vat_code(
    codes: Mapping[str, V],
    settings: VatCodes,
    situation: VatSituation,
    *,
    prefers: Callable[[V], bool] = lambda _: True,
) -> V:
    """Return the VAT code of a line.

    Args:
        codes: the vendor's, by code as people see it.
        settings: what people chose for the connection.
        situation: of the line.
        prefers: of several that could be meant, those for which it is true are meant.

    Raises:
        CannotBook: none or several could be meant, and they are named with the setting that decides; or the chosen one
            cannot be right.
    """
    wanted = settings.find(situation)
    if wanted is not None:
        return _usable(codes, wanted, situation)
    served = [code for code in codes.values() if not code.blocked and code.serves(situation.side)]
    meant = [] if situation.only_settings_tell else [code for code in served if code.can_mean(situation)]
    if len(meant) > 1:
        meant = [code for code in meant if prefers(code)] or meant
    if len(meant) != 1:
        there_are = _named(code for code in served if code.unusable is None)
        raise CannotBook(
            Reason.UNKNOWN_VAT_CODE,
            f"{situation}: codes that could be meant: {_named(meant)}; "
            f"set vat_codes.{situation.side} “{situation.setting_key}” to one of {there_are}",
        )
    return meant[0]


def _named(codes: Iterable[VatCodeOfBooks]) -> str:
    names = sorted(code.code for code in codes)
    more = ", …" if len(names) > CODES_NAMED_MAX else ""
    return ", ".join(names[:CODES_NAMED_MAX]) + more or "none"


def _usable(codes: Mapping[str, V], wanted: str, situation: VatSituation) -> V:
    code = codes.get(wanted)
    shown = f"{situation}: code {wanted}"
    if code is None:
        raise CannotBook(Reason.UNKNOWN_VAT_CODE, f"{shown} does not exist")
    if code.blocked:
        raise CannotBook(Reason.VAT_CODE_BLOCKED, shown)
    if code.unusable is not None:
        raise CannotBook(code.unusable, shown)
    if not code.serves(situation.side):
        raise CannotBook(Reason.VAT_CODE_NOT_ALLOWED, f"{shown} is not meant for this side")
    if situation.charges_foreign_vat and not code.computes_vat:
        return code  # the VAT is cost (``choose_lines``)
    if code.computes_vat != situation.is_rated or (code.computes_vat and code.percentage != situation.rate):
        charged = "" if code.computes_vat else ", and charges no VAT"
        raise CannotBook(Reason.VAT_PERCENTAGE_DIFFERS, f"{shown} is {code.percentage} %{charged}")
    return code


def insist_on_vat(code: VatCodeOfBooks, category: str, tax: Decimal) -> None:
    """Raise for a line that charges VAT under a code that charges none: it cannot be booked as it stands."""
    if tax and not code.computes_vat:
        raise CannotBook(Reason.VAT_AMOUNT_NOT_ALLOWED, f"{category}: VAT {tax} under code {code.code}")

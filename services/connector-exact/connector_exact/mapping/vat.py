"""Which of Exact's VAT codes stands for a category and rate of the invoice.

The settings decide; what they leave open is found only where Exact has exactly one code that can be meant (contract §7).
Guessing between two would put turnover in the wrong box of a VAT return, so that is a problem for a person.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from connector_exact.masters import Side, VatCode
from connector_exact.settings import VatCodes, vat_key

from .refusal import CannotBook

# Categories whose VAT the seller charges: standard, Canary Islands, Ceuta and Melilla, Italian split payment.
RATED: Final = frozenset({"S", "L", "M", "B"})


def vat_code(
    codes: Mapping[str, VatCode], settings: VatCodes, side: Side, category: str, rate: Decimal | None
) -> VatCode:
    """Return the VAT code of a line; ``codes`` by code as people see it."""
    wanted = settings.find(side, category, rate)
    if wanted is not None:
        return _usable(codes, wanted, side, category, rate)
    meant = [
        code
        for code in codes.values()
        if not code.blocked and code.serves(side) and _can_mean(code, side, category, rate)
    ]
    if len(meant) > 1 and category == "O":
        meant = [code for code in meant if code.type == "N"] or meant
    if len(meant) != 1:
        found = ", ".join(sorted(code.code for code in meant)) if meant else "none"
        raise CannotBook(
            "unknown_vat_code", f"{side} {_shown(category, rate)}: codes in Exact that could be meant: {found}"
        )
    return meant[0]


def _usable(codes: Mapping[str, VatCode], wanted: str, side: Side, category: str, rate: Decimal | None) -> VatCode:
    code = codes.get(wanted)
    shown = f"{side} {_shown(category, rate)}: code {wanted}"
    if code is None:
        raise CannotBook("unknown_vat_code", f"{shown} does not exist in this division")
    if code.blocked:
        raise CannotBook("vat_code_blocked", shown)
    if code.type == "I":
        # With an inclusive code Exact reads the line's amount as including VAT (§5.3b).
        raise CannotBook("vat_code_inclusive", shown)
    if not code.serves(side):
        raise CannotBook("vat_code_not_allowed", f"{shown} is not meant for this side")
    if code.computes_vat != (category in RATED) or (code.computes_vat and code.percentage != rate):
        raise CannotBook("vat_percentage_differs", f"{shown} is {code.percentage} %{' reverse charge' * code.charged}")
    return code


def _can_mean(code: VatCode, side: Side, category: str, rate: Decimal | None) -> bool:
    """Whether a code's own properties say what the category says."""
    eu = code.eu_listing != "N" or code.intrastat
    match category:
        case _ if category in RATED:
            return code.computes_vat and not eu and rate is not None and code.percentage == rate
        case "AE":
            # The invoice says 0 %; a purchase code carries the rate that is owed and claimed at once.
            return code.type in "EB" and code.charged and not eu
        case "K":
            return code.type in "EB" and eu and (code.charged if side == "purchase" else code.percentage == 0)
        case "Z" | "E" | "G" | "O":
            return (
                code.type in ("EBN" if category == "O" else "EB")
                and code.percentage == 0
                and not code.charged
                and not eu
            )
        case _:
            return False


def _shown(category: str, rate: Decimal | None) -> str:
    return vat_key(category, rate).replace(":", " at ") + (" %" if rate is not None else "")

"""The lines that a ledger holds, compared with those that were sent: as a bag, because a ledger may reorder them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True)
class LineFigures:
    """What is compared of a line, signed as the vendor's books are."""

    account: str
    """As the vendor identifies it."""
    vat_code: str
    net: Decimal | None
    tax: Decimal | None
    """None where none was sent, or where the answer has none."""

    def __str__(self) -> str:
        tax = "–" if self.tax is None else self.tax
        return f"line {self.net} at VAT code {self.vat_code or '–'} (VAT {tax})"

    @property
    def key(self) -> tuple[str, str]:
        """Return what lines are compared under."""
        return self.account, self.vat_code


def line_differences(sent: Sequence[LineFigures], held: Sequence[LineFigures]) -> list[str]:
    """Return each line that is missing, and each that was not sent; empty when they are the same to the cent.

    VAT is compared only where it was sent: a ledger computes the VAT of a reverse-charge code itself. Where the answer has no VAT
    for a line that was sent with it, nets alone are compared; compare the total of the entry, too.
    """
    untaxed, taxed = {line.key for line in sent}, {line.key for line in sent if line.tax is not None}
    if all(line.tax is not None for line in held if line.key in taxed):
        untaxed -= taxed
    missing = Counter(_comparable(line, untaxed) for line in sent)
    extra = Counter(_comparable(line, untaxed) for line in held)
    return [
        *(f"{line}: {count}× missing" for line, count in (missing - extra).items()),
        *(f"{line}: {count}× not sent" for line, count in (extra - missing).items()),
    ]


def _comparable(line: LineFigures, untaxed: set[tuple[str, str]]) -> LineFigures:
    return replace(line, tax=None) if line.key in untaxed else line

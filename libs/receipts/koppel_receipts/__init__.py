"""The sealed book of daily receipts: amounts and the VAT within them, the chain of entries, seals, and checking an export."""

from . import exporting
from .amounts import CENT, OUTSIDE_SCOPE, VatSplit, round_cash, split_vat, totals_key, written
from .canonical import canonical
from .chain import GENESIS, Entry, Totals, add_totals
from .seal import KeyPair, Sealed, SealedExport, new_key
from .verifying import BrokenEntry, Report, verify

__all__ = [
    "CENT",
    "GENESIS",
    "OUTSIDE_SCOPE",
    "BrokenEntry",
    "Entry",
    "KeyPair",
    "Report",
    "Sealed",
    "SealedExport",
    "Totals",
    "VatSplit",
    "add_totals",
    "canonical",
    "exporting",
    "new_key",
    "round_cash",
    "split_vat",
    "totals_key",
    "verify",
    "written",
]

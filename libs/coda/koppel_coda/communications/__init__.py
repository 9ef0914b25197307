"""Structured communications: every one of the standard as a typed value, in movements and in information records.

Version 1 alone had 104, 112 and 120, information 003 is old, and banks invent kinds: these stay text in ``OtherStructured``.
"""

from . import financing, information, payments
from .base import OtherStructured, Structured

__all__ = [
    "IN_INFORMATION",
    "IN_MOVEMENTS",
    "OLD_INFORMATION",
    "ONLY_VERSION_1",
    "OtherStructured",
    "Structured",
    "read_structured",
]

MOVEMENT_WIDTH = 146
INFORMATION_WIDTH = 265
"""How much data fits behind the three digits: records 2.1 to 2.3, and 3.1 to 3.3."""


def _by_code(*classes: type[Structured]) -> dict[str, type[Structured]]:
    return {one.code: one for one in classes}


IN_MOVEMENTS = _by_code(
    payments.CreditorReference,
    payments.PaymentReference,
    payments.ReconstitutedReference,
    payments.InstrumentNumber,
    payments.OriginalAmount,
    payments.Calculation,
    payments.DomesticDirectDebit,
    financing.Closing,
    payments.PosTotal,
    payments.CardPayment,
    payments.PosTransaction,
    payments.CashDeposit,
    financing.CommercialBill,
    financing.BillInterest,
    financing.Fees,
    payments.CreditCardSettlement,
    financing.Credit,
    financing.TermInvestment,
    payments.SepaDirectDebit,
)
IN_INFORMATION = _by_code(
    information.CounterpartyDetails,
    information.BankMessage,
    information.CounterpartyBank,
    information.CorrespondentBank,
    information.DetailAmount,
    information.CashDetail,
    information.UltimateCreditor,
    information.UltimateDebtor,
    information.SecuritiesOrder,
    information.Coupons,
)
ONLY_VERSION_1 = frozenset({"104", "112", "120"})
OLD_INFORMATION = frozenset({"003"})
"""Kinds the standard knew once, in movements of version 1 and in information records; their inner layout is not known here."""


def read_structured(text: str, kinds: dict[str, type[Structured]]) -> Structured:
    """Return the typed value of a structured communication, three digits first; an unknown kind stays text."""
    code, data = text[:3], text[3:].rstrip()
    known = kinds.get(code)
    if known is None:
        return OtherStructured(code, data)
    return known.parse(data.ljust(known.width))

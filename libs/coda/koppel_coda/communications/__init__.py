"""Structured communications: every one of the standard as a typed value, in movements and in information records.

Version 1 alone had 104, 112 and 120, information 003 is old, and banks invent kinds: these stay text in ``OtherStructured``.
"""

from .base import OtherStructured, Structured
from .financing import BillInterest, Closing, CommercialBill, Credit, Fees, TermInvestment
from .information import (
    BankMessage,
    CashDetail,
    CorrespondentBank,
    CounterpartyBank,
    CounterpartyDetails,
    Coupons,
    DetailAmount,
    SecuritiesOrder,
    UltimateCreditor,
    UltimateDebtor,
)
from .payments import (
    Calculation,
    CardPayment,
    CashDeposit,
    CreditCardSettlement,
    CreditorReference,
    DomesticDirectDebit,
    InstrumentNumber,
    OriginalAmount,
    PaymentReference,
    PosTotal,
    PosTransaction,
    ReconstitutedReference,
    SepaDirectDebit,
)

__all__ = [
    "IN_INFORMATION",
    "IN_MOVEMENTS",
    "OLD_INFORMATION",
    "ONLY_VERSION_1",
    "BankMessage",
    "BillInterest",
    "Calculation",
    "CardPayment",
    "CashDeposit",
    "CashDetail",
    "Closing",
    "CommercialBill",
    "CorrespondentBank",
    "CounterpartyBank",
    "CounterpartyDetails",
    "Coupons",
    "Credit",
    "CreditCardSettlement",
    "CreditorReference",
    "DetailAmount",
    "DomesticDirectDebit",
    "Fees",
    "InstrumentNumber",
    "OriginalAmount",
    "OtherStructured",
    "PaymentReference",
    "PosTotal",
    "PosTransaction",
    "ReconstitutedReference",
    "SecuritiesOrder",
    "SepaDirectDebit",
    "Structured",
    "TermInvestment",
    "UltimateCreditor",
    "UltimateDebtor",
    "read_structured",
]


def _by_code(*classes: type[Structured]) -> dict[str, type[Structured]]:
    return {one.code: one for one in classes}


IN_MOVEMENTS = _by_code(
    CreditorReference,
    PaymentReference,
    ReconstitutedReference,
    InstrumentNumber,
    OriginalAmount,
    Calculation,
    DomesticDirectDebit,
    Closing,
    PosTotal,
    CardPayment,
    PosTransaction,
    CashDeposit,
    CommercialBill,
    BillInterest,
    Fees,
    CreditCardSettlement,
    Credit,
    TermInvestment,
    SepaDirectDebit,
)
IN_INFORMATION = _by_code(
    CounterpartyDetails,
    BankMessage,
    CounterpartyBank,
    CorrespondentBank,
    DetailAmount,
    CashDetail,
    UltimateCreditor,
    UltimateDebtor,
    SecuritiesOrder,
    Coupons,
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

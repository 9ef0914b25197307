"""Amounts that count, in another currency than the document says: only the sender knows which of the two is right."""

from collections.abc import Iterable

from lxml import etree

from koppel_ubl.mapping.aggregate import CAC, CBC
from koppel_ubl.mapping.document import in_capitals
from koppel_ubl.model import Document

from .values import decimal_from

_CURRENCIES_MAX = 10
_LENGTH_MAX = 20
_OF_TOTAL = frozenset(
    f"{CAC}{name}" for name in ("LegalMonetaryTotal", "AllowanceCharge", "InvoiceLine", "CreditNoteLine")
)
"""What holds such amounts, directly in the document."""


def other_currencies(root: etree._Element, amounts: Iterable[etree._Element], document: Document) -> tuple[str, ...]:
    """Return the currencies of those amounts that make the document's total, in the order in which they come.

    A price may have a currency of its own (PricingCurrencyCode), and a VAT total that of the VAT accounting (BT-111), which some
    senders break down too. Nothing of any currency is nothing, and what a percentage is taken of (BT-93, BT-100) is not added.

    Args:
        root: the document's.
        amounts: those that do not stand in the document's currency just as it writes it.
        document: what was read.
    """
    own, of_tax = in_capitals(document.currency), in_capitals(document.tax_currency)
    found = (_currency_of(each) for each in amounts if _counts(each, root, own, of_tax))
    return tuple(dict.fromkeys(code[:_LENGTH_MAX] for code in found if code and own and code != own))[:_CURRENCIES_MAX]


def _counts(amount: etree._Element, root: etree._Element, own: str | None, of_tax: str | None) -> bool:
    parent = amount.getparent()
    above = None if parent is None else parent.getparent()
    if parent is None or above is None or amount.tag == f"{CBC}BaseAmount" or not decimal_from(amount.text or ""):
        return False
    if parent.tag == f"{CAC}TaxSubtotal":
        stated = _currency_of(above.find(f"{CBC}TaxAmount"))
        return above.getparent() is root and (stated == own or stated != of_tax)
    return above is root and parent.tag in _OF_TOTAL


def _currency_of(amount: etree._Element | None) -> str | None:
    return None if amount is None else in_capitals((amount.get("currencyID") or "").strip())

"""An invoice or credit note as frozen values; the business terms of EN 16931 (BT-, BG-) are named beside each field.

Values are as written in the document: amounts keep their sign, texts their spelling; what is absent is None or empty.
The kind is the class — ``Invoice`` or ``CreditNote`` — independent of the sign: a credit note's amounts are
positive, a negative invoice is an invoice.
"""

from .attachments import Attachment
from .document import BillingReference, CreditNote, Document, Invoice
from .lines import Classification, Item, Line, Price, Property
from .money import NO_VAT, AllowanceCharge, Totals, VatCategory, VatSubtotal
from .parties import NOBODY, Address, Contact, Delivery, Identifier, Party
from .payment import PaymentMeans
from .period import Period

__all__ = [
    "NOBODY",
    "NO_VAT",
    "Address",
    "AllowanceCharge",
    "Attachment",
    "BillingReference",
    "Classification",
    "Contact",
    "CreditNote",
    "Delivery",
    "Document",
    "Identifier",
    "Invoice",
    "Item",
    "Line",
    "Party",
    "PaymentMeans",
    "Period",
    "Price",
    "Property",
    "Totals",
    "VatCategory",
    "VatSubtotal",
]

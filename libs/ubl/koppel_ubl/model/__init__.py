"""What a document says, as frozen values. Docstrings cite the business terms (BT) and groups (BG) of EN 16931.

Amounts are Decimal in the document's currency unless their name says otherwise; their sign is as written. Where a document
wrote nothing, the field is None or an empty tuple.
"""

from koppel_ubl.model.attachments import Attachment, SupportingDocument
from koppel_ubl.model.basics import Identifier, Note, Period, Quantity
from koppel_ubl.model.document import CreditNote, Document, Invoice, PrecedingInvoice
from koppel_ubl.model.lines import Classification, Item, ItemProperty, Line, Price
from koppel_ubl.model.money import AllowanceCharge, Totals, VatBreakdown, VatCategory
from koppel_ubl.model.parties import Address, Contact, Delivery, Party
from koppel_ubl.model.payment import PaymentMeans

__all__ = [
    "Address",
    "AllowanceCharge",
    "Attachment",
    "Classification",
    "Contact",
    "CreditNote",
    "Delivery",
    "Document",
    "Identifier",
    "Invoice",
    "Item",
    "ItemProperty",
    "Line",
    "Note",
    "Party",
    "PaymentMeans",
    "Period",
    "PrecedingInvoice",
    "Price",
    "Quantity",
    "SupportingDocument",
    "Totals",
    "VatBreakdown",
    "VatCategory",
]

"""Which side of the books a kind of document is on."""

from collections.abc import Mapping
from typing import Final, Literal

from koppel_mesh.messages import DocumentKind

Side = Literal["sale", "purchase"]

SIDES: Final[Mapping[DocumentKind, Side]] = {
    DocumentKind.SALES_INVOICE: "sale",
    DocumentKind.SALES_CREDIT_NOTE: "sale",
    DocumentKind.DAILY_RECEIPTS: "sale",
    DocumentKind.PURCHASE_INVOICE: "purchase",
    DocumentKind.PURCHASE_CREDIT_NOTE: "purchase",
}
"""The kinds that can be booked."""
CREDIT_NOTES: Final = frozenset({DocumentKind.SALES_CREDIT_NOTE, DocumentKind.PURCHASE_CREDIT_NOTE})

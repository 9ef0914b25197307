"""What a document is to the dossier: sale or purchase, invoice, credit note or daily receipts. Pure.

Contract §5: sale or purchase is decided by which party carries the dossier's enterprise number. In self-billing the roles
stay (the supplier is the seller), so it needs no rule of its own.
"""

from dataclasses import dataclass
from typing import Literal

from koppel_mesh.messages import DocumentKind

Direction = Literal["sale", "purchase"]

RECEIPTS_REFERENCE = "dagontvangsten"
"""Buyer reference of a till's day (ubl §11)."""
PROFORMA = "325"
"""Asks for nothing and must never be booked."""


@dataclass(frozen=True)
class Parties:
    """What decides, as the document says it."""

    is_credit_note: bool
    type_code: str | None
    seller_numbers: frozenset[str]
    """Enterprise numbers, ten digits, wherever the party carries one."""
    buyer_numbers: frozenset[str]
    same_endpoint: bool
    buyer_reference: str | None


class NotThisDossier(Exception):
    """Neither party is the dossier, and nobody said which one it should be."""


class KindContradicted(Exception):
    """The kind that was asked for cannot be what the document is."""


def decide(
    parties: Parties, dossier_number: str, direction: Direction | None, wanted: DocumentKind | None
) -> DocumentKind:
    """Return the kind of a structured document.

    Args:
        parties: what the document says.
        dossier_number: the dossier's enterprise number.
        direction: which side the dossier is on, used only where the document cannot tell.
        wanted: the kind the caller named, if any; only ``daily_receipts`` adds to what the document tells.

    Raises:
        NotThisDossier: the document is not the dossier's.
        KindContradicted: ``wanted`` is something else.
    """
    kind = _told(parties, dossier_number, direction)
    if wanted is None or wanted is kind:
        return kind
    if wanted is DocumentKind.DAILY_RECEIPTS and kind is DocumentKind.SALES_INVOICE:
        return wanted
    raise KindContradicted(f"the document is a {kind}")


def _told(parties: Parties, number: str, direction: Direction | None) -> DocumentKind:
    sells, buys = number in parties.seller_numbers, number in parties.buyer_numbers
    if not sells and not buys and direction is None:
        raise NotThisDossier
    if parties.type_code == PROFORMA:
        return DocumentKind.MISCELLANEOUS
    if sells and _is_receipts(parties, buys=buys, direction=direction):
        return DocumentKind.DAILY_RECEIPTS
    side = direction if sells == buys else ("sale" if sells else "purchase")
    if side == "sale":
        return DocumentKind.SALES_CREDIT_NOTE if parties.is_credit_note else DocumentKind.SALES_INVOICE
    return DocumentKind.PURCHASE_CREDIT_NOTE if parties.is_credit_note else DocumentKind.PURCHASE_INVOICE


def _is_receipts(parties: Parties, *, buys: bool, direction: Direction | None) -> bool:
    """A till's day has no customer: it is addressed to its own seller, or to nobody with the day's reference.

    A credit note is none: receipts are booked with the sign of an invoice, so what it gives back would be booked as income.
    """
    if parties.is_credit_note:
        return False
    reference = (parties.buyer_reference or "").strip().casefold()
    if buys or parties.same_endpoint:
        return direction is None or reference == RECEIPTS_REFERENCE
    return not parties.buyer_numbers and reference == RECEIPTS_REFERENCE

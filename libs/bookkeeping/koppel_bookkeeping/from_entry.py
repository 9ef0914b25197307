"""From quick entry: a bare PDF whose data a person entered is booked like any other document."""

from decimal import Decimal

from koppel_mesh.messages import DocumentKind

from .amounts import rounded
from .booking import Booking, BookingLine, VatAmount, with_vat
from .document import Document, DocumentLine
from .parties import Party
from .reasons import CannotBook, Reason
from .vat_categories import category_of


def booking(document: Document, kind: DocumentKind) -> Booking:
    """Return what there is to book of a document without UBL, amounts as on paper.

    Raises:
        CannotBook: what was entered is not enough, or does not add up.
    """
    if document.issue_date is None or document.total is None or not document.vat:
        raise CannotBook(Reason.DOCUMENT_UNREADABLE, "no UBL, and no date, total and VAT entered by hand")
    stated = [
        VatAmount(category_of(each.category, each.rate), each.rate, rounded(each.base), rounded(each.tax))
        for each in document.vat
    ]
    return Booking(
        kind=kind,
        number=document.number or document.issue_date.isoformat(),
        issued_on=document.issue_date,
        due_on=document.due_date,
        currency=document.currency or document.total.currency,
        total=rounded(document.total.amount),
        party=_party(document),
        lines=with_vat(_lines(document.lines, stated), stated),
    )


def _lines(entered: list[DocumentLine], stated: list[VatAmount]) -> list[BookingLine]:
    """Return the entered lines; where they have no amounts, one for each category and rate."""
    lines = [_line(line, line.net, line.vat_category) for line in entered if line.net is not None and line.vat_category]
    if lines and len(lines) == len(entered):
        return lines
    return [BookingLine(None, group.base, group.category, group.rate, "") for group in stated]


def _line(line: DocumentLine, net: Decimal, category: str) -> BookingLine:
    return BookingLine(
        line.id, rounded(net), category_of(category, line.vat_rate), line.vat_rate, line.description or ""
    )


def _party(document: Document) -> Party:
    party = document.counterparty
    if party is None:
        return Party("")
    return Party(
        party.name or "",
        vat_number=party.vat_number or "",
        enterprise_number=party.enterprise_number or "",
        country="BE" if party.enterprise_number else "",
    )

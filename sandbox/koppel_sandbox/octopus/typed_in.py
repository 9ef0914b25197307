"""Bookings that an accountant types in himself: Octopus takes a document that is booked already (octopus §2.7)."""

from datetime import date
from decimal import Decimal

from koppel_sandbox.tables import Record

from . import bookings, relations
from .state import Books


def type_in(
    books: Books, *, sells: bool, number: str, issued_on: date, total: Decimal, name: str, vat_number: str
) -> Record:
    """Book a document without lines or files, in the first journal of its side; a negative total is a credit note's."""
    year = next(one for one in books.bookyears.values() if one["startDate"] <= f"{issued_on}" <= one["endDate"])
    period = next(one for one in year["periods"] if one["startDate"] <= f"{issued_on}" <= one["endDate"])
    journal = books.journals[f"{year['bookyearKey']['id']}/{'V1' if sells else 'A1'}"]
    journal["lastBookedDocumentNr"] += 1
    bookings.touch_journal(books, journal)
    relation = _relation(books, name, vat_number, sells=sells)
    booking: Record = {
        "bookyearKey": {"id": year["bookyearKey"]["id"]},
        "journalKey": journal["journalKey"],
        "documentSequenceNr": journal["lastBookedDocumentNr"],
        "relationIdentificationServiceData": dict(relation["relationIdentificationServiceData"]),
        "bookyearPeriodeNr": period["bookyearPeriod"],
        "documentDate": f"{issued_on}",
        "expiryDate": f"{issued_on}",
        "comment": number,
        "reference": "",
        "orderReference": "",
        "amount": total,
        "currencyCode": "EUR",
        "exchangeRate": Decimal(1),
        "paymentMethod": 0,
        "bookingLines": [],
    }
    books.put(books.bookings, bookings.key_of(booking), booking)
    return booking


def _relation(books: Books, name: str, vat_number: str, *, sells: bool) -> Record:
    for row in books.relations.values():
        if row["vatNr"] == vat_number:
            return row
    key = relations.new_key(books)
    identity = {"relationKey": {"id": key}, "externalRelationId": 0}
    made = {**relations.BLANK, "relationIdentificationServiceData": identity, "name": name, "vatNr": vat_number}
    made |= {"vatType": relations.BELGIAN_VAT_PAYER, "client": sells, "supplier": not sells}
    books.put(books.relations, str(key), made)
    return made

"""Financial and miscellaneous bookings (octopus §2.9): lines on accounts, customers and suppliers, with CODA records beside."""

from decimal import Decimal

from starlette.responses import Response

from koppel_sandbox.tables import Record

from . import booking_checks as checks
from . import relations
from .bookings import key_of, touch_journal
from .call import DossierCall
from .feeds import changed, some

OPERATION = "financialdiversbookings"
_RELATION_LINES = {"C": "client", "S": "supplier"}


def post(call: DossierCall) -> Response:
    """``POST …/financialdiversbookings``: 201 without a body; wrapped or not, for no source shows the wrapper."""
    checks.check_right(call, OPERATION)
    body = call.body()
    given = body.get("financialDiversBookingServiceData", body)
    if not isinstance(given, dict):
        raise call.bad_parameter("financialDiversBookingServiceData")
    year = checks.bookyear(call, given)
    journal = checks.journal(call, given, year, "FD")
    document_date = checks.day(call, given, "documentDate", -17)
    checks.check_period(call, given, year, journal)
    lines = [_checked_line(call, line, year) for line in checks.lines(call, given)]
    moved = sum((line["amount"] for line in lines), Decimal(0))
    bank = call.books.bank_accounts.get(journal["journalKey"])
    if bank is None and moved:
        raise call.bad_data(-24, f"{moved} <> 0")
    booking: Record = {
        "bookyearKey": {"id": year["bookyearKey"]["id"]},
        "journalKey": journal["journalKey"],
        "documentSequenceNr": checks.check_number(call, given, journal),
        "bookyearPeriodeNr": given["bookyearPeriodeNr"],
        "documentDate": document_date,
        "comment": str(given.get("comment") or ""),
        "reference": str(given.get("reference") or ""),
        "bookingLines": lines,
    }
    call.books.put(call.books.financial_bookings, key_of(booking), booking)
    journal["lastBookedDocumentNr"] = booking["documentSequenceNr"]
    touch_journal(call.books, journal)
    if bank is not None:
        bank["balance"] += moved
        call.books.bank_accounts.touch(journal["journalKey"])
    return Response(status_code=201)


def modified(call: DossierCall) -> Response:
    """``GET …/financialdiversbookings/modified``: of one bookyear, or of all."""
    year, journal_key = call.whole_number("bookyearId"), call.query("journalKey")
    found = [
        one for one in changed(call, call.books.financial_bookings) if year in {None, -1, one["bookyearKey"]["id"]}
    ]
    return some([one for one in found if journal_key in {None, one["journalKey"]}], -33)


def _checked_line(call: DossierCall, line: Record, year: Record) -> Record:
    kind = str(line.get("type"))
    kept: Record = {"type": kind, "amount": checks.amount(call, line, "amount")}
    if kind == "A":
        kept["accountKey"] = checks.account(call, line.get("accountKey"), year)["accountKey"]["id"]
    elif kind in _RELATION_LINES:
        keys = line.get("relationIdentificationServiceData")
        found = relations.find(call.books, keys) if isinstance(keys, dict) else None
        if found is None:
            raise call.bad_data(-16, keys)
        kept["relationIdentificationServiceData"] = dict(found["relationIdentificationServiceData"])
    else:
        raise call.bad_data(-25, kind)
    kept["reference"], kept["comment"] = str(line.get("reference") or ""), str(line.get("comment") or "")
    if (info := line.get("codaInfo")) is not None:
        version = info.get("codaVersion") if isinstance(info, dict) else None
        if not isinstance(version, dict) or not isinstance(version.get("codaVersion"), int):
            raise call.bad_data(-78)
        kept["codaInfo"] = info
    return kept

"""Buy and sell bookings (octopus §2.7): stored after every check, read back by key and by feed."""

from decimal import Decimal

from starlette.responses import Response

from koppel_sandbox.tables import Record, wire

from . import booking_checks as checks
from . import files
from .call import DossierCall, answer
from .errors import Refusal
from .feeds import changed, some
from .masters import refuse_lists
from .state import Books

BUY, SELL = 1, 2
"""``journalTypeId`` of the feed, ``type`` of a VAT code, ``journalType`` of a file's document."""
TYPES = {"A": BUY, "V": SELL}
OPERATION = "buysellbookings"
_TEXTS = ("comment", "reference", "orderReference")
_OPTIONAL_LINE_FIELDS = ("costCentreKey", "intrastatServiceData", "overflowBookingServiceData")


def post(call: DossierCall) -> Response:
    """``POST …/buysellbookings``: 201 without a body (24)."""
    checks.check_right(call, OPERATION)
    body = call.body()
    given = body.get("buySellBookingServiceData")
    if not isinstance(given, dict):
        raise call.bad_parameter("buySellBookingServiceData")
    attached = files.read(call, body.get("attachments"))
    booking, journal = _checked(call, given)
    booking["documentSequenceNr"] = checks.check_number(call, given, journal)
    key = key_of(booking)
    call.books.put(call.books.bookings, key, booking)
    if key in call.books.deleted_bookings:
        del call.books.deleted_bookings[key]
    journal["lastBookedDocumentNr"] = booking["documentSequenceNr"]
    touch_journal(call.books, journal)
    files.attach(call.books, booking, attached)
    return Response(status_code=201)


def put(call: DossierCall) -> Response:
    """``PUT …/buysellbookings``: the booking itself, unwrapped; 204 (44)."""
    checks.check_right(call, OPERATION)
    given = call.body()
    stored = call.books.bookings.get(key_of(given))
    if stored is None:
        raise Refusal(call.switches.unknown_booking_status, -34, key_of(given))
    booking, _ = _checked(call, given)
    booking["documentSequenceNr"] = stored["documentSequenceNr"]
    call.books.put(call.books.bookings, key_of(booking), booking)
    return Response(status_code=204)


def delete(call: DossierCall) -> Response:
    """``DELETE …/buysellbookings``: 405, unless the switch lets the last booking of a journal go (38)."""
    year, journal_key, number = _key_parameters(call)
    key = f"{year}/{journal_key}/{number}"
    if not call.switches.delete_allowed:
        raise Refusal(405, -79, "DELETE")
    if key not in call.books.bookings:
        raise Refusal(call.switches.unknown_booking_status, -34, key)
    if call.books.journals[f"{year}/{journal_key}"]["lastBookedDocumentNr"] != number:
        raise call.bad_data(-24, key)
    remove(call.books, key)
    return Response(status_code=204)


def read(call: DossierCall) -> Response:
    """``GET …/buysellbookings``: of a bookyear, a journal, a number (34)."""
    refuse_lists(call)
    year, journal_key, number = _key_parameters(call)
    found = [
        one
        for one in call.books.bookings.values()
        if year in {None, one["bookyearKey"]["id"]}
        and journal_key in {None, one["journalKey"]}
        and number in {None, one["documentSequenceNr"]}
        and one.get("@hidden_until", 0.0) <= call.state.clock.epoch()
    ]
    return some(found, -33)


def modified(call: DossierCall) -> Response:
    """``GET …/buysellbookings/modified``: of one bookyear, or of all with -1; 404 when nothing changed (34)."""
    year, journal_key = call.required_number("bookyearId"), call.query("journalKey")
    found = [one for one in changed(call, call.books.bookings) if year in {-1, one["bookyearKey"]["id"]}]
    return some([one for one in found if journal_key in {None, one["journalKey"]}], -33)


def modified_and_deleted(call: DossierCall) -> Response:
    """``GET …/bookyears/{bookyear}/bookings/modified``: changed and deleted bookings of one side (35)."""
    year, side = int(call.request.path_params["bookyear"]), call.required_number("journalTypeId")
    if side not in TYPES.values():
        raise call.bad_parameter("journalTypeId")

    def of_side(booking: Record) -> bool:
        return booking["bookyearKey"]["id"] == year and TYPES[booking["journalKey"][0]] == side

    books = call.books
    found = {
        "modifiedBookings": [wire(one) for one in changed(call, books.bookings) if of_side(one)],
        "deletedBookings": [_deleted(call, one) for one in changed(call, books.deleted_bookings) if of_side(one)],
    }
    if call.switches.empty_object_feed_is_404 and not any(found.values()):
        raise Refusal(404, -33)
    return answer(found)


def _deleted(call: DossierCall, booking: Record) -> Record:
    """Return a deleted booking as the switch has it named."""
    key = wire(booking)
    if call.switches.deleted_key == "document":
        return {"documentKey": files.document_key(booking)}
    if call.switches.deleted_key == "without_bookyear":
        del key["bookyearKey"]
    return key


def key_of(booking: Record) -> str:
    """Return the key of a booking: ``3/V1/42``."""
    year = booking.get("bookyearKey")
    year_id = year.get("id") if isinstance(year, dict) else None
    return f"{year_id}/{booking.get('journalKey')}/{booking.get('documentSequenceNr')}"


def remove(books: Books, key: str) -> None:
    """Delete a booking as a person does in Octopus: the feed of deletions names it."""
    booking = books.bookings[key]
    del books.bookings[key]
    names = ("bookyearKey", "journalKey", "documentSequenceNr")
    books.put(books.deleted_bookings, key, {name: booking[name] for name in names})
    journal = books.journals[f"{booking['bookyearKey']['id']}/{booking['journalKey']}"]
    if journal["lastBookedDocumentNr"] == booking["documentSequenceNr"]:
        journal["lastBookedDocumentNr"] -= 1
        touch_journal(books, journal)


def touch_journal(books: Books, journal: Record) -> None:
    """Note that a journal changed."""
    books.put(books.journals, f"{journal['bookyearKey']['id']}/{journal['journalKey']}", journal)


def _key_parameters(call: DossierCall) -> tuple[int | None, str | None, int | None]:
    spelled = call.switches.booking_read_parameters
    years = [name for name, one in (("bookyearId", "2020"), ("bookyearKeyId", "2026")) if spelled in {"both", one}]
    numbers = [
        name for name, one in (("documentSeqNr", "2020"), ("documentSequenceNr", "2026")) if spelled in {"both", one}
    ]
    known = {*years, *numbers, "journalKey"}
    if unknown := call.request.query_params.keys() - known:
        raise call.bad_parameter(min(unknown))
    return call.whole_number(*years), call.query("journalKey"), call.whole_number(*numbers)


def _checked(call: DossierCall, given: Record) -> tuple[Record, Record]:
    """Return the booking as it is stored, but for its number, and its journal."""
    year = checks.bookyear(call, given)
    journal = checks.journal(call, given, year, "AV")
    document_date = checks.day(call, given, "documentDate", -17)
    expiry_date = checks.day(call, given, "expiryDate", -18)
    checks.check_period(call, given, year, journal)
    keys = checks.relation_keys(call, given, journal)
    checks.check_currency(call, given)
    total = checks.amount(call, given, "amount")
    lines = [_checked_line(call, line, year, journal) for line in checks.lines(call, given)]
    _check_sum(call, total, lines)
    booking: Record = {
        "bookyearKey": {"id": year["bookyearKey"]["id"]},
        "journalKey": journal["journalKey"],
        "documentSequenceNr": None,
        "relationIdentificationServiceData": dict(keys),
        "bookyearPeriodeNr": given["bookyearPeriodeNr"],
        "documentDate": document_date,
        "expiryDate": expiry_date,
        **{name: str(given.get(name) or "") for name in _TEXTS},
        "amount": total,
        "currencyCode": given["currencyCode"],
        "exchangeRate": given["exchangeRate"],
        "paymentMethod": given.get("paymentMethod") or 0,
        "bookingLines": lines,
    }
    return booking, journal


def _checked_line(call: DossierCall, line: Record, year: Record, journal: Record) -> Record:
    account = checks.account(call, line.get("accountKey"), year)
    base, vat = checks.amount(call, line, "baseAmount"), checks.amount(call, line, "vatAmount")
    if (base > 0 > vat) or (base < 0 < vat):
        raise call.bad_data(-23, base, vat)
    code = line.get("vatCodeKey") or ""
    if code or vat:
        found = call.books.vat_codes.get(str(code))
        if found is None:
            raise call.bad_data(-22, code)
        if found["type"] != TYPES[journal["journalKey"][0]]:
            raise call.bad_data(-75, code, journal["journalKey"])
    recoverable = line.get("vatRecupPercentage", Decimal(100))
    if not isinstance(recoverable, int | Decimal) or not 0 <= recoverable <= 100:
        raise call.bad_data(-30, recoverable)
    centre = line.get("costCentreKey")
    number = centre.get("id") if isinstance(centre, dict) else centre
    if centre is not None and str(number) not in call.books.table("cost_centres"):
        raise call.bad_data(-40, number)
    return {
        "accountKey": account["accountKey"]["id"],
        "baseAmount": base,
        "vatCodeKey": code,
        "vatAmount": vat,
        "comment": str(line.get("comment") or ""),
        "vatRecupPercentage": recoverable,
        **{name: line[name] for name in _OPTIONAL_LINE_FIELDS if line.get(name) is not None},
    }


def _check_sum(call: DossierCall, total: Decimal, lines: list[Record]) -> None:
    """Refuse a total that its lines do not make: their sum, or on a credit note its opposite (30, 31)."""
    made = sum((line["baseAmount"] + line["vatAmount"] for line in lines), Decimal(0))
    if total < 0 and made < 0 and not call.switches.negative_credit_lines_refused:
        made = -made
    negative_twice = total < 0 and made < 0
    if negative_twice or (call.switches.sums_checked and made != abs(total)):
        raise call.bad_data(-24, f"{total} <> {made}")

"""What Octopus checks of every booking: journal, period, number, relation, currency (26, 27, 28, 25)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from koppel_sandbox.tables import Record

from . import relations
from .call import DossierCall
from .errors import Refusal

BOOKINGS = 1
"""``insertionType`` of a journal that takes bookings; the others take invoices."""
CURRENCIES = frozenset({"EUR", "USD", "GBP", "CHF"})
"""Those known in every dossier."""


def check_right(call: DossierCall, operation: str) -> None:
    """Refuse a user who may not do this in the dossier (octopus §1.6: a system right is missing)."""
    if [call.books.id, operation] in call.user["denied"]:
        raise Refusal(403, -3, operation)


def bookyear(call: DossierCall, body: Record) -> Record:
    """Return the open bookyear that a booking names.

    Raises:
        Refusal: it names none, or a closed one.
    """
    key = body.get("bookyearKey")
    number = key.get("id") if isinstance(key, dict) else None
    found = call.books.bookyears.get(str(number))
    if found is None:
        raise call.bad_data(-9, number)
    if found["closed"]:
        raise Refusal(call.switches.closed_status, -11, found["bookyearDescription"])
    return found


def journal(call: DossierCall, body: Record, year: Record, letters: str) -> Record:
    """Return the journal that a booking names; its key begins with one of ``letters``.

    Raises:
        Refusal: there is no such journal, it is of another kind, closed, held by a user, or takes invoices.
    """
    key = body.get("journalKey")
    found = call.books.journals.get(f"{year['bookyearKey']['id']}/{key}")
    if found is None or found["@hidden"]:
        raise call.bad_data(-10, key)
    if found["journalKey"][0] not in letters:
        raise call.bad_data(-38, key)
    if found["closed"]:
        raise Refusal(call.switches.closed_status, -11, key)
    if found["insertionType"] != BOOKINGS:
        raise call.bad_data(-29, key)
    if found["@held_by"]:
        raise Refusal(403, -12, key, found["@held_by"])
    return found


def check_period(call: DossierCall, body: Record, year: Record, journal: Record) -> None:
    """Refuse a period that the bookyear does not have, or that the journal has protected or closed."""
    period = body.get("bookyearPeriodeNr")
    if not any(one["bookyearPeriod"] == period for one in year["periods"]):
        raise Refusal(call.switches.unknown_period_status, -14, period)
    if isinstance(period, int) and period <= max(journal["protectedPeriod"], journal["closedPeriod"]):
        raise Refusal(call.switches.protected_period_status, -15, period, journal["journalKey"])


def check_number(call: DossierCall, body: Record, journal: Record) -> int:
    """Return the document number: the next of the journal.

    Raises:
        Refusal: it is another one.
    """
    number, last = body.get("documentSequenceNr"), journal["lastBookedDocumentNr"]
    fits = number == last + 1 or (call.switches.gaps_allowed and isinstance(number, int) and number > last)
    if isinstance(number, bool) or not isinstance(number, int) or not fits:
        technical = f"documentSequenceNr={number} lastBookedDocumentNr={last}"
        raise Refusal(call.switches.wrong_number_status, -13, number, technical=technical)
    return number


def check_currency(call: DossierCall, body: Record) -> None:
    """Refuse an unknown currency, and a rate that is none."""
    if str(body.get("currencyCode")) not in CURRENCIES:
        raise call.bad_data(-19, body.get("currencyCode"))
    rate = body.get("exchangeRate")
    if not isinstance(rate, int | Decimal) or isinstance(rate, bool) or rate <= 0:
        raise call.bad_data(-20, rate)


def relation_keys(call: DossierCall, body: Record, journal: Record) -> Record:
    """Return both keys of the relation that a booking names.

    Raises:
        Refusal: there is no such relation, or it is on the wrong side.
    """
    given = body.get("relationIdentificationServiceData")
    given = given if isinstance(given, dict) else {}
    found = relations.find(call.books, given)
    side = "client" if journal["journalKey"].startswith("V") else "supplier"
    if found is None or (call.switches.relation_side_checked and not found[side]):
        key = given.get("relationKey")
        shown = key.get("id") if isinstance(key, dict) else given.get("externalRelationId")
        raise call.bad_data(-16, shown)
    keys: Record = found["relationIdentificationServiceData"]
    return keys


def day(call: DossierCall, body: Record, name: str, missing: int) -> str:
    """Return a day that must be there (``missing`` is the code otherwise) as ``YYYY-MM-DD``; a time behind it is dropped."""
    given = body.get(name)
    if not given:
        raise call.bad_data(missing)
    try:
        return date.fromisoformat(str(given)[:10]).isoformat()
    except ValueError:
        raise call.bad_parameter(name) from None


def account(call: DossierCall, number: Any, year: Record) -> Record:
    """Return an account of the bookyear that takes bookings.

    Raises:
        Refusal: there is none of this number, or it groups others.
    """
    year_id = year["bookyearKey"]["id"]
    found = call.books.accounts.get(f"{year_id}/{number}")
    if found is None or isinstance(number, bool) or not isinstance(number, int):
        raise call.bad_data(-21, number, technical=f"account={number} bookyear={year_id}")
    if found["@header"]:
        raise call.bad_data(-50, number)
    return found


def amount(call: DossierCall, record: Record, name: str) -> Decimal:
    """Return an amount that must be there."""
    given = record.get(name)
    if not isinstance(given, int | Decimal) or isinstance(given, bool):
        raise call.bad_parameter(name)
    return Decimal(given)


def lines(call: DossierCall, body: Record) -> Sequence[Record]:
    """Return the lines of a booking: one at least."""
    given = body.get("bookingLines")
    if not isinstance(given, list) or not given or not all(isinstance(line, dict) for line in given):
        raise call.bad_data(-24, "bookingLines")
    return given

"""What Octopus's answers hold, in whatever shape they come: an object or a bare key, null for what is absent (octopus §2)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import structlog

from koppel_connector import values
from koppel_connector.contract import VendorAnswer

Row = dict[str, Any]
Place = tuple[int | None, str, int | None]
"""Of a booking: bookyear, journal, number."""
JOURNAL_TYPES: Final = {"A": "1", "V": "2"}
"""The first letter of a journal's key, and the number that means the same (octopus §2.7)."""
_FEED_LISTS: Final = ("modified", "deleted")

log = structlog.get_logger(__name__)


def token_in(answer: VendorAnswer, *names: str) -> str:
    """Return a token; its name is spelled with a capital or without (octopus §1.3)."""
    return next((values.text(token) for name, token in row_in(answer).items() if name.lower() in names), "")


def row_in(answer: VendorAnswer) -> Row:
    """Return the object that an answer is; empty where it is none."""
    body = answer.json() if answer.content else {}
    return dict(body) if isinstance(body, Mapping) else {}


def rows_in(answer: VendorAnswer) -> Iterator[Row]:
    """Yield the rows of a list; some feeds wrap them in an object (octopus §2.10)."""
    rows: Iterable[Any] = answer.elements()
    if not answer.is_list:
        body = row_in(answer)
        rows = next((value for name, value in body.items() if name.lower().startswith("modified")), [body])
    return (_unwrapped(row) for row in rows if isinstance(row, Mapping))


def _lists(body: Row) -> dict[str, list[Any]]:
    """Return what a feed wraps in an object: the lists ``modified`` and ``deleted``; one that is null is empty."""
    lists: dict[str, list[Any]] = {}
    for name, value in body.items():
        kind = next((each for each in _FEED_LISTS if name.lower().startswith(each)), None)
        if kind is not None and (value is None or isinstance(value, list)):
            lists[kind] = lists.get(kind) or value or []
    return lists


def deleted_places(answer: VendorAnswer, bookyear: int, letter: str) -> list[Place]:
    """Return where the bookings stood that an answer about one bookyear and side tells as deleted.

    One client tells its shape. What the question says already, a row need not tell; what is not understood is logged.
    """
    rows = _lists(row_in(answer)).get("deleted", [])
    asked = {"bookyearKey": bookyear, "journalType": JOURNAL_TYPES[letter]}
    places = [place_of({**asked, **_told(_unwrapped(row))}) for row in rows if isinstance(row, Mapping)]
    known = [place for place in places if is_known(place)]
    note_unreadable("deleted bookings", len(rows) - len(known))
    return known


def place_of(row: Row) -> Place:
    """Return where a booking stands, as far as its row tells; its key is written in two ways (octopus §2.7, §2.8)."""
    key = row.get("documentKey")
    row = {**row, **_told(key)} if isinstance(key, Mapping) else row
    return (
        key_id(row.get("bookyearKey")),
        values.text(row.get("journalKey")) or _journal_numbered(row),
        values.integer(row.get("documentSequenceNr")),
    )


def is_known(place: Place) -> bool:
    """Return whether a row told the whole place."""
    bookyear, journal, number = place
    return bookyear is not None and bool(journal) and number is not None


def note_unreadable(what: str, count: int) -> None:
    """Log that rows of a list were left out, for a shape that no source shows: whoever runs Koppel reports it."""
    if count:
        log.error("rows of Octopus that cannot be read", what=what, count=count)


def id_of_place(place: tuple[object, object, object]) -> str:
    """Return the id of a booking: ``3/V1/42``."""
    return "/".join(map(str, place))


def identity_of(relation: Row) -> Row:
    """Return the two numbers of a relation."""
    return relation.get("relationIdentificationServiceData") or {}


def iban_of(journal: Row) -> str:
    """Return the account of a journal; no source shows how Octopus names it."""
    return values.text(journal.get("iban") or journal.get("ibanAccountNr"))


def key_id(key: Any) -> int | None:
    """Return the number of a key, which is an object in some places and bare in others (octopus §2)."""
    return values.integer(key.get("id") if isinstance(key, Mapping) else key)


def _unwrapped(row: Mapping[str, Any]) -> Row:
    booking = row.get("buySellBookingServiceData")
    return dict(booking if isinstance(booking, Mapping) else row)


def _told(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _journal_numbered(row: Row) -> str:
    """Return the key of a journal that is written as a type and a number; empty where it is not."""
    number = values.integer(row.get("journalSequenceNr"))
    kind = str(values.integer(row.get("journalType")))
    letter = next((each for each, told in JOURNAL_TYPES.items() if told == kind), "")
    return f"{letter}{number}" if letter and number is not None else ""

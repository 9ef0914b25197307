"""What Octopus's answers hold, in whatever shape they come: an object or a bare key, null for what is absent (octopus §2)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

import structlog

from koppel_connector import values
from koppel_connector.contract import VendorAnswer

Row = dict[str, Any]
Place = tuple[int | None, str, int | None]
"""Of a booking: bookyear, journal, number."""
JOURNAL_TYPES: Final = {"A": "1", "V": "2"}
"""The first letter of a journal's key, and the number that means the same (octopus §2.7)."""
IDENTITY: Final = "relationIdentificationServiceData"
_IDENTITY_NUMBERS: Final = ("relationKey", "externalRelationId")
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
        rows = _lists(body).get("modified", []) if _is_feed(body) else [body]
    return (_unwrapped(row) for row in rows if isinstance(row, Mapping))


def _is_feed(body: Row) -> bool:
    """Whether an object wraps the lists of a feed, or holds nothing; else it is a row itself."""
    named = {name: value for name, value in body.items() if name.lower().startswith(_FEED_LISTS)}
    is_empty = all(value is None for name, value in body.items() if name not in named)
    return is_empty or any(isinstance(value, list) for value in named.values())


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


def made_relation(answer: VendorAnswer, sent: Mapping[str, Any]) -> Row:
    """Return a relation that was made, as it was sent and with what the answer tells of it; empty where that is no key.

    The answer has "the new key" (octopus §2.4): the record, its two numbers, the key as an object, or its number.
    """
    body = answer.json() if answer.content else None
    told = _told(body) if isinstance(body, Mapping) else {}
    identity = identity_of(told)
    key = key_id(identity.get("relationKey")) or key_id(body)
    if not key:
        return {}
    return {**sent, **told, IDENTITY: {**identity_of(sent), **_told(identity), "relationKey": {"id": key}}}


def place_of(row: Row) -> Place:
    """Return where a booking stands, as far as its row tells; its key is written in two ways (octopus §2.7, §2.8)."""
    key = row.get("documentKey")
    row = {**row, **_told(key)} if isinstance(key, Mapping) else row
    return (
        key_id(row.get("bookyearKey")),
        key_text(row.get("journalKey")) or _journal_numbered(row),
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


def identity_of(relation: Mapping[str, Any]) -> Row:
    """Return the two numbers of a relation, which stand in an object of their own, or bare in the row (octopus §2)."""
    identity = relation.get(IDENTITY)
    return dict(identity) if isinstance(identity, Mapping) else {name: relation.get(name) for name in _IDENTITY_NUMBERS}


def iban_of(journal: Row) -> str:
    """Return the account of a journal; no source shows how Octopus names it."""
    return values.text(journal.get("iban") or journal.get("ibanAccountNr"))


def key_id(key: Any) -> int | None:
    """Return the number of a key, which is an object in some places and bare in others (octopus §2)."""
    return values.integer(key.get("id") if isinstance(key, Mapping) else key)


def _unwrapped(row: Mapping[str, Any]) -> Row:
    booking = row.get("buySellBookingServiceData")
    return dict(booking if isinstance(booking, Mapping) else row)


def bookyear_of(key: Any) -> int | None:
    """Return the bookyear that the key of an account names; None where it is bare (octopus §2)."""
    return key_id(key.get("bookyearKey")) if isinstance(key, Mapping) else None


def key_text(key: Any) -> str:
    """Return the text of a key, such as a journal's or a VAT code's; they are bare, but other keys are objects (octopus §2)."""
    return values.text(key.get("id") if isinstance(key, Mapping) else key)


def day_in(value: Any) -> date | None:
    """Return a day; a time may stand behind it (octopus §2)."""
    try:
        return date.fromisoformat(values.text(value)[:10])
    except ValueError:
        return None


def objects_in(value: Any) -> list[Row]:
    """Return the objects of a list; none where it is null."""
    return [dict(each) for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _told(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _journal_numbered(row: Row) -> str:
    """Return the key of a journal that is written as a type and a number; empty where it is not."""
    number = values.integer(row.get("journalSequenceNr"))
    kind = str(values.integer(row.get("journalType")))
    letter = next((each for each, told in JOURNAL_TYPES.items() if told == kind), "")
    return f"{letter}{number}" if letter and number is not None else ""

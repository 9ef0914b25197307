"""A bakery with two tills: seven days of tickets become two paid invoices in two journals, and a cash statement.

Brussels has no network for three days and catches up; Ghent corrects a day, and is closed on another. Both are closed through
today, whatever the rhythm of their books.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from koppel_local.api import Api, ApiError
from koppel_local.sending import POLL_INTERVAL_S, Sending
from koppel_local.till import hand_over, tickets_of
from koppel_mesh.clock import brussels_date, utc_now

if TYPE_CHECKING:
    from koppel_client.generated import models

    _MadeOf = Callable[[], Iterable[models.PeriodItem | models.CashStatement]]

GENT, BRUSSELS = "Gent", "Brussel"
TICKETS_A_DAY: Final = 30
DAYS: Final = 7
_CLOSED_DAY: Final = 3
_OFFLINE_DAYS: Final = (2, 3, 4)
_JOURNALS: Final = {
    "connector-exact": {GENT: "720", BRUSSELS: "730"},
    "connector-octopus": {GENT: "V3", BRUSSELS: "V4"},
}
DRAWER_IBAN: Final = "BE16985000000174"
"""By which the packages know the drawer: each has a financial journal of it, beside that of no bank."""
HANDED_IN_WITHIN_S: Final = 30.0


def run(api: Api, dossier_id: str, keep_going: Callable[[], None]) -> list[Sending]:
    """Play the week, unless it was played before, and return what became of it as documents of the dossier.

    Raises:
        ApiError: something of it was refused.
    """
    pos = api.pos_ingest
    books = {one["name"]: one for one in pos.iterate_receipt_books(dossier_id)}
    if GENT not in books or BRUSSELS not in books:
        books = _open_books(api, dossier_id)
        _play(api, dossier_id, books, keep_going)
    made: list[tuple[str, _MadeOf, str]] = []
    for name in (GENT, BRUSSELS):
        of_book = partial(pos.iterate_periods, dossier_id, books[name]["id"])
        made += [(one["number"], of_book, one["id"]) for one in of_book() if one["number"] is not None]
    drawer = books[GENT]["cash_book_id"]
    assert drawer is not None
    statements = partial(pos.iterate_cash_statements, dossier_id, drawer)
    made += [(f"kasboek {one['number']}", statements, one["id"]) for one in statements()]
    return [_sending(api, number, _handed_in(number, of, made_id, keep_going)) for number, of, made_id in made]


def _open_books(api: Api, dossier_id: str) -> "dict[str, models.ReceiptBook]":
    first = _days()[0]
    # The week of the books ends today, so that nothing closes them while it is played.
    week_starts_on = first.isoweekday() % 7
    cash_book = api.pos_ingest.add_cash_book(
        dossier_id,
        {
            "name": f"Kas {GENT}",
            "iban": DRAWER_IBAN,
            "start_date": first.isoformat(),
            "start_balance": "150.00",
            "coda": {"period": "week", "week_starts_on": week_starts_on, "lines": "two"},
        },
    )
    connections = api.dossier_api.get_dossier(dossier_id)["connections"]
    books = {}
    for name in (GENT, BRUSSELS):
        wanted: models.NewReceiptBook = {
            "name": name,
            "customer_name": f"Dagontvangsten {name}",
            "number_prefix": "",
            "number_format": f"{name[0]}-{{InvoiceNumber:5}}",
            "journals": _journals_of(connections, name),
            "cash_book_id": cash_book["id"] if name == GENT else None,
            "period": "week",
            "week_starts_on": week_starts_on,
        }
        books[name] = api.pos_ingest.add_receipt_book(dossier_id, wanted)
    registers: list[models.RegisterItem] = [
        {"name": f"kassa-{name.lower()}", "receipt_book_id": book["id"]} for name, book in books.items()
    ]
    api.pos_ingest.set_registers(dossier_id, {"items": registers})
    return books


def _journals_of(connections: "Iterable[models.ConnectionBody]", name: str) -> dict[str, str]:
    """Return the journal of a book at each target: packages call theirs differently (R141)."""
    return {
        one["connection_id"]: _JOURNALS[one["connector"]][name]
        for one in connections
        if one["state"] != "disconnected" and one["connector"] in _JOURNALS
    }


def _play(api: Api, dossier_id: str, books: "Mapping[str, models.ReceiptBook]", keep_going: Callable[[], None]) -> None:
    pos, days = api.pos_ingest, _days()
    gent, brussels = books[GENT]["id"], books[BRUSSELS]["id"]
    open_days = [day for place, day in enumerate(days) if place != _CLOSED_DAY]
    online = [day for place, day in enumerate(days) if place not in _OFFLINE_DAYS]
    offline = [days[place] for place in _OFFLINE_DAYS]
    today = days[-1].isoformat()
    _sell(api, dossier_id, GENT, open_days)
    keep_going()
    _sell(api, dossier_id, BRUSSELS, online)
    keep_going()
    for book in (gent, brussels):
        pos.finish_day(dossier_id, book, today)
    _sell(api, dossier_id, BRUSSELS, offline)
    keep_going()
    pos.finish_day(dossier_id, brussels, today)
    correction: models.TakingsLine = {
        "kind": "correction",
        "vat_rate": "6",
        "amount": "-10.60",
        "corrects_date": days[1].isoformat(),
        "description": "Twee broden dubbel aangeslagen",
    }
    takings: models.DayTakings = {
        "external_reference": f"correction {days[1]}",
        "lines": [correction],
        "payments": [{"method": "cash", "amount": "-10.60"}],
    }
    pos.enter_day(dossier_id, gent, today, takings)
    for book in (gent, brussels):
        pos.close_receipt_book(dossier_id, book, {"through": today})


def _sell(api: Api, dossier_id: str, name: str, days: list[date]) -> None:
    tickets = [ticket for day in days for ticket in tickets_of(f"kassa-{name.lower()}", day, TICKETS_A_DAY, utc_now())]
    if refused := hand_over(api, dossier_id, tickets).refused:
        raise ApiError(f"A ticket was refused: {refused[0]}")


def _days() -> list[date]:
    today = brussels_date(utc_now())
    return [today - timedelta(days=before) for before in reversed(range(DAYS))]


def _handed_in(named: str, of: "_MadeOf", made_id: str, keep_going: Callable[[], None]) -> str:
    """Wait until what was closed is a document of the dossier; return its id."""
    end = time.monotonic() + HANDED_IN_WITHIN_S
    while True:
        one = next(each for each in of() if each["id"] == made_id)
        if one["document_id"] is not None:
            return one["document_id"]
        if time.monotonic() > end:
            problem = cast("models.PeriodItem", one).get("problem")  # a statement has none
            raise ApiError(f"{named} is not in the dossier: {problem['message']['en'] if problem else 'no answer yet'}")
        keep_going()
        time.sleep(POLL_INTERVAL_S)


def _sending(api: Api, number: str, document_id: str) -> Sending:
    """Return a document to follow; the statement too, as its account begins with it and nothing keeps it waiting."""
    document = api.dossier_api.get_document(document_id)
    return Sending(Path(number), document_id=document_id, number=number, state=document["state"])

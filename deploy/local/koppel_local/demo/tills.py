"""A bakery with two tills: seven days of tickets become two paid invoices in two journals, and a cash statement.

Brussels has no network for three days and catches up; Ghent corrects a day, and is closed on another. Both are closed through
today, whatever the rhythm of their books.
"""

import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from koppel_local.api import Api, ApiError
from koppel_local.sending import POLL_INTERVAL_S, Sending
from koppel_local.till import hand_over, tickets_of
from koppel_mesh.clock import brussels_date, utc_now

GENT, BRUSSELS = "Gent", "Brussel"
TICKETS_A_DAY: Final = 30
DAYS: Final = 7
_CLOSED_DAY: Final = 3
_OFFLINE_DAYS: Final = (2, 3, 4)
_JOURNALS: Final = {
    "connector-exact": {GENT: "720", BRUSSELS: "730"},
    "connector-octopus": {GENT: "V3", BRUSSELS: "V4"},
}
HANDED_IN_WITHIN_S: Final = 30.0


def run(api: Api, dossier_id: str, keep_going: Callable[[], None]) -> list[Sending]:
    """Play the week, unless it was played before, and return what became of it as documents of the dossier.

    Raises:
        ApiError: something of it was refused.
    """
    base = f"/pos-ingest/v1/dossiers/{dossier_id}"
    books = {one["name"]: one for one in api.items(f"{base}/receipt-books")}
    if GENT not in books or BRUSSELS not in books:
        books = _open_books(api, base, dossier_id)
        _play(api, base, dossier_id, books)
    documents = [
        (
            period["number"],
            *_handed_in(api, f"{base}/receipt-books/{books[name]['id']}/periods", period["id"], keep_going),
        )
        for name in (GENT, BRUSSELS)
        for period in api.items(f"{base}/receipt-books/{books[name]['id']}/periods")
        if period["number"] is not None
    ]
    drawer = f"{base}/cash-books/{books[GENT]['cash_book_id']}/statements"
    documents += [
        (f"kasboek {one['number']}", *_handed_in(api, drawer, one["id"], keep_going)) for one in api.items(drawer)
    ]
    return [_sending(api, number, document_id) for number, document_id in documents]


def _open_books(api: Api, base: str, dossier_id: str) -> dict[str, dict[str, Any]]:
    first = _days()[0]
    # The week of the books ends today, so that nothing closes them while it is played.
    rhythm = {"period": "week", "week_starts_on": first.isoweekday() % 7}
    drawer = {"name": f"Kas {GENT}", "start_date": first.isoformat(), "start_balance": "150.00"}
    coda = {"period": "week", "week_starts_on": rhythm["week_starts_on"], "lines": "two"}
    cash_book = api.call("POST", f"{base}/cash-books", json={**drawer, "coda": coda})
    connections = api.call("GET", f"/dossier-api/v1/dossiers/{dossier_id}")["connections"]
    books = {}
    for name in (GENT, BRUSSELS):
        wanted = {
            "name": name,
            "customer_name": f"Dagontvangsten {name}",
            "number_prefix": "",
            "number_format": f"{name[0]}-{{InvoiceNumber:5}}",
            "journals": _journals_of(connections, name),
            "cash_book_id": cash_book["id"] if name == GENT else None,
            **rhythm,
        }
        books[name] = api.call("POST", f"{base}/receipt-books", json=wanted)
    items = [{"name": f"kassa-{name.lower()}", "receipt_book_id": book["id"]} for name, book in books.items()]
    api.call("PUT", f"{base}/registers", json={"items": items})
    return books


def _journals_of(connections: list[dict[str, Any]], name: str) -> dict[str, str]:
    """Return the journal of a book at each target: packages call theirs differently (R141)."""
    return {
        one["connection_id"]: _JOURNALS[one["connector"]][name]
        for one in connections
        if one["state"] != "disconnected" and one["connector"] in _JOURNALS
    }


def _play(api: Api, base: str, dossier_id: str, books: Mapping[str, dict[str, Any]]) -> None:
    days = _days()
    gent, brussels = (f"{base}/receipt-books/{books[name]['id']}" for name in (GENT, BRUSSELS))
    open_days = [day for place, day in enumerate(days) if place != _CLOSED_DAY]
    online = [day for place, day in enumerate(days) if place not in _OFFLINE_DAYS]
    offline = [days[place] for place in _OFFLINE_DAYS]
    _sell(api, dossier_id, GENT, open_days)
    _sell(api, dossier_id, BRUSSELS, online)
    for book in (gent, brussels):
        api.call("POST", f"{book}/days/{days[-1]}/finish")
    _sell(api, dossier_id, BRUSSELS, offline)
    api.call("POST", f"{brussels}/days/{days[-1]}/finish")
    correction = {
        "kind": "correction",
        "vat_rate": "6",
        "amount": "-10.60",
        "corrects_date": days[1].isoformat(),
        "description": "Twee broden dubbel aangeslagen",
    }
    takings = {
        "external_reference": f"correction {days[1]}",
        "lines": [correction],
        "payments": [{"method": "cash", "amount": "-10.60"}],
    }
    api.call("PUT", f"{gent}/days/{days[-1]}", json=takings)
    for book in (gent, brussels):
        api.call("POST", f"{book}/close", json={"through": days[-1].isoformat()})


def _sell(api: Api, dossier_id: str, name: str, days: list[date]) -> None:
    tickets = [ticket for day in days for ticket in tickets_of(f"kassa-{name.lower()}", day, TICKETS_A_DAY, utc_now())]
    if refused := hand_over(api, dossier_id, tickets).refused:
        raise ApiError(f"A ticket was refused: {refused[0]}")


def _days() -> list[date]:
    today = brussels_date(utc_now())
    return [today - timedelta(days=before) for before in reversed(range(DAYS))]


def _handed_in(api: Api, path: str, made_id: str, keep_going: Callable[[], None]) -> tuple[str]:
    """Wait until what was closed is a document of the dossier; return its id."""
    end = time.monotonic() + HANDED_IN_WITHIN_S
    while True:
        one = next(each for each in api.items(path) if each["id"] == made_id)
        if one["document_id"] is not None:
            return (str(one["document_id"]),)
        if time.monotonic() > end:
            problem = one.get("problem")
            raise ApiError(f"{path} is not in the dossier: {problem['message']['en'] if problem else 'no answer yet'}")
        keep_going()
        time.sleep(POLL_INTERVAL_S)


def _sending(api: Api, number: str, document_id: str) -> Sending:
    document = api.call("GET", f"/dossier-api/v1/documents/{document_id}")
    is_statement = document["kind"] == "cash_statement"
    return Sending(
        Path(number), document_id=document_id, number=number, state=document["state"], is_statement=is_statement
    )

"""``koppel till``: a till of a bakery, which sells, and hands its tickets over in batches."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from koppel_mesh.clock import BRUSSELS

from .api import Api, ApiError

if TYPE_CHECKING:
    from koppel_client.generated import models

BATCH: Final = 100
OPENS_AT: Final = time(7)
SELLS_FOR: Final = timedelta(hours=10)
_GOODS: Final = (
    # name, price including VAT, VAT rate in percent
    ("Grof brood", Decimal("3.20"), 6),
    ("Pistolet", Decimal("0.70"), 6),
    ("Croissant", Decimal("1.60"), 6),
    ("Rijsttaart", Decimal("14.50"), 6),
    ("Koffie om hier te drinken", Decimal("3.10"), 12),
    ("Fles cava", Decimal("12.95"), 21),
)
_CASH, _DEBIT_CARD = 2, 5
_STEP: Final = Decimal("0.05")


@dataclass(frozen=True)
class Handed:
    """What became of tickets that were handed over."""

    accepted: int
    known: int
    """Handed over before."""
    refused: tuple[str, ...]
    """Why, a sentence for each ticket."""


def tickets_of(register: str, day: date, count: int, until: datetime, *, series: str = "") -> Iterator[dict[str, Any]]:
    """Yield tickets of a till on a day, always the same for the same arguments; none is later than ``until``.

    Their shape is that of Scrada's ``POST pos/receipts``; amounts include VAT. Those of another series are other receipts.
    """
    chance = random.Random(f"{register} {day} {series}")  # noqa: S311 - a shop, no secret
    opens_at = datetime.combine(day, OPENS_AT, BRUSSELS)
    for number in range(1, count + 1):
        sold_at = min(opens_at + SELLS_FOR * number / (count + 1), until)
        lines = [_line(chance) for _ in range(chance.randint(1, 4))]
        total = sum((Decimal(line["totalInclVat"]) for line in lines), Decimal(0))
        in_cash = chance.randrange(5) < 2
        paid = (total / _STEP).quantize(Decimal(1)) * _STEP if in_cash else total
        yield {
            "receiptID": f"{register}-{day:%Y%m%d}{series}-{number:04}",
            "receiptCreatedOn": sold_at.isoformat(),
            "registerID": register,
            "totalInclVat": f"{total:.2f}",
            "lines": lines,
            "payments": [
                {
                    "amount": f"{paid:.2f}",
                    "paymentMethodType": _CASH if in_cash else _DEBIT_CARD,
                    "paymentMethodName": "Cash" if in_cash else "Bancontact",
                }
            ],
        }


def _line(chance: random.Random) -> dict[str, Any]:
    name, price, rate = chance.choice(_GOODS)
    quantity = chance.randint(1, 6)
    return {
        "itemName": name,
        "quantity": str(quantity),
        "itemInclVat": str(price),
        "totalInclVat": str(quantity * price),
        "vatType": 1,
        "vatPercentage": str(rate),
    }


def hand_over(
    api: Api, dossier_id: str, tickets: Sequence[dict[str, Any]], advance: Callable[[int], None] = lambda _: None
) -> Handed:
    """Hand tickets over in batches; ``advance`` gets how many went.

    Raises:
        ApiError: a whole batch was refused.
    """
    results: list[models.TicketResult] = []
    for start in range(0, len(tickets), BATCH):
        batch = list(tickets[start : start + BATCH])
        results += api.pos_ingest.add_tickets(dossier_id, batch)
        advance(len(batch))
    by_status = [one["status"] for one in results]
    return Handed(
        accepted=by_status.count("accepted"),
        known=by_status.count("duplicate"),
        refused=tuple(f"{one['receipt_id']}: {one['message']}" for one in results if one["status"] == "error"),
    )


def choose_till(api: Api, dossier: str | None, register: str | None) -> tuple[str, str]:
    """Return the id of the dossier, and the name of the register; what is not said may be the only one, or the first register.

    Raises:
        ApiError: there is none, or the choice of dossier is open.
    """
    named = [
        one
        for one in api.dossier_api.iterate_dossiers()
        if dossier in (None, one["id"], one["name"], one["enterprise_number"])
    ]
    with_tills = [(one, names) for one in named if (names := _registers(api, one["id"]))]
    if len(with_tills) != 1:
        choices = "; ".join(f"{one['name']} ({one['id']})" for one, _ in with_tills)
        raise ApiError(
            f"Say which dossier with --dossier: {choices}."
            if choices
            else "No such dossier has a till: say with PUT …/registers which receipt book each register writes to."
        )
    [(chosen, names)] = with_tills
    if register not in (None, *names):
        raise ApiError(f"Say which register with --register: {', '.join(names)}.")
    return chosen["id"], register or names[0]


def _registers(api: Api, dossier_id: str) -> list[str]:
    items = api.pos_ingest.list_registers(dossier_id)["items"]
    return [one["name"] for one in items if one["kind"] == "register"]

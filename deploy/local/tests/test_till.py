"""The till that ``koppel till`` and the demo play: its tickets add up, and are the same for the same day."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from koppel_client import Koppel
from koppel_local.api import ApiError
from koppel_local.till import BATCH, choose_till, hand_over, tickets_of
from koppel_mesh.clock import BRUSSELS

DAY = date(2026, 3, 29)
"""The clocks went forward."""
EVENING = datetime(2026, 3, 29, 20, tzinfo=BRUSSELS)


def test_tickets_add_up_and_are_paid() -> None:
    tickets = list(tickets_of("kassa-gent", DAY, 50, EVENING))
    assert len({ticket["receiptID"] for ticket in tickets}) == 50
    for ticket in tickets:
        total = sum(Decimal(line["totalInclVat"]) for line in ticket["lines"])
        assert Decimal(ticket["totalInclVat"]) == total
        assert all(
            Decimal(each["quantity"]) * Decimal(each["itemInclVat"]) == Decimal(each["totalInclVat"])
            for each in ticket["lines"]
        )
        [payment] = ticket["payments"]
        assert abs(Decimal(payment["amount"]) - total) <= Decimal("0.02")
        assert payment["paymentMethodType"] != 2 or Decimal(payment["amount"]) % Decimal("0.05") == 0


def test_the_same_day_has_the_same_tickets_and_none_of_the_future() -> None:
    once, again = (list(tickets_of("kassa-gent", DAY, 20, EVENING)) for _ in range(2))
    assert once == again and once != list(tickets_of("kassa-brussel", DAY, 20, EVENING))
    noon = datetime(2026, 3, 29, 12, tzinfo=BRUSSELS)
    moments = [datetime.fromisoformat(one["receiptCreatedOn"]) for one in tickets_of("kassa-gent", DAY, 20, noon)]
    assert max(moments) <= noon and {moment.date() for moment in moments} == {DAY}


def test_another_series_is_other_receipts() -> None:
    once, again = (list(tickets_of("kassa-gent", DAY, 20, EVENING, series=series)) for series in ("-a", "-b"))
    assert not {ticket["receiptID"] for ticket in once} & {ticket["receiptID"] for ticket in again}


class Answers(Koppel):
    """Koppel, as far as a till asks it: dossiers, their registers, and tickets."""

    def __init__(self, registers: dict[str, list[str]]) -> None:
        super().__init__("http://127.0.0.1:9", "till", "secret")
        self.registers = registers
        """Of each dossier, by its name, which is its id too."""
        self.taken: set[str] = set()

    def items(self, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        assert path == "/dossier-api/v1/dossiers"
        return iter([{"id": name, "name": name, "enterprise_number": ""} for name in self.registers])

    def call(self, method: str, path: str, *, body: Any = None, **_: Any) -> Any:
        dossier, what = path.removeprefix("/pos-ingest/v1/dossiers/").split("/")
        if (method, what) == ("GET", "registers"):
            return {"items": [{"kind": "register", "name": name} for name in self.registers[dossier]]}
        assert (method, what) == ("POST", "tickets")
        assert len(body) <= BATCH
        return [self._take(ticket) for ticket in body]

    def _take(self, ticket: dict[str, Any]) -> dict[str, Any]:
        named = {"receipt_id": ticket["receiptID"], "message": "The register belongs to no book."}
        if ticket["registerID"] == "unknown":
            return {"status": "error", **named}
        status = "duplicate" if ticket["receiptID"] in self.taken else "accepted"
        self.taken.add(ticket["receiptID"])
        return {"status": status, **named}


def asked(**registers: list[str]) -> Any:
    return Answers(registers)


def test_the_dossier_that_has_registers_is_meant_and_its_first_one() -> None:
    api = asked(Studio=[], Bakkerij=["kassa-1", "kassa-2"])
    assert choose_till(api, None, None) == ("Bakkerij", "kassa-1")
    assert choose_till(api, "Bakkerij", "kassa-2") == ("Bakkerij", "kassa-2")


@pytest.mark.parametrize(
    ("dossier", "register", "told"),
    [
        (None, None, "--dossier: Een"),
        ("Een", "kassa-9", "--register: kassa-1"),
        ("Geen", None, "No such dossier has a till"),
    ],
)
def test_an_open_choice_names_what_there_is(dossier: str | None, register: str | None, told: str) -> None:
    with pytest.raises(ApiError, match=told):
        choose_till(asked(Een=["kassa-1"], Twee=["kassa-2"], Geen=[]), dossier, register)


def test_tickets_go_in_batches_and_a_second_time_they_are_known() -> None:
    api, went = asked(Bakkerij=["kassa-1"]), list[int]()
    sold = list(tickets_of("kassa-1", DAY, BATCH + 20, EVENING))
    assert hand_over(api, "Bakkerij", sold, went.append).accepted == BATCH + 20
    assert went == [BATCH, 20]
    assert hand_over(api, "Bakkerij", sold).known == BATCH + 20


def test_a_refusal_names_its_receipt() -> None:
    sold = list(tickets_of("unknown", DAY, 1, EVENING))
    [sentence] = hand_over(asked(Bakkerij=[]), "Bakkerij", sold).refused
    assert sentence == "unknown-20260329-0001: The register belongs to no book."

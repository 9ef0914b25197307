"""Statements through the whole mesh: handed in over HTTP in any order, taken by a connector in that of their chain."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import httpx2

from koppel_mesh.ids import new_id
from koppel_sandbox import installed_sandboxes
from koppel_sandbox.exact.driver import ExactDriver
from koppel_sandbox.octopus.driver import OctopusDriver

from .bank_statements import CODA, IBAN, NUMBER, statement
from .firm_client import FirmClient

PATIENCE_S = 60.0


def until(ask: Callable[[], Any], holds: Callable[[Any], Any]) -> Any:
    """Ask until the answer holds."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = ask()
        if holds(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.1)


class Firm:
    """A firm with one dossier, connected to every connector."""

    def __init__(self, mesh: Any) -> None:
        self.client: httpx2.Client = mesh.client(new_id())
        rules = {"frequency": "never", "approval_required": False, "lock_after_export": False}
        asked = {"name": "Bakkerij Peeters", "enterprise_number": NUMBER, "language": "nl", "export": rules}
        self.dossier_id = self.json("POST", "/dossier-api/v1/dossiers", json=asked)["id"]
        self.connectors = [name for name, service in mesh.services.items() if service.kind == "connector"]
        for name in self.connectors:
            until(partial(self.connect, f"/{name}/v1/connections"), lambda answer: answer.is_success)

    def connect(self, at: str) -> httpx2.Response:
        return self.client.post(at, json={"dossier_id": self.dossier_id, "settings": {}})

    def json(self, method: str, path: str, **asked: Any) -> Any:
        answer = self.client.request(method, path, **asked)
        assert answer.is_success, answer.text
        return answer.json()

    def file(self, number: int) -> str:
        path = f"/dossier-api/v1/dossiers/{self.dossier_id}/documents"
        return str(self.json("POST", path, content=statement(number), headers=CODA)["id"])

    def export(self, *documents: str) -> None:
        path = f"/export-scheduler/v1/dossiers/{self.dossier_id}/exports"
        assert self.json("POST", path, json={"document_ids": list(documents)})["count"] == len(documents)

    def account(self) -> Any:
        (found,) = self.json("GET", f"/connector-coda/v1/dossiers/{self.dossier_id}/accounts")["items"] or [None]
        return found

    def taken(self, connector: str) -> list[str]:
        """Return the documents of a connector's deliveries, in the order in which these were made."""
        items = self.json("GET", f"/{connector}/v1/deliveries?limit=200")["items"]
        return [item["document_id"] for item in sorted(items, key=lambda item: item["id"])]


def test_statements_reach_every_connector_in_order(mesh: Any) -> None:
    firm = Firm(mesh)
    handed_in = {number: firm.file(number) for number in (3, 1, 5, 2)}
    firm.export(*handed_in.values())
    first = [handed_in[number] for number in (1, 2, 3)]
    for connector in firm.connectors:
        until(partial(firm.taken, connector), lambda taken: len(taken) >= len(first))
        assert firm.taken(connector) == first
    account = until(firm.account, lambda found: found and found["state"] == "gap")
    (gap,) = account["gaps"]
    assert (gap["after"], gap["before"], gap["missing"]) == (3, 5, [4])
    (problem,) = until(lambda: firm.json("GET", "/dossier-api/v1/problems?document_id=" + handed_in[5])["items"], bool)
    assert (problem["code"], problem["connector"]) == ("statement_gap", "connector-coda")
    assert "004" in problem["message"]["nl"]

    fourth = firm.file(4)
    firm.export(fourth)
    everything = [*first, fourth, handed_in[5]]
    for connector in firm.connectors:
        until(partial(firm.taken, connector), lambda taken: len(taken) >= len(everything))
        assert firm.taken(connector) == everything
    path = "/dossier-api/v1/problems?document_id=" + handed_in[5]
    until(lambda: firm.json("GET", path)["items"], lambda items: "statement_gap" not in {one["code"] for one in items})
    account = until(firm.account, lambda found: found["state"] == "continuous")
    assert (account["first_sequence"], account["last_sequence"], account["gaps"]) == (1, 5, [])


def test_an_accepted_gap_and_a_bank_feed(mesh: Any) -> None:
    firm = Firm(mesh)
    feed = f"/connector-coda/v1/dossiers/{firm.dossier_id}/statements"
    posted = [firm.json("POST", feed, content=statement(number), headers=CODA)["id"] for number in (1, 3)]
    firm.export(*posted)
    until(firm.account, lambda found: found and found["state"] == "gap")
    path = f"/connector-coda/v1/dossiers/{firm.dossier_id}/accounts/{IBAN}/accept-gap"
    accepted = firm.json("POST", path, json={"after": 1, "before": 3, "reason": "de bank heeft het niet meer"})
    assert (accepted["missing"], accepted["reason"]) == ([2], "de bank heeft het niet meer")
    for connector in firm.connectors:
        until(partial(firm.taken, connector), lambda taken: len(taken) >= len(posted))
        assert firm.taken(connector) == posted
    other = statement(2).replace(NUMBER.encode(), b"0403170701")
    refused = firm.client.post(feed, content=other.replace(IBAN.encode(), b"BE85735048152606"), headers=CODA)
    assert (refused.status_code, refused.json()["code"]) == (422, "account_of_other_holder")


def test_octopus_takes_statements_in_the_order_of_their_chain(mesh: Any) -> None:
    with mesh.driver(installed_sandboxes()["octopus"]) as vendor:
        assert isinstance(vendor, OctopusDriver)
        firm, company = FirmClient(mesh.client(new_id()), vendor), vendor.open_company(NUMBER)
        vendor.control(
            "bank_account", dossier=int(company.remote_id), journal="F1", iban=IBAN, bic="GKCCBEBB", balance=1000
        )
        dossier_id = firm.add_dossier("Bakkerij Peeters", NUMBER)
        connection_id = firm.connect(dossier_id, replace(company, settings={**company.settings, "send_coda": True}))

        deliveries_path = f"/{vendor.connector}/v1/deliveries"

        def in_octopus() -> list[tuple[Decimal, Decimal]]:
            held = vendor.http.get(f"_control/dossiers/{company.remote_id}/ledger").json()["statements"]
            return [(Decimal(each["opening"]), Decimal(each["closing"])) for each in held]

        def deliveries() -> dict[str, str]:
            found = firm.get(deliveries_path, connection_id=connection_id)["items"]
            return {each["document_id"]: each["state"] for each in found}

        handed_in = go_in_order(firm, dossier_id, in_octopus)
        assert until(deliveries, lambda found: set(found.values()) == {"exported"}).keys() == set(handed_in)


def test_exact_enters_statements_in_the_order_of_their_chain(mesh: Any) -> None:
    with mesh.driver(installed_sandboxes()["exact"]) as vendor:
        assert isinstance(vendor, ExactDriver)
        firm, company = FirmClient(mesh.client(new_id()), vendor), vendor.open_company(NUMBER)
        dossier_id = firm.add_dossier("Bakkerij Peeters", NUMBER)
        entered = {
            "send_coda": True,
            "destination": {"statement": "journal"},
            "statement_account": "499000",
            "statement_journals": {IBAN: "550"},
        }
        connection_id = firm.connect(dossier_id, replace(company, settings={**company.settings, **entered}))

        def in_exact() -> list[tuple[Decimal, Decimal]]:
            held = json.loads(vendor.http.get(f"_control/divisions/{company.remote_id}/BankEntries").content)
            return [(Decimal(each["OpeningBalanceFC"]), Decimal(each["ClosingBalanceFC"])) for each in held]

        def numbers() -> dict[str, str]:
            found = firm.get(f"/{vendor.connector}/v1/deliveries", connection_id=connection_id)["items"]
            return {each["document_id"]: each["entry_number"] for each in found if each["state"] == "booked"}

        handed_in = go_in_order(firm, dossier_id, in_exact)
        assert until(numbers, lambda found: len(found) == 4).keys() == set(handed_in)
        assert sorted(numbers().values()) == ["1", "2", "3", "4"]


def go_in_order(firm: FirmClient, dossier_id: str, in_books: Callable[[], list[tuple[Decimal, Decimal]]]) -> list[str]:
    """Hand four statements in, out of order; see them in the books one after the other, and return their documents."""
    balances = [(Decimal(1000 + 10 * each), Decimal(1010 + 10 * each)) for each in range(4)]
    handed_in = [firm.take_in(dossier_id, statement(number), **CODA) for number in (2, 4, 1)]
    until(in_books, lambda held: len(held) == 2)
    firm.until_problem(handed_in[1], "statement_gap")
    assert in_books() == balances[:2]
    handed_in.append(firm.take_in(dossier_id, statement(3), **CODA))
    until(in_books, lambda held: len(held) == 4)
    assert in_books() == balances
    return handed_in

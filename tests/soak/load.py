"""What keeps coming while faults happen: documents of two dossiers, tickets of a till, and a person who does a person's part."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx2

from koppel_local.till import tickets_of
from koppel_mesh.clock import brussels_date, utc_now
from koppel_mesh.service import installed_services
from tests.every_target import Books, Dossier, HandedIn, Mailbox, Target, invoice_of, statement_of

from .world import SELLERS, World, schema_of

OUTSTANDING_MAX = 12
"""Documents on their way at a time: the storm measures faults, not the length of a queue."""
PAUSE_S = 0.35
TICKETS = 24
A_STATEMENT_EVERY = 6
_ENDED = """
    SELECT document_id, connection_id FROM dossier_api.delivery
    WHERE document_id = ANY($1) AND (state = ends_as OR state = 'booked')
"""
_FOR_A_PERSON = "SELECT id, connection_id, document_id, state FROM {}.delivery WHERE state IN ('review', 'failed')"
_NOT_LET_IN = "SELECT id FROM {}.connection WHERE state = 'reauthorise'"


@dataclass
class Tracked:
    """A document that was answered 2xx."""

    id: str
    document: HandedIn
    dossier: Dossier
    taken_at: float
    """By the monotonic clock, as the end."""
    ended_at: float | None = None

    @property
    def targets(self) -> list[Target]:
        return self.dossier.targets_of(self.document)


@dataclass
class Load:
    """What was handed in so far, and what became of it."""

    world: World
    consents: bool = True
    """Whether the person consents again where a connection is not let in."""
    documents: dict[str, Tracked] = field(default_factory=dict)
    """By id."""
    statements: int = 0
    sold: Decimal = Decimal(0)
    """All that tickets came to which were answered 2xx."""
    sales: int = 0
    """How often tickets were handed over and entered."""
    decided: Counter[str] = field(default_factory=Counter)
    """What a person did."""
    failures: list[BaseException] = field(default_factory=list)

    @property
    def outstanding(self) -> list[Tracked]:
        return [each for each in list(self.documents.values()) if each.ended_at is None]

    # ── the clients ──

    def take_in(self, document: HandedIn, dossier: Dossier) -> Tracked:
        """Hand one document in until it is answered."""
        headers = {"Content-Type": document.media_type, "Idempotency-Key": document.key}
        path = f"/dossier-api/v1/dossiers/{dossier.id}/documents"
        answer = self.world.ask("POST", path, content=document.content, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        tracked = Tracked(str(answer.json()["id"]), document, dossier, time.monotonic())
        self.documents[tracked.id] = tracked
        return tracked

    def next_document(self, number: int) -> tuple[HandedIn, Dossier]:
        """Return the document of this number: an invoice of one dossier or the other, now and then a statement of the first."""
        if number % A_STATEMENT_EVERY == 0:
            self.statements += 1
            return statement_of(self.statements), self.world.dossiers[0]
        place = number % len(self.world.dossiers)
        return invoice_of(f"SOAK-{number:05d}", SELLERS[place]), self.world.dossiers[place]

    def _hand_in(self, stop: threading.Event) -> None:
        number = 0
        while not stop.wait(PAUSE_S):
            if len(self.outstanding) < OUTSTANDING_MAX:
                self.take_in(*self.next_document(number))
                number += 1

    def _sell_again(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE_S * 4):
            self.sell()

    def sell(self) -> None:
        """Hand over tickets of today, the first half twice as a till does that missed the answer, and have them entered.

        Of today: an earlier week would be closed by itself, in the middle of the soak.
        """
        now = utc_now()
        series = f"-{self.sales}"
        tickets = [_paid_by_card(each) for each in tickets_of("kassa", brussels_date(now), TICKETS, now, series=series)]
        path = f"/pos-ingest/v1/dossiers/{self.world.dossiers[0].id}/tickets"
        for batch in (tickets[: TICKETS // 2], tickets[TICKETS // 2 :], tickets[: TICKETS // 2]):
            answer = self.world.ask("POST", path, json=batch)
            assert answer.is_success, answer.text
            assert {each["status"] for each in answer.json()} <= {"accepted", "duplicate"}, answer.text
        finished = self.world.ask("POST", f"{self.world.receipt_book}/days/{brussels_date(now)}/finish")
        assert finished.is_success, finished.text
        self.sold += sum((Decimal(each["totalInclVat"]) for each in tickets), Decimal(0))
        self.sales += 1

    def close_the_book(self) -> None:
        """Close the receipt book; what that makes are documents as well."""
        if self.sales:
            through = brussels_date(utc_now()).isoformat()
            closed = self.world.ask("POST", f"{self.world.receipt_book}/close", json={"through": through})
            assert closed.is_success, closed.text

    # ── who looks ──

    def look(self) -> None:
        """Note which documents have ended at each of their targets."""
        waiting = {each.id: each for each in self.outstanding}
        if not waiting:
            return
        ended: dict[str, set[str]] = {}
        for row in self.world.rows(_ENDED, list(waiting)):
            ended.setdefault(str(row["document_id"]), set()).add(str(row["connection_id"]))
        now = time.monotonic()
        for document_id, connections in ended.items():
            if connections >= {target.connection_id for target in waiting[document_id].targets}:
                waiting[document_id].ended_at = now

    def decide(self) -> None:
        """Do what only a person may: look for a mail that may have arrived, consent again, try again what has failed."""
        for service in installed_services().values():
            if service.kind != "connector":
                continue
            schema = schema_of(service.name)
            for row in self.world.rows(_FOR_A_PERSON.format(schema)):
                self._decide_on(service.name, row)
            for row in self.world.rows(_NOT_LET_IN.format(schema)) if self.consents else ():
                self._consent(service.name, str(row["id"]))

    def _decide_on(self, connector: str, row: Any) -> None:
        tracked = self.documents.get(str(row["document_id"]))
        target = next(each for each in self.world.targets if each.connection_id == str(row["connection_id"]))
        path = f"/{connector}/v1/deliveries/{row['id']}"
        if row["state"] == "failed":
            self.world.ask("POST", f"{path}/retry")
            self.decided["tried again"] += 1
        elif isinstance(target, Mailbox) and tracked is not None:
            is_there = target.held([tracked.document])[tracked.document.key] > 0
            self.world.ask("POST", f"{path}/resolve", json={"decision": "booked" if is_there else "resend"})
            self.decided["found the mail" if is_there else "sent the mail again"] += 1

    def _consent(self, connector: str, connection_id: str) -> None:
        shown = self.world.ask("GET", f"/{connector}/v1/connections/{connection_id}").json()
        if address := shown.get("authorize_url"):
            try:
                httpx2.get(address, follow_redirects=True, timeout=10, trust_env=False)
            except httpx2.HTTPError:
                return
            self.decided["consented again"] += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep documents and tickets coming for as long as the block lasts; what goes wrong in it is raised at its end."""
        with self.watched(), self._threads(self._hand_in, self._sell_again):
            yield

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep looking, and deciding, for as long as the block lasts."""

        def each(what: Callable[[], None], every_s: float) -> Callable[[threading.Event], None]:
            def again(stop: threading.Event) -> None:
                while not stop.wait(every_s):
                    what()

            return again

        with self._threads(each(self.look, 0.25), each(self.decide, 1.0)):
            yield

    @contextmanager
    def _threads(self, *work: Callable[[threading.Event], None]) -> Iterator[None]:
        stop = threading.Event()

        def kept(what: Callable[[threading.Event], None]) -> None:
            try:
                what(stop)
            except BaseException as error:
                self.failures.append(error)

        threads = [threading.Thread(target=kept, args=(what,), daemon=True) for what in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(300)
        if self.failures:
            raise self.failures[0]


def books_of(world: World) -> list[Books]:
    """Return the books of every dossier at every vendor."""
    return [target for target in world.targets if isinstance(target, Books)]


def _paid_by_card(ticket: dict[str, Any]) -> dict[str, Any]:
    # Cash is rounded to five cents; without it all that was sold is all that is in the book.
    payment = {"amount": ticket["totalInclVat"], "paymentMethodType": 5, "paymentMethodName": "Bancontact"}
    return {**ticket, "payments": [payment]}

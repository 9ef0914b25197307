"""What must hold after any storm: I1 to I6, the partner's events, and the sealed book. Each violation names its document."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import koppel_receipts
from koppel_mesh.broker import dead_queue_of, depth
from koppel_mesh.service import installed_services
from tests.bank_statements import EACH_ADDS, OPENING_BALANCE
from tests.every_target import TAKE_STATEMENTS, Books

from .catalogue import rules_of
from .load import Load, Tracked, books_of
from .messages import Tap
from .world import World, schema_of

QUIET_WITHIN_S = 180.0
_HOME = "SELECT document_id, connection_id, state, ends_as FROM dossier_api.delivery WHERE document_id = ANY($1)"
_RECEIPTS = "SELECT id, number FROM dossier_api.document WHERE dossier_id = $1 AND kind = 'daily_receipts'"
_PENDING_HAND_INS = "SELECT id FROM pos_ingest.hand_in WHERE document_id IS NULL"
_UNDELIVERED = "SELECT event_id FROM webhooks.delivery WHERE due_at IS NOT NULL"


# ── until it is quiet ──


def until_quiet(load: Load, within_s: float = QUIET_WITHIN_S) -> str:
    """Wait until nothing moves any more; return what still did when the time was over, empty when nothing."""
    end = time.monotonic() + within_s
    while reason := _moving(load):
        if time.monotonic() > end:
            return reason
        time.sleep(0.5)
    return ""


def _moving(load: Load) -> str:
    world = load.world
    if load.outstanding:
        return (
            f"{len(load.outstanding)} documents are on their way, the first of them {load.outstanding[0].document.key}"
        )
    for name, service in installed_services().items():
        if service.lineages and world.rows(f"SELECT FROM {schema_of(name)}.outbox LIMIT 1"):
            return f"the outbox of {name} is not empty"
    if world.rows(_PENDING_HAND_INS):
        return "a closed period is not handed in"
    if world.rows(_UNDELIVERED):
        return "an event waits for the partner"
    if missing := [number for number, _ in _unheld_receipts(load)]:
        return f"the invoice {missing[0]} of the book is not in all books"
    return ""


def _unheld_receipts(load: Load) -> list[tuple[str, Books]]:
    world = load.world
    dossier = world.dossiers[0]
    numbers = [str(row["number"]) for row in world.rows(_RECEIPTS, dossier.id)]
    held = {
        books.connector: Counter(e.document_number for e in books.vendor.entries(books.company))
        for books in dossier.books
    }
    return [(number, books) for number in numbers for books in dossier.books if not held[books.connector][number]]


# ── what must hold ──


def violations(load: Load, tap: Tap, still_moving: str) -> list[str]:
    """Return a sentence for everything that does not hold; it begins with the invariant."""
    checks: Sequence[Callable[[Load, Tap], Iterator[str]]] = (_i1, _i2, _i3, _i4, _i5, _i6, _partner, _sealed_book)
    found = [f"quiet: {still_moving}"] if still_moving else []
    return found + [sentence for check in checks for sentence in check(load, tap)]


def _i1(load: Load, _: Tap) -> Iterator[str]:
    """Each document ends at each of its targets, and its home knows."""
    home = {
        (str(row["document_id"]), str(row["connection_id"])): row
        for row in load.world.rows(_HOME, list(load.documents))
    }
    for each in load.documents.values():
        for target in each.targets:
            row = home.get((each.id, target.connection_id))
            if row is None or row["state"] not in ("booked", row["ends_as"]):
                state = "no delivery" if row is None else row["state"]
                yield f"I1: {_name(each)} has not ended at {target.connector}: {state}"


def _i2(load: Load, _: Tap) -> Iterator[str]:
    """Each target holds each document once."""
    for dossier in load.world.dossiers:
        for target in dossier.targets:
            mine = [each for each in load.documents.values() if each.dossier is dossier and target in each.targets]
            held = target.held([each.document for each in mine])
            for each in mine:
                if each.document.key in held and held[each.document.key] != 1:
                    yield f"I2: {_name(each)} is {held[each.document.key]} times at {target.connector}"
    for books in books_of(load.world):
        if books.connector in TAKE_STATEMENTS and books in load.world.dossiers[0].targets:
            expected = OPENING_BALANCE + EACH_ADDS * load.statements
            if load.statements and books.balance() != expected:
                yield f"I2: the account at {books.connector} stands at {books.balance()}, its statements lead to {expected}"


def _i3(load: Load, _: Tap) -> Iterator[str]:
    """Nothing leaves without its row."""
    world = load.world
    for driver in world.vendors.drivers:
        attempts = _count(world, driver.connector)
        if (calls := driver.call_count()) > attempts:
            yield f"I3: the vendor of {driver.connector} saw {calls} calls, its sync log holds {attempts}"
    mails = len(world.vendors.mail.get("_control/mails").json())
    by_mail = sum(_count(world, name) for name in ("billmail", "connector-octopus"))
    if mails > by_mail:
        yield f"I3: {mails} mails came, the sync logs hold {by_mail}"


def _count(world: World, connector: str) -> int:
    return int(world.rows(f"SELECT count(*) FROM {schema_of(connector)}.attempt")[0][0])


def _i4(load: Load, _: Tap) -> Iterator[str]:
    """No refresh token is used again once its successor is in use, and no connection has lost its login."""
    calls = load.world.vendor("connector-exact").control("token_calls")
    for call in calls:
        if call.get("though_replaced"):
            yield f"I4: a spent refresh token was used again at {call['at']:.1f} although its successor was in use"
    for target in load.world.targets:
        schema = schema_of(target.connector)
        (row,) = load.world.rows(f"SELECT state FROM {schema}.connection WHERE id = $1", target.connection_id)
        if row["state"] not in ("connected", "degraded"):
            yield f"I4: the connection {target.connection_id} of {target.connector} is {row['state']}"


def _i5(load: Load, _: Tap) -> Iterator[str]:
    """No call beyond what the vendor grants: every 429 was one that the storm asked for."""
    for driver in load.world.vendors.drivers:
        refused = sum(1 for line in driver.http.get("_control/requests").json() if line["status"] == 429)
        asked_for = sum(int(str(rule["met"])) for rule in rules_of(driver) if rule["kind"] == "throttle")
        if refused > asked_for:
            yield f"I5: {driver.connector} called {refused - asked_for} times beyond the vendor's limits"


def _i6(load: Load, tap: Tap) -> Iterator[str]:
    """What was put aside is what the storm put there, and nothing lies in a dead queue."""
    world = load.world
    for name in tap.listeners:
        if (dead := asyncio.run(depth(world.amqp_url, dead_queue_of(name)))) > 0:
            yield f"I6: {dead} messages lie in the dead queue of {name}"
        aside = {bytes(row["body"]) for row in world.rows(f"SELECT body FROM {schema_of(name)}.quarantine")}
        if strange := aside - set(tap.poison):
            yield f"I6: {name} put a message aside that says something: {min(strange)[:200]!r}"


def _partner(load: Load, _: Tap) -> Iterator[str]:
    """The partner has had every event, in the order of its subject, and none says twice what happened once."""
    received = load.world.receiver.events
    recorded = _recorded(load.world)
    for event in recorded:
        if event["id"] not in received:
            yield f"webhooks: {event['type']} of {event['subject']} never came"
    happened = Counter(
        (event["type"], event["subject"], event["data"].get("delivery_id"))
        for event in recorded
        if event["type"] in ("document.received", "delivery.booked")
    )
    for (kind, subject, _delivery), times in happened.items():
        if times > 1:
            yield f"webhooks: {kind} of {_named(load, subject)} was told {times} times"
    told = {subject for kind, subject, _ in happened if kind == "document.received"}
    for each in load.documents.values():
        if each.id not in told:
            yield f"webhooks: {_name(each)} was never told"


def _recorded(world: World) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    after = ""
    while True:
        path = f"/webhooks/v1/events?limit=200{f'&after={after}' if after else ''}"
        page = world.ask("GET", path).json()
        events += [each for each in page["items"] if each["type"].startswith(("document.received", "delivery."))]
        after = page["next"] or ""
        if not after:
            return [
                each for each in events if each["type"] in ("document.received", "delivery.exported", "delivery.booked")
            ]


def _sealed_book(load: Load, _: Tap) -> Iterator[str]:
    """The chain of the receipt book is whole, and what is in it is what was sold; its invoices are in the books once."""
    if not load.sales:
        return
    export = load.world.ask("GET", f"{load.world.receipt_book}/export").content
    report = koppel_receipts.verify(export.splitlines())
    if report.broken is not None:
        yield f"receipts: entry {report.broken.seq}: {report.broken.message}"
    total = sum((Decimal(each) for each in report.running_totals.values()), Decimal(0))
    if total != load.sold:
        yield f"receipts: the book holds {total}, the till sold {load.sold}"
    dossier = load.world.dossiers[0]
    invoices = [str(row["number"]) for row in load.world.rows(_RECEIPTS, dossier.id)]
    for books in dossier.books:
        held = Counter(entry.document_number for entry in books.vendor.entries(books.company))
        for number in invoices:
            if held[number] != 1:
                yield f"receipts: the invoice {number} is {held[number]} times at {books.connector}"
    if len(set(invoices)) != len(invoices) or not invoices:
        yield f"receipts: the invoices of the book are {invoices}"


def _name(each: Tracked) -> str:
    return f"document {each.document.key} ({each.id})"


def _named(load: Load, document_id: str) -> str:
    found = load.documents.get(document_id)
    return _name(found) if found else f"document {document_id}"

"""The simulation of a quarter end claims as the database does and counts windows as they are; no firm waits for a large one."""

import heapq
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from bench.quarter_end.claiming import Connection, Due, FairClaims
from bench.quarter_end.firms import STARTS_AT, Firm, firms
from bench.quarter_end.simulation import simulate
from bench.quarter_end.vendors import VENDORS, Budget

from billmail.service import SERVICE
from koppel_connector.contract import Window
from koppel_connector.delivery.claims import claim
from koppel_connector.testing import Testbed, open_testbed

BATCH, CONNECTIONS, TURNS = 3, 6, 40
MAIL: dict[str, Any] = {"smtp_url": "smtp://127.0.0.1:9?security=none", "mail_from": "koppel@koppel.example"}


class Real:
    """The same connections as rows."""

    def __init__(self, testbed: Testbed) -> None:
        self.testbed = testbed
        self.ids: dict[str, UUID] = {}
        self.numbers: dict[UUID, int] = {}

    async def fill(self, connections: list[Connection]) -> None:
        for connection in connections:
            self.ids[connection.name] = connection_id = uuid4()
            await self.testbed.change(
                "INSERT INTO connection (id, dossier_id, firm_id, state, limit_scope, last_served_at) VALUES"
                f" ('{connection_id}', '{uuid4()}', '{uuid4()}', 'connected', '{connection_id}',"
                f" now() - interval '1 day' + interval '{connection.last_served} s')"
            )
            for number, at in enumerate(connection.arrivals):
                delivery_id = UUID(int=len(self.numbers) + 1)
                self.numbers[delivery_id] = number
                await self.testbed.change(
                    "INSERT INTO delivery (id, connection_id, firm_id, dossier_id, document_id, revision, operation, kind,"
                    f" state, due_at, remote_ref, remote_uuid) VALUES ('{delivery_id}', '{connection_id}', '{uuid4()}',"
                    f" '{uuid4()}', '{uuid4()}', 1, 'booking', 'sales_invoice', 'ready',"
                    f" now() - interval '1 hour' + interval '{at} s', 'KPL-{delivery_id}', '{uuid4()}')"
                )

    async def claim(self, free: int) -> dict[str, list[int]]:
        names = {connection_id: name for name, connection_id in self.ids.items()}
        batches = await claim(self.testbed.kit, free)
        self.testbed.kit.serving.update(batch.connection_id for batch in batches)
        found = {names[batch.connection_id]: [self.numbers[row.id] for row in batch.rows] for batch in batches}
        for place, name in enumerate(sorted(found)):
            # Those of one claim were served at one moment; which comes first the next time is left open, and so chosen here.
            served = f"clock_timestamp() + interval '{place} microseconds'"
            await self.testbed.change(f"UPDATE connection SET last_served_at = {served} WHERE id = '{self.ids[name]}'")
        return found

    async def release(self, name: str, sent: list[int], *, paused: bool) -> None:
        self.testbed.kit.serving.discard(self.ids[name])
        mine = f"connection_id = '{self.ids[name]}' AND state = 'sending'"
        for row in await self.testbed.rows(f"SELECT id FROM delivery WHERE {mine} ORDER BY id"):
            is_sent = self.numbers[row.id] in sent
            state, due = ("booked", "NULL") if is_sent else ("ready", "clock_timestamp()")
            await self.testbed.change(
                f"UPDATE delivery SET state = '{state}', due_at = {due}, lease_token = NULL, owner_id = NULL"
                f" WHERE id = '{row.id}'"
            )
        if paused:
            later = "clock_timestamp() + interval '1 hour'"
            await self.testbed.change(f"UPDATE connection SET not_before = {later} WHERE id = '{self.ids[name]}'")


async def test_the_claim_without_a_database_takes_what_the_database_takes(make_database: Callable[..., str]) -> None:
    chance = random.Random(5)
    made = [
        Connection(f"c{place}", sorted(chance.uniform(0, 3000) for _ in range(chance.randint(1, 12))), float(place))
        for place in range(CONNECTIONS)
    ]
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, claim_batch=BATCH, **MAIL) as testbed:
        real = Real(testbed)
        await real.fill(made)
        claims = FairClaims(made, BATCH)
        under_way: dict[str, tuple[Connection, list[Any]]] = {}
        now, taken = 10_000.0, 0
        for turn in range(TURNS):
            now += 10.0
            free = chance.randint(1, 3)
            batches = claims.claim(now, free)
            expected = {connection.name: [due.number for due in batch] for connection, batch in batches}
            assert await real.claim(free) == expected, f"turn {turn}"
            under_way |= {connection.name: (connection, batch) for connection, batch in batches}
            taken += len(batches)
            for name in chance.sample(sorted(under_way), chance.randint(0, len(under_way))):
                connection, batch = under_way.pop(name)
                # All of it is sent, or something comes in between and the rest is given back; now and then there is no budget.
                count = chance.choice((len(batch), len(batch), chance.randint(0, len(batch))))
                is_paused = chance.random() < 0.05
                for place, due in enumerate(batch[count:]):
                    give_back(connection, now + place / 1000, due.number)
                await real.release(name, [due.number for due in batch[:count]], paused=is_paused)
                claims.release(connection, now + 3600.0 if is_paused else 0.0)
        assert taken > CONNECTIONS


def give_back(connection: Connection, at: float, number: int) -> None:
    heapq.heappush(connection.again, Due(at, number))


def test_a_budget_is_the_windows_and_never_more() -> None:
    windows = (Window("minute", 6, 60), Window("day", 10, 86_400))
    budget = Budget(windows, STARTS_AT)
    taken = [budget.take(float(second), 2) for second in range(0, 130, 10)]
    assert [each is None for each in taken] == [True] * 3 + [False] * 3 + [True] * 2 + [False] * 5
    assert taken[3] == 60.0
    assert taken[-1] == (windows[1].ends_at(STARTS_AT) - STARTS_AT) / timedelta(seconds=1)


def test_every_document_is_sent_once_whatever_fails_on_the_way() -> None:
    exact = VENDORS[0]
    made = [firm for firm in firms(random.Random(2), 40, 4_000) if firm.vendor == "exact"]
    outcome = simulate(made, exact, 1, seed=3)
    assert {firm.name: len(outcome.waits[firm.name]) for firm in made} == {firm.name: firm.size for firm in made}
    assert max(outcome.a_minute.values()) <= len(made) * 60 / exact.calls


def test_a_small_firm_does_not_wait_for_a_large_one() -> None:
    small = Firm("small", "mail", [0.0] * 10)
    large = [Firm(f"large{number}", "mail", [0.0] * 2_000) for number in range(60)]
    alone, crowded = (simulate(of, VENDORS[2], 1, seed=1) for of in ([small], [*large, small]))
    assert max(crowded.waits["small"]) < max(alone.waits["small"]) + 120 < max(crowded.ended.values()) / 10

"""The promises a connector keeps by itself, as tests. Inherit, and give two fixtures: ``service`` and ``harness``.

* P1, booked once: repeated messages, answers that are lost, a late index, a worker killed between any two durable writes.
* P2, its half: a message that was taken and a delivery that was claimed survive the death of the worker. No broker or database
  stops here; that is ``tests/test_promises_process.py``.
* P3, its half: a delivery is closed by what stands in the vendor's books, if they can be read. The clock over ``exported`` is
  tried in ``tests/test_promises_mesh.py``.
* P4, one owner of a token pair: twenty tasks refresh once.
* P6, its half: a missing right speaks three languages and names who can fix it; the sync log holds no secret.

P5 and P7 need a second dossier and the whole mesh: ``tests/test_promises_mesh.py``, ``tests/test_openapi_isolation.py``.

Each scenario ends in the same invariants: every ready document ends in a terminal state, the vendor holds one booking per
delivery, it saw no call without a row, no spent token came back, no limit was exceeded.
"""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: ARG002, D102, S311

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from koppel_mesh.messages import DeliveryChanged, DeliveryState, DocumentReady
from koppel_mesh.service import Service

from .harness import Fault, VendorHarness
from .testbed import Testbed, open_testbed

ENDED = ("booked", "failed", "review", "superseded")
KILL_POINTS = (
    "after_claim_commit",
    "after_attempt_commit",
    "after_vendor_answer",
    "before_outcome_commit",
    "after_outcome_commit",
)


class ConnectorConformance:
    """What one connector promises; see the module."""

    service_path: str
    """``module:attribute`` or ``file.py:attribute`` of the service, for worker processes that are killed."""

    passes: tuple[int, ...] = (0, 1, 3)
    """So many calls or writes of one document a kill lets pass before it strikes; fewer where a document makes fewer."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "passes" in metafunc.fixturenames:
            metafunc.parametrize("passes", self.passes)

    # The two that every connector supplies: pytest cannot make a fixture abstract, so one that is missing fails every test.

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("give the connector's Service")

    @pytest.fixture
    def harness(self) -> VendorHarness:
        raise NotImplementedError("give the connector's vendor")

    @pytest.fixture
    def vendor_settings(self, harness: VendorHarness) -> dict[str, Any]:
        """Give settings that point the service at the harness."""
        return {}

    @pytest.fixture
    async def testbed(
        self,
        service: Service,
        harness: VendorHarness,
        vendor_settings: dict[str, Any],
        make_database: Callable[[], str],
    ) -> AsyncIterator[Testbed]:
        async with open_testbed(service, make_database(), **vendor_settings) as running:
            await harness.connect(running)
            yield running

    # -------------------------------------------------------------------------------------------------------- invariants

    def closed(self, testbed: Testbed) -> str:
        """Return the state that closes a delivery: ``exported`` where nothing can be read back."""
        return "booked" if testbed.kit.profile.reads_back else "exported"

    async def check_invariants(self, testbed: Testbed, harness: VendorHarness) -> None:
        """Check what every scenario must leave behind."""
        rows = await testbed.deliveries()
        closed = self.closed(testbed)
        assert all(row.state in (*ENDED, closed) for row in rows), [(row.state, row.problem) for row in rows]
        held = await harness.bookings()
        assert all(count == 1 for count in held.values()), f"booked more than once: {held}"
        booked = {row.remote_ref for row in rows if row.state == closed}
        assert booked <= set(held), f"said to be booked, and not there: {booked - set(held)}"
        attempts = (await testbed.rows("SELECT count(*) AS number FROM attempt"))[0].number
        seen = await harness.calls_seen()
        assert seen <= attempts, f"{seen} calls seen by the vendor, only {attempts} rows in the sync log"
        assert await harness.spent_tokens_used() == 0
        assert await harness.limits_broken() == 0

    async def _send(self, testbed: Testbed, harness: VendorHarness, number: int = 1) -> DocumentReady:
        event = testbed.ready(*harness.document(number))
        await testbed.hand(event)
        return event

    async def _booked(self, testbed: Testbed, harness: VendorHarness) -> list[Any]:
        await testbed.until_state(self.closed(testbed), "exported")
        await harness.process()
        rows = await testbed.until_state(self.closed(testbed))
        await self.check_invariants(testbed, harness)
        return rows

    async def _accounted_for(self, testbed: Testbed, harness: VendorHarness) -> None:
        """Wait until what may have acted was looked up; where nobody can look, it is a person's to say and not sent again."""
        if testbed.kit.profile.on_ambiguous != "review":
            await self._booked(testbed, harness)
            return
        await testbed.until_state(self.closed(testbed), "review")
        await self.check_invariants(testbed, harness)

    # ------------------------------------------------------------------------------------------------- the ordinary case

    async def test_a_document_is_booked_and_told(self, testbed: Testbed, harness: VendorHarness) -> None:
        await self._send(testbed, harness)
        row = (await self._booked(testbed, harness))[0]
        states = [event.state for event in await testbed.published() if isinstance(event, DeliveryChanged)]
        assert states[0] is DeliveryState.READY
        assert DeliveryState.EXPORTED in states
        assert states[-1] == self.closed(testbed)
        versions = [event.version for event in await testbed.published() if isinstance(event, DeliveryChanged)]
        assert versions == sorted(set(versions))
        if testbed.kit.profile.reads_back:
            assert row.entry_number

    async def test_the_same_message_a_hundred_times_shuffled(self, testbed: Testbed, harness: VendorHarness) -> None:
        events = [testbed.ready(*harness.document(number)) for number in range(3)]
        late = [event.model_copy(update={"again": True}) for event in events]
        messages = [*events * 30, *late * 4]
        random.Random(7).shuffle(messages)
        for start in range(0, len(messages), 17):
            await testbed.hand(*messages[start : start + 17])
        rows = await self._booked(testbed, harness)
        assert len(rows) == 3
        assert sum((await harness.bookings()).values()) == 3

    async def test_exporting_again_finds_it_and_doubles_nothing(self, testbed: Testbed, harness: VendorHarness) -> None:
        event = await self._send(testbed, harness)
        await self._booked(testbed, harness)
        again = testbed.ready(*harness.document(1), again=True)
        await testbed.hand(again.model_copy(update={"document_id": event.document_id}))
        rows = await self._booked(testbed, harness)
        phases = {row.phase for row in await testbed.rows("SELECT phase FROM attempt")}
        assert len(rows) == 1
        assert "lookup" in phases or testbed.kit.profile.on_ambiguous != "lookup"

    # --------------------------------------------------------------------------------------------- answers that never come

    @pytest.mark.parametrize(
        "fault",
        [Fault.ACTS_THEN_HANGS, Fault.ACTS_THEN_RESETS, Fault.ACTS_THEN_HALF_ANSWER, Fault.ACTS_THEN_ERROR],
    )
    async def test_acted_without_an_answer_is_looked_up(
        self, testbed: Testbed, harness: VendorHarness, fault: Fault
    ) -> None:
        await harness.fail(fault)
        await self._send(testbed, harness)
        await self._accounted_for(testbed, harness)
        lookups = await testbed.rows("SELECT 1 FROM attempt WHERE phase = 'lookup'")
        assert lookups or testbed.kit.profile.on_ambiguous != "lookup"

    async def test_an_index_that_is_late_is_waited_for(self, testbed: Testbed, harness: VendorHarness) -> None:
        await harness.index_late(0.15)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await self._send(testbed, harness)
        await self._accounted_for(testbed, harness)

    async def test_not_there_twice_is_sent_again(self, testbed: Testbed, harness: VendorHarness) -> None:
        if testbed.kit.profile.on_ambiguous != "lookup":
            # What such a vendor may hold is never sent again by itself; ``_accounted_for`` insists on that elsewhere.
            pytest.skip("the vendor cannot be searched, or takes the same twice as one")
        await harness.fail(Fault.RESETS)
        await self._send(testbed, harness)
        await self._booked(testbed, harness)
        lookups = await testbed.rows("SELECT started_at FROM attempt WHERE phase = 'lookup' ORDER BY id")
        assert len(lookups) >= 2
        assert (lookups[-1].started_at - lookups[0].started_at).total_seconds() >= testbed.kit.patience().settle_s

    @pytest.mark.parametrize("point", KILL_POINTS)
    async def test_killed_between_two_durable_writes(
        self,
        service: Service,
        harness: VendorHarness,
        vendor_settings: dict[str, Any],
        make_database: Callable[[], str],
        point: str,
        passes: int,
    ) -> None:
        """``passes``: the fault strikes at a later call or write of the same way."""
        database_url = make_database()
        async with open_testbed(service, database_url, start=False, **vendor_settings) as testbed:
            await harness.connect(testbed)
            await self._send(testbed, harness)
            await self._kill_at(testbed, point, passes)
            # What time would do: the dead worker's claim and its call's deadline pass.
            await testbed.change("UPDATE delivery SET lease_until = clock_timestamp() WHERE lease_token IS NOT NULL")
            await testbed.change("UPDATE attempt SET deadline_at = clock_timestamp() WHERE finished_at IS NULL")
            testbed.start()
            await self._accounted_for(testbed, harness)

    async def _kill_at(self, testbed: Testbed, point: str, passes: int) -> None:
        """Run a worker that dies at ``point``; only where it lets it pass at first may it come to the end instead."""
        settings = testbed.context.settings
        given = {
            f"KOPPEL_{name.upper()}": _as_environment(getattr(settings, name)) for name in settings.model_fields_set
        }
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "koppel_connector.testing.worker",
            self.service_path,
            env={**os.environ, **given, "KOPPEL_FAULT": f"{point}:exit:{passes}"},
            stdin=asyncio.subprocess.PIPE,
        )

        async def over() -> bool:
            if worker.returncode is not None or passes == 0:
                return worker.returncode is not None
            return all(row.state in (*ENDED, self.closed(testbed)) for row in await testbed.deliveries())

        try:
            await testbed.until(over, "the worker dies, or comes to the end")
            assert worker.returncode in (None, 137)
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()

    # --------------------------------------------------------------------------------------------------- definite refusals

    async def test_throttled_spends_no_attempt(self, testbed: Testbed, harness: VendorHarness) -> None:
        await harness.fail(Fault.THROTTLES)
        await self._send(testbed, harness)

        async def held_back() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM attempt WHERE outcome = 'throttled'"))

        await testbed.until(held_back, "the vendor's refusal is in the sync log")
        await harness.repair()
        await self._let_time_pass(testbed)
        rows = await self._booked(testbed, harness)
        assert rows[0].failures == 0

    async def test_an_access_token_refused_early_is_not_given_up(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        if testbed.kit.vault is None and testbed.kit.sessions is None:
            # Without a token or a session there is no access to lose, and no way for the harness to take it away.
            pytest.skip("the vendor gives nothing that could be refused early")
        await harness.fail(Fault.UNAUTHORISED)
        await self._send(testbed, harness)

        async def refused() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM attempt WHERE http_status = 401"))

        await testbed.until(refused, "the refusal is in the sync log")
        await harness.repair()

        async def goes_on() -> bool:
            await self._let_time_pass(testbed)
            return (await testbed.deliveries())[0].state in ("exported", "booked")

        await testbed.until(goes_on, "the delivery goes on with another token")
        await self._booked(testbed, harness)

    async def test_a_missing_right_waits_for_a_person(self, testbed: Testbed, harness: VendorHarness) -> None:
        await harness.fail(Fault.FORBIDS, times=1000)
        await self._send(testbed, harness)
        row = (await testbed.until_state("blocked"))[0]
        assert row.failures == 0
        assert set(row.problem["message"]) == {"nl", "fr", "en"}
        assert row.problem["who_can_fix"] in ("accountant", "entrepreneur", "operator", "partner", "koppel")
        await harness.repair()
        await testbed.change("UPDATE connection SET unblocked_at = clock_timestamp()")
        await self._booked(testbed, harness)

    async def _let_time_pass(self, testbed: Testbed) -> None:
        """Let every wait be over: windows, pauses, and the vendor's minimum between refreshes."""
        await testbed.change(
            "WITH held AS (SELECT FROM rate_window ORDER BY scope, name FOR UPDATE)"
            " UPDATE rate_window SET ends_at = clock_timestamp() WHERE (SELECT count(*) FROM held) > 0"
        )
        await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state IN ('ready', 'unknown')")

    # ---------------------------------------------------------------------------------------------------- what is kept

    async def test_the_sync_log_holds_no_secret(self, testbed: Testbed, harness: VendorHarness) -> None:
        await self._send(testbed, harness)
        await self._booked(testbed, harness)
        connection = (await testbed.rows("SELECT id FROM connection"))[0]
        secrets: list[str] = []
        for row in await testbed.rows("SELECT id, secrets FROM connection WHERE secrets IS NOT NULL"):
            secrets += testbed.kit.keys.open(row.id, bytes(row.secrets)).values()
        for token in await testbed.rows("SELECT connection_id, ciphertext FROM oauth_token"):
            secrets += testbed.kit.keys.open(connection.id, bytes(token.ciphertext)).values()
        assert secrets or testbed.kit.vault is None, "without a secret to look for this would prove nothing"
        rows = await testbed.rows("SELECT request, response, message FROM attempt")
        said = "\n".join(str(part) for row in rows for part in row if part)
        assert said
        assert not [secret for secret in secrets if secret and secret in said]

    async def test_twenty_tasks_refresh_once(self, testbed: Testbed, harness: VendorHarness) -> None:
        vault = testbed.kit.vault
        if vault is None:
            # One with a password, or with nothing, holds no grant that two could spend at once (P4).
            pytest.skip("the vendor has no tokens")
        connection = (await testbed.rows("SELECT id FROM connection"))[0]
        before = (await testbed.rows("SELECT version FROM oauth_token"))[0].version
        await testbed.change("UPDATE oauth_token SET obtained_at = obtained_at - interval '1 day'")
        await testbed.change("UPDATE oauth_token SET access_expires_at = access_expires_at - interval '1 day'")
        vault.forget(connection.id)
        grants = await asyncio.gather(*(vault.grant_for(connection.id) for _ in range(20)))
        assert {grant.version for grant in grants} == {before + 1}
        assert len({grant.access_token for grant in grants}) == 1
        assert await harness.spent_tokens_used() == 0


def _as_environment(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(_as_environment(item) for item in value)
    reveal = getattr(value, "get_secret_value", None)
    return str(reveal() if reveal else value)

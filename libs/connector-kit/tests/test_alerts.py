"""Each alert of a connector: something is the matter, the alert would fire; what its runbook says is done, and it is over.

The runbooks stand in docs/operating.md under the alerts' names. Time is changed by hand, in the rows.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest

from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.connection import monitoring
from koppel_connector.connection.maintenance import keep_alive
from koppel_connector.contract import Window
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.telemetry.metrics import exposition

from .paper_connector import ME, SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor
from .test_vault import grow_old
from .test_windows import limited, of, open_one

NAME, SCHEMA = "connector-paper", "connector_paper"
Trouble = Callable[[Testbed, httpx2.AsyncClient], AbstractAsyncContextManager[None]]


def sql(trouble: str, mend: str) -> Trouble:
    """Return a trouble that begins and ends by rows."""

    @asynccontextmanager
    async def during(testbed: Testbed, client: httpx2.AsyncClient) -> AsyncIterator[None]:
        await testbed.change(trouble)
        yield
        await testbed.change(mend)

    return during


def mended(trouble: str, path: str, **body: object) -> Trouble:
    """Return a trouble that a person ends over HTTP; ``path`` may name the ``{delivery}`` and the ``{connection}``."""

    @asynccontextmanager
    async def during(testbed: Testbed, client: httpx2.AsyncClient) -> AsyncIterator[None]:
        await testbed.change(trouble)
        yield
        (row,) = await testbed.deliveries()
        answer = await client.post(path.format(delivery=row.id, connection=row.connection_id), json=body or None)
        assert answer.is_success, answer.text

    return during


@asynccontextmanager
async def _no_process_works(testbed: Testbed, client: httpx2.AsyncClient) -> AsyncIterator[None]:
    await testbed.stop()
    await testbed.change("UPDATE delivery SET state = 'ready', due_at = now() - interval '1 hour'")
    yield
    testbed.start()


@asynccontextmanager
async def _nobody_renews(testbed: Testbed, client: httpx2.AsyncClient) -> AsyncIterator[None]:
    await testbed.change(
        "UPDATE oauth_token SET refresh_expires_at = now() + interval '1 day', next_refresh_at = now()"
    )
    yield
    await keep_alive(testbed.context)


GIVEN_UP = "UPDATE notice SET handled_at = now() WHERE handled_at IS NULL AND due_at IS NULL"
TROUBLES: dict[str, Trouble] = {
    "KoppelDeliveriesWait": _no_process_works,
    "KoppelOutcomeUnknown": sql(
        "UPDATE delivery SET state = 'unknown', unknown_since = now() - interval '1 hour', due_at = now() + interval '1 hour'",
        "UPDATE delivery SET due_at = now()",
    ),
    "KoppelExportedNotBooked": sql(
        "UPDATE delivery SET state = 'exported', exported_at = now() - interval '4 days', due_at = now() + interval '1 hour'",
        "UPDATE delivery SET due_at = now()",
    ),
    "KoppelPeopleAreWaitedFor": mended(
        "UPDATE delivery SET state = 'review', due_at = NULL",
        "/v1/deliveries/{delivery}/resolve",
        decision="booked",
        entry_number="42",
    ),
    "KoppelVendorAway": mended(
        "UPDATE connection SET away_since = now() - interval '1 hour', probe_at = now() + interval '1 hour'",
        "/v1/connections/{connection}/check",
    ),
    "KoppelBreakerOpen": sql(
        """INSERT INTO error_budget (scope, endpoint, errors, window_ends_at, open_until)
        VALUES ('books', 'bookings', 9, now() + interval '1 hour', now() + interval '1 hour')""",
        "UPDATE error_budget SET open_until = now(), window_ends_at = now()",
    ),
    "KoppelConsentLapses": _nobody_renews,
    "KoppelSecretsUnderOldKey": sql(
        "UPDATE oauth_token SET key_id = 'old-' || key_id", "UPDATE oauth_token SET key_id = substr(key_id, 5)"
    ),
    "KoppelNoticesOpen": sql(
        """INSERT INTO notice (id, address, notice_id, content, due_at, problem)
        VALUES (gen_random_uuid(), 'books', '1', '', NULL, 'unreadable')""",
        GIVEN_UP,
    ),
}
SAYS = {
    "KoppelDeliveriesWait": ("does the log say `batch failed`?", "start more processes or raise `KOPPEL_WORKERS`"),
    "KoppelOutcomeUnknown": ("Koppel searches again by itself and sends only what is not found",),
    "KoppelExportedNotBooked": ("Once it is in the books, the next read-back sees it.",),
    "KoppelPeopleAreWaitedFor": ("a person of the office answers, retries or resolves",),
    "KoppelVendorAway": ("To end the pause of one connection at once: `POST /{connector}/v1/connections/{id}/check`",),
    "KoppelBreakerOpen": ("One probe closes the breaker after `open_until`.",),
    "KoppelConsentLapses": ("the log says `keep-alive postponed` and why",),
    "KoppelSecretsUnderOldKey": ("Do not remove the old key yet",),
    "KoppelNoticesOpen": (GIVEN_UP.replace("notice ", "connector_exact.notice "),),
}
"""What of each runbook the test does, in its words."""
WITH_QUERY = {"KoppelExportedNotBooked", "KoppelBreakerOpen", "KoppelConsentLapses", "KoppelNoticesOpen"}


async def fires(testbed: Testbed, alert: Any) -> bool:
    await monitoring.measure(testbed.context)
    return bool(alert.fires(exposition()[0].decode()))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.alert(name, service=NAME)) for name in sorted(TROUBLES)]
)
async def test_what_the_runbook_says_ends_the_alert(
    testbed: Testbed, harness: PaperHarness, client: httpx2.AsyncClient, alert: Any, name: str
) -> None:
    await harness.connect(testbed)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    assert not await fires(testbed, alert)
    async with TROUBLES[name](testbed, client):
        assert await fires(testbed, alert)
        if name in WITH_QUERY:
            assert len(await testbed.rows(alert.query(connector=SCHEMA))) == 1
        alert.says(*SAYS[name])

    async def is_over() -> bool:
        return not await fires(testbed, alert)

    await testbed.until(is_over, f"{name} is over")


@pytest.mark.alert("KoppelVendorFails", service=NAME)
async def test_calls_that_fail_are_listed_and_go_again_once_the_vendor_is_back(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor, alert: Any
) -> None:
    await harness.connect(testbed)
    assert not await fires(testbed, alert)
    await vendor.refuse_connections()
    await testbed.deliver(testbed.ready(*harness.document(1)))

    async def is_firing() -> bool:
        return await fires(testbed, alert)

    await testbed.until(is_firing, "the alert fires")

    async def is_listed() -> bool:
        outcomes = {row.outcome for row in await testbed.rows(alert.query(connector=SCHEMA))}
        return bool(outcomes & {"not_sent", "unknown"})

    await testbed.until(is_listed, "the calls that failed are listed")
    alert.says("`not_sent` is the way to the vendor", "Koppel sends nothing twice meanwhile.")
    await vendor.accept_connections()
    await testbed.until_state("booked")
    await fires(testbed, alert)
    alert.window_passes()
    await testbed.deliver(testbed.ready(*harness.document(2)))
    await testbed.until_state("booked")
    assert not await fires(testbed, alert)
    assert len(vendor.ledger) == 2


@pytest.mark.alert("KoppelCallsRunOut", service=NAME)
async def test_windows_that_are_used_up_early_are_named_until_the_vendor_allows_more(
    monkeypatch: pytest.MonkeyPatch,
    vendor: PaperVendor,
    harness: PaperHarness,
    make_database: Callable[..., str],
    alert: Any,
) -> None:
    limited(monkeypatch, Window("minute", 100, 60), of("me", 10))
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        connection_id = await harness.connect(testbed)
        opened = await open_one(testbed, connection_id)
        assert not await fires(testbed, alert)
        for _ in range(6):
            await nearly_use(testbed, opened)
        assert await fires(testbed, alert)
        alert.says("Look at the label `window`, and at the health of the connections, which names it")
        assert 'koppel_window_warnings_total{service="connector-paper",window="me a day"}' in exposition()[0].decode()
        async with testbed.owner() as owner:
            shown = (await owner.get(f"/v1/connections/{connection_id}")).json()
        assert "of the 10 calls that Paper allows are used" in shown["health"]["warnings"][0]["message"]["en"]
        alert.says("or ask the vendor for a higher limit")
        alert.window_passes()
        await testbed.change("UPDATE rate_window SET capacity = 100 WHERE name = 'me a day'")
        for _ in range(6):
            await nearly_use(testbed, opened)
        assert not await fires(testbed, alert)


async def nearly_use(testbed: Testbed, opened: OpenVendor) -> None:
    """Have two calls made in a window of which seven are used."""
    await testbed.change("UPDATE rate_window SET used = CASE name WHEN 'me a day' THEN 7 ELSE 0 END")
    await opened.call(ME)


@pytest.mark.alert("KoppelTokensHardToKeep", service=NAME)
async def test_tokens_that_the_database_did_not_take_at_first_are_kept_once_it_does(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str], alert: Any
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        vault = testbed.kit.vault
        assert vault is not None
        assert not await fires(testbed, alert)
        await testbed.change("CREATE SEQUENCE stumbles")
        await testbed.change(
            "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('stumbles') % 2 = 1 THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$"
        )
        await testbed.change(
            "CREATE CONSTRAINT TRIGGER stumble AFTER UPDATE ON oauth_token DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION stumble()"
        )
        alert.says(
            "The process keeps the pair and tries again until it is stored; one that is never stored costs a new consent."
        )
        for version in (2, 3):
            await vault.grant_for(await forgotten(testbed))
            assert (await testbed.rows("SELECT version FROM oauth_token"))[0].version == version
        assert await fires(testbed, alert)
        alert.says("Do mend it first and end no process of the connector before: what it keeps, nobody else has.")
        await testbed.change("DROP TRIGGER stumble ON oauth_token")
        alert.window_passes()
        await vault.grant_for(await forgotten(testbed))
        assert not await fires(testbed, alert)
        assert vendor.spent_uses == 0


async def forgotten(testbed: Testbed) -> Any:
    """Let the access token be past its time; return the connection."""
    await testbed.change("ALTER TABLE oauth_token DISABLE TRIGGER USER")
    connection = await grow_old(testbed)
    await testbed.change("ALTER TABLE oauth_token ENABLE TRIGGER USER")
    return connection


@pytest.mark.alert("KoppelDeliveriesWait", service=NAME)
async def test_what_waits_for_an_earlier_statement_waits_for_no_worker(
    testbed: Testbed, harness: PaperHarness, alert: Any
) -> None:
    await harness.connect(testbed)
    await testbed.stop()
    for number in (1, 2):
        document, files = harness.document(number)
        await testbed.deliver(testbed.ready(document, files, sequence_key="account"))
    first, second = await testbed.deliveries()
    late = "UPDATE delivery SET due_at = now() - interval '1 hour' WHERE id = :id"
    await testbed.change("UPDATE delivery SET state = 'failed', due_at = NULL WHERE id = :id", id=first.id)
    await testbed.change(late, id=second.id)
    assert not await fires(testbed, alert)
    await testbed.change("UPDATE delivery SET state = 'booked' WHERE id = :id", id=first.id)
    assert await fires(testbed, alert)
    alert.says("its connection is well, its turn has come", "start more processes")
    testbed.start()
    await testbed.until_state("booked")
    assert not await fires(testbed, alert)

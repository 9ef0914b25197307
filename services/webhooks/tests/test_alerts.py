"""The alert of webhooks: events are not sent, it fires; what its runbook says is done, and it is over."""

import re
from typing import Any

import pytest

from webhooks import monitoring

from .receiver import answers

pytestmark = pytest.mark.asyncio(loop_scope="module")
LATER = """UPDATE delivery SET due_at = due_at - interval '1 hour', postponed_since = postponed_since - interval '1 hour'
    WHERE due_at IS NOT NULL RETURNING 1"""


async def shown(hooks: Any) -> str:
    await monitoring.gauge_backlog(hooks.context)
    return str((await hooks.http.get("/metrics")).text)


def attempts(page: str, outcome: str) -> float:
    found = re.search(
        rf'^koppel_webhook_attempts_total{{outcome="{outcome}",service="webhooks"}} (.+)$', page, re.MULTILINE
    )
    return float(found[1]) if found else 0.0


async def until_postponed(hooks: Any) -> None:
    async def is_postponed() -> bool:
        return bool(await hooks.sql("SELECT 1 FROM delivery WHERE due_at IS NOT NULL AND postponed_since IS NOT NULL"))

    await hooks.until(is_postponed)


async def until_quiet(hooks: Any, alert: Any) -> None:
    """Let the loops work until the alert is over: a receiver knows an event before its outcome is recorded."""

    async def is_quiet() -> bool:
        return not alert.fires(await shown(hooks))

    await hooks.until(is_quiet)


@pytest.mark.alert("KoppelWebhooksWait", service="webhooks")
async def test_events_that_nobody_sends_are_sent_once_a_process_runs(hooks: Any, receivers: Any, alert: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    await partner.verified(receiver)
    assert not alert.fires(await shown(hooks))
    await hooks.deliver(partner.document())
    assert not alert.fires(await shown(hooks))
    assert len(await hooks.sql(LATER)) == 1
    page = await shown(hooks)
    assert alert.fires(page)
    alert.says("where nothing is counted, nobody sends")
    before = [attempts(page, outcome) for outcome in ("delivered", "retry", "postponed")]
    page = await shown(hooks)
    assert before == [attempts(page, outcome) for outcome in ("delivered", "retry", "postponed")]
    alert.says("Partners who wait can ask `GET /webhooks/v1/events`")
    assert len((await partner.get("/events"))["items"]) == 1
    alert.says("or start more processes of webhooks", "What waits is sent within seconds then.")
    await hooks.until(lambda: receiver.events)
    await until_quiet(hooks, alert)


@pytest.mark.alert("KoppelWebhooksWait", service="webhooks")
async def test_events_wait_for_identity_and_go_by_themselves_when_it_is_back(
    hooks: Any, receivers: Any, alert: Any
) -> None:
    partner, receiver = hooks.partner(), await receivers()
    await partner.verified(receiver)
    assert not alert.fires(await shown(hooks))
    hooks.identity.away = True
    await hooks.deliver(partner.document())
    await until_postponed(hooks)
    assert len(await hooks.sql(LATER)) == 1
    postponed = attempts(await shown(hooks), "postponed")

    async def is_recorded_again() -> bool:  # an outcome is recorded before the delivery is claimed anew
        return attempts(await shown(hooks), "postponed") > postponed + 1

    await hooks.until(is_recorded_again)  # each turn sets the next moment, and none the one since when it waits
    assert alert.fires(await shown(hooks))
    alert.says("many `postponed` say that identity is away")
    alert.says("mend what is away", "What waits is sent within seconds then.")
    hooks.identity.away = False
    await hooks.until(lambda: receiver.events)
    await until_quiet(hooks, alert)


async def test_what_waits_for_its_endpoint_waits_for_no_operator(hooks: Any, receivers: Any) -> None:
    """Not after identity was away either: the pause after a failed attempt is the endpoint's."""
    partner, receiver = hooks.partner(), await receivers()
    await partner.verified(receiver)
    hooks.identity.away = True
    await hooks.deliver(partner.document())
    await until_postponed(hooks)
    assert len(await hooks.sql(LATER)) == 1
    assert 'koppel_webhook_oldest_due_seconds{service="webhooks"} 0.0' not in await shown(hooks)
    hooks.identity.away = False
    receiver.behaviour = answers(500, b"")
    hooks.set(webhook_retry_schedule_s=(3600.0,))
    await hooks.until(lambda: receiver.of("document.received"))

    async def waits_for_its_endpoint() -> bool:
        # An hour, less a fifth at most.
        return bool(await hooks.sql("SELECT 1 FROM delivery WHERE due_at > now() + interval '45 minutes'"))

    await hooks.until(waits_for_its_endpoint)
    assert 'koppel_webhook_oldest_due_seconds{service="webhooks"} 0.0' in await shown(hooks)

"""The alert of statements: one is missing, it fires; what its runbook says is done, and it is over."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from connector_coda import monitoring
from koppel_mesh.messages import DocumentReady

from .conftest import Coda
from .samples import CURRENT, chain

LATER = "UPDATE document SET asked_at = asked_at - interval '8 days'"
Ending = Callable[[Coda, Any], AbstractAsyncContextManager[None]]


async def fires(service: Coda, alert: Any) -> bool:
    await monitoring.gauge_backlog(service.context)
    return bool(alert.fires((await service.http.get("/metrics")).text))


@asynccontextmanager
async def handed_in(service: Coda, alert: Any) -> AsyncIterator[None]:
    one, two, three = chain(3)
    await service.file(one)
    await service.gone()
    await service.file(three)
    yield
    alert.says("the owner hands the missing statement in")
    await service.file(two)


@asynccontextmanager
async def accepted(service: Coda, alert: Any) -> AsyncIterator[None]:
    one, _, three = chain(3)
    await service.file(one)
    await service.gone()
    await service.file(three)
    yield
    alert.says("or accepts the gap")
    body = {"after": 1, "before": 3, "reason": "verloren bij de bank"}
    answer = await service.call("POST", service.at(f"/accounts/{CURRENT}/accept-gap"), json=body)
    assert answer.is_success, answer.text


@pytest.mark.parametrize("ending", [handed_in, accepted])
@pytest.mark.alert("KoppelStatementsWait", service="connector-coda")
async def test_a_statement_that_is_missing_is_named_until_it_is_there_or_given_up(
    service: Coda, alert: Any, ending: Ending
) -> None:
    assert not await fires(service, alert)
    async with ending(service, alert):
        assert not await fires(service, alert)
        await service.sql(LATER)
        assert await fires(service, alert)
        alert.says("Look with `koppel accounts`, which names the missing numbers")
        (gap,) = (await service.accounts())[CURRENT]["gaps"]  # what the command shows
        assert gap["missing"] == [2]
    await service.work()
    assert len(await service.gone()) in {1, 2}
    assert not await fires(service, alert)


@pytest.mark.alert("KoppelStatementsWait", service="connector-coda")
async def test_where_nothing_is_missing_the_connection_that_does_not_answer_is_named(service: Coda, alert: Any) -> None:
    assert not await fires(service, alert)
    first, second = [await service.file(each) for each in chain(2)]
    (released,) = await service.published()
    assert isinstance(released, DocumentReady)
    await service.sql(LATER)
    assert await fires(service, alert)
    assert "gap" not in {account["state"] for account in (await service.accounts()).values()}
    alert.says("see a statement that does not go")
    (shown,) = await service.sql(alert.query_beside("A statement that does not go"))
    assert (shown["document_id"], shown["connection_id"]) == (first, service.connections[0])
    await service.answer(released)
    await service.work()
    assert await service.gone() == [second]
    assert not await fires(service, alert)

"""A connector's service takes further routes, loops and handlers, beside the kit's."""

from collections.abc import Callable

import pytest
from fastapi import APIRouter

from koppel_connector.service import HANDLERS, LOOPS, connector_service
from koppel_connector.testing import open_testbed
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.messages import DocumentChanged, DocumentReady
from koppel_mesh.service import Context, Loop

from .paper_connector import PaperConnector, PaperServiceSettings

router = APIRouter(prefix="/v1", tags=["agents"])


@router.get("/agents")
async def list_agents(context: CurrentContext) -> list[str]:
    return [context.resources.profile.name]


async def poll(_: Context) -> None:
    return


async def take_changes(*_: object) -> None:
    return


async def test_further_routes_loops_and_handlers_stand_beside_the_kits(make_database: Callable[..., str]) -> None:
    service = connector_service(
        PaperConnector(),
        settings=PaperServiceSettings,
        routers=[router],
        loops=[Loop("poll", poll, 1.0)],
        handlers={DocumentChanged: take_changes},
    )
    assert set(service.handlers) == {*HANDLERS, DocumentChanged}
    assert [loop.name for loop in service.loops] == [*(loop.name for loop in LOOPS), "poll"]
    async with open_testbed(service, make_database(service), start=False) as testbed, testbed.caller(None) as caller:
        assert (await caller.get("/v1/agents")).json() == ["connector-paper"]


def test_what_the_kit_does_itself_is_not_replaced() -> None:
    with pytest.raises(ValueError, match="connector-paper: the kit has its own sweeper, DocumentReady"):
        connector_service(PaperConnector(), loops=[Loop("sweeper", poll, 1.0)], handlers={DocumentReady: take_changes})

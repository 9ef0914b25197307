"""Reading back: at the vendor's pace over all processes, one look for many documents, and never at the cost of sending."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from koppel_connector.contract import ReadBackPace, Window
from koppel_connector.delivery.claims import claim_read_back
from koppel_connector.kit import Kit
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.runtime import open_context, open_resources

from .paper_connector import PaperConnector, PaperServiceSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

HALF_AN_HOUR_S = 1800.0


class SlowlyReadConnector(PaperConnector):
    """As a vendor that allows 48 looks a day."""

    profile = replace(PaperConnector.profile, read_back=ReadBackPace(at_most_every_s=HALF_AN_HOUR_S, batch=3))


class ApartConnector(PaperConnector):
    """As a vendor that counts looks at the books by themselves."""

    profile = replace(
        PaperConnector.profile,
        windows=(*PaperConnector.profile.windows, Window("looks", 48, 86_400, operations=frozenset({"books"}))),
    )


SLOWLY_READ = connector_service(SlowlyReadConnector(), settings=PaperServiceSettings)
APART = connector_service(ApartConnector(), settings=PaperServiceSettings)


@pytest.fixture
async def exported(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    """Give a connection with two exported documents; nothing reads back by itself."""
    async with open_testbed(SLOWLY_READ, make_database(SLOWLY_READ), paper_base_url=vendor.url, start=False) as testbed:
        await harness.connect(testbed)
        testbed.start(["deliveries"])
        await testbed.deliver(testbed.ready(*harness.document(1)), testbed.ready(*harness.document(2)))
        await testbed.until_state("exported")
        yield testbed


async def claimed(kit: Kit, **of: Any) -> int:
    batch = await claim_read_back(kit, **of)
    return len(batch.rows) if batch else 0


async def free(testbed: Testbed, *, read_back_ago_s: float = 0.0) -> None:
    """Give claims back, due now, and let the last look be so long ago."""
    await testbed.change("UPDATE delivery SET lease_token = NULL, lease_until = NULL, owner_id = NULL, due_at = now()")
    await testbed.change(
        "UPDATE connection SET read_back_at = clock_timestamp() - CAST(:ago_s AS float8) * interval '1 second'",
        ago_s=read_back_ago_s,
    )


async def test_all_processes_together_keep_the_pace(exported: Testbed) -> None:
    async with (
        open_context(SLOWLY_READ, exported.context.settings) as context,
        open_resources(context),
    ):
        other: Kit = context.resources
        for _ in range(5):
            taken = await asyncio.gather(*(claimed(kit) for kit in (exported.kit, other) * 3))
            assert sorted(taken) == [0, 0, 0, 0, 0, 2]
            await free(exported)
            assert await claimed(other) == 0, "what became free meanwhile waits for the next look"
            await free(exported, read_back_ago_s=HALF_AN_HOUR_S + 1)


async def test_a_probe_keeps_the_pace(exported: Testbed) -> None:
    (row,) = await exported.rows("SELECT id FROM connection")
    assert await claimed(exported.kit, probed=row.id) == 2
    await free(exported)
    assert await claimed(exported.kit, probed=row.id) == 0


async def test_what_falls_due_before_the_next_look_goes_along(exported: Testbed) -> None:
    first, second = (row.id for row in await exported.deliveries())

    async def due_in(delivery_id: UUID, wait_s: float, not_found: int = 0) -> None:
        await exported.change(
            "UPDATE delivery SET due_at = clock_timestamp() + CAST(:wait_s AS float8) * interval '1 second',"
            " not_found = :not_found WHERE id = :id",
            wait_s=wait_s,
            not_found=not_found,
            id=delivery_id,
        )

    async def looked_at() -> set[UUID]:
        batch = await claim_read_back(exported.kit)
        await free(exported, read_back_ago_s=HALF_AN_HOUR_S + 1)
        return {row.id for row in batch.rows} if batch else set()

    await due_in(second, HALF_AN_HOUR_S - 60)
    assert await looked_at() == {first, second}
    await due_in(second, HALF_AN_HOUR_S + 60)
    assert await looked_at() == {first}
    await due_in(second, 60, not_found=1)
    assert await looked_at() == {first}, "gone is what is not there twice, a settling time apart"
    await due_in(first, 60)
    await due_in(second, 60)
    assert await looked_at() == set(), "nothing is due yet"


async def test_a_look_is_for_a_batch(exported: Testbed, harness: PaperHarness) -> None:
    await exported.deliver(*(exported.ready(*harness.document(number)) for number in (3, 4, 5)))
    await exported.until_state("exported")
    assert await claimed(exported.kit) == 3
    assert await claimed(exported.kit) == 0


def test_a_pace_at_which_nothing_is_read_is_refused() -> None:
    with pytest.raises(ValueError, match="reads nothing back"):
        ReadBackPace(batch=0)


async def test_a_throttled_look_at_the_books_stops_no_sending(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    vendor.reading_is_throttled = True
    async with open_testbed(APART, make_database(APART), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(testbed.ready(*harness.document(1)))

        async def refused() -> list[Any]:
            return await testbed.rows("SELECT 1 FROM attempt WHERE phase = 'read_back' AND http_status = 429")

        await testbed.until(refused, "reading back is refused")
        await testbed.deliver(testbed.ready(*harness.document(2)))

        async def sent() -> bool:
            return [row.state for row in await testbed.deliveries()] == ["exported", "exported"]

        await testbed.until(sent, "the second document is sent while reading back has to wait")
        assert len(await refused()) == 1, "the window is known to be used up: nobody asks again before its end"
        assert not await testbed.rows("SELECT 1 FROM connection WHERE not_before > clock_timestamp()")

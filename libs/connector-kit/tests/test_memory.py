"""What a connection remembers of its vendor, and master data with Decimals, dates and bookyears."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from koppel_connector.calls.vendor import OpenVendor, open_vendor
from koppel_connector.connection.master_data import MasterDataCache
from koppel_connector.contract.json_values import decode, encode
from koppel_connector.contract.master_data import MasterRecord
from koppel_connector.contract.memory import Memory
from koppel_connector.testing import MemoryInProcess, Testbed
from koppel_mesh.clock import utc_now

from .paper_harness import PaperHarness

PERIODS = {"2026": [Decimal("1.10"), date(2026, 1, 31), datetime(2026, 1, 1, 8, tzinfo=UTC), None, True, {"open": 1}]}


async def opened(testbed: Testbed) -> OpenVendor:
    """Return the connection as another worker opens it, with nothing in its hands."""
    async with testbed.context.database.reading() as reading:
        (connection,) = await testbed.rows("SELECT id FROM connection")
        row = await testbed.kit.connections.read(reading, connection.id)
    assert row is not None
    testbed.kit.books = MasterDataCache(testbed.context.database)
    return await open_vendor(testbed.kit, row)


@pytest.fixture(params=["stored", "in process"])
async def memory(request: pytest.FixtureRequest, testbed: Testbed, harness: PaperHarness) -> AsyncIterator[Memory]:
    if request.param == "in process":
        yield MemoryInProcess()
        return
    await harness.connect(testbed)
    yield (await opened(testbed)).memory


async def test_what_is_remembered_comes_back_as_it_was_and_is_believed_for_a_while(memory: Memory) -> None:
    assert await memory.recall("periods") is None
    await memory.remember("periods", PERIODS, observed_at=utc_now() - timedelta(minutes=10))
    kept = await memory.recall("periods", 3600.0)
    assert kept is not None
    assert kept.value == PERIODS
    assert await memory.recall("periods", 60.0) is None, "too old to be believed"
    await memory.remember("periods", None)
    renewed = await memory.recall("periods", 60.0)
    assert renewed is not None
    assert renewed.value is None
    await memory.forget("periods")
    assert await memory.recall("periods") is None


async def test_a_value_that_would_not_come_back_is_refused_where_it_is_given(memory: Memory) -> None:
    with pytest.raises(TypeError, match=r"rates\['S'\]\[0\] is a float"):
        await memory.remember("rates", {"S": [0.21]})
    assert await memory.recall("rates") is None


async def test_another_worker_remembers_it_too(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.connect(testbed)
    await (await opened(testbed)).memory.remember("refused", {"code": "x"})
    kept = await (await opened(testbed)).memory.recall("refused", 60.0)
    assert kept is not None
    assert kept.value == {"code": "x"}


async def test_what_a_restore_wrote_is_not_recalled(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.connect(testbed)
    await (await opened(testbed)).memory.remember("not in the books", ["2026/1"])
    await testbed.change("CREATE TABLE dumped AS SELECT * FROM memory")
    await testbed.change("DELETE FROM memory")
    await testbed.change("INSERT INTO memory SELECT * FROM dumped")
    await testbed.change("DROP TABLE dumped")
    restored = (await opened(testbed)).memory
    assert await restored.recall("not in the books") is None
    assert await restored.recall("not in the books", outlives_restore=True) is not None
    await restored.remember("not in the books", [])
    assert await (await opened(testbed)).memory.recall("not in the books") is not None


async def test_what_was_observed_before_the_database_started_is_not_recalled(
    testbed: Testbed, harness: PaperHarness
) -> None:
    await harness.connect(testbed)
    (started,) = await testbed.rows("SELECT pg_postmaster_start_time() AS at")
    for moment, is_recalled in ((started.at - timedelta(seconds=1), False), (started.at + timedelta(seconds=1), True)):
        await (await opened(testbed)).memory.remember("not in the books", ["2026/1"], observed_at=moment)
        kept = await (await opened(testbed)).memory.recall("not in the books")
        assert (kept is not None) is is_recalled, moment


async def test_master_data_keeps_decimals_and_a_chart_for_each_year(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.connect(testbed)
    book = (await opened(testbed)).master_data
    for year, rate in ((2025, "6.5"), (2026, "7.5"), (None, "1")):
        await book.remember(MasterRecord("journal", "V1", "j1", f"Sales {year}", {"rate": Decimal(rate)}, year))
    for again in (book, (await opened(testbed)).master_data):
        names = [
            (again.get("journal", "V1", year) or MasterRecord("", "", "")).name for year in (2025, 2026, 2027, None)
        ]
        assert names == ["Sales 2025", "Sales 2026", "Sales None", "Sales 2026"]
        assert [line.data["rate"] for line in again.all("journal", 2026)] == [Decimal("7.5"), Decimal(1)]
        assert len(again.find("journal", "remote_id", "j1")) == 3


async def test_master_data_that_cannot_be_kept_is_named(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.connect(testbed)
    book = (await opened(testbed)).master_data
    with pytest.raises(TypeError, match=r"vat_code 21: data\['rate'\] is a float"):
        await book.remember(MasterRecord("vat_code", "21", "v", "", {"rate": 0.21}))


@pytest.mark.parametrize("value", [{"$decimal": "1"}, {"a": {"$date": "2026-01-01"}}, [1, "two", {"x": None}]])
def test_plain_json_of_before_is_read_as_it_is(value: Any) -> None:
    assert encode(decode(value), "x") == value

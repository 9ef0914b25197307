"""What follows from the declaration of a table: export, holdings, deletion in batches, the end of retention."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Date, DateTime, ForeignKey, LargeBinary, MetaData, Table, Text, Uuid, func, select, text
from sqlalchemy.dialects.postgresql import JSONB

from koppel_mesh.clock import brussels_date
from koppel_mesh.database import Database
from koppel_mesh.firm_data import Age, FirmData, Holding, brussels_day
from koppel_mesh.firm_data.export import held_of, holdings_of, lines_of
from koppel_mesh.firm_data.leaving import ask_for_deletion, delete_firm, delete_next_firm
from koppel_mesh.firm_data.retention import end_retention
from koppel_mesh.firm_data.statements import BATCH, PAGE_BYTES, years
from koppel_mesh.ids import new_id
from koppel_mesh.migrations import MESH, Lineage
from koppel_mesh.runtime import open_context
from koppel_mesh.service import Context, Service
from koppel_mesh.settings import MeshSettings
from koppel_mesh.tables import firm_deletion

models = MetaData()
paper = Table(
    "paper",
    models,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("issued_on", Date),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("sealed", LargeBinary),
    Column("busy", Text),
    Column("scan", LargeBinary),
    Column("details", JSONB),
)
note = Table(
    "note",
    models,
    Column("paper_id", Uuid, ForeignKey("paper.id"), primary_key=True),
    Column("place", Text, primary_key=True),
    Column("made_at", DateTime(timezone=True)),
)
THIS_YEAR = brussels_date(datetime.now(UTC)).year
HOLDINGS = FirmData(
    holdings=(
        Holding(
            note,
            "paper_id IN (SELECT id FROM paper WHERE firm_id = :firm_id)",
            since="(SELECT issued_on FROM paper WHERE paper.id = note.paper_id)",
        ),
        Holding(
            paper,
            "firm_id = :firm_id",
            since="issued_on",
            kept_because="a duty",
            withheld=("sealed",),
            blanked={"email": "NULL"},
            under_way="busy IS NOT NULL",
        ),
    )
)
SERVICE = Service("test-service", MeshSettings, lineages=(MESH, Lineage("test", Path(), models, firm_data=HOLDINGS)))


@pytest.fixture
async def context(database: Database, database_url: str) -> AsyncIterator[Context]:
    async with database.transaction() as tx:
        await tx.execute(text("DROP TABLE IF EXISTS note, paper"))
        await tx.run_sync(models.create_all)
    settings = MeshSettings(database_url=database_url, amqp_url="amqp://127.0.0.1:1", retention_years=10)
    async with open_context(SERVICE, settings) as made:
        yield made


async def add(context: Context, firm_id: UUID, *days: date | None, **more: Any) -> list[UUID]:
    """Add a paper of each day, with two notes."""
    made = [new_id() for _ in days]
    async with context.database.transaction() as tx:
        rows = [
            {"id": each, "firm_id": firm_id, "issued_on": day, "name": f"{day}", "email": "x@y.be", **more}
            for each, day in zip(made, days, strict=True)
        ]
        await tx.execute(paper.insert(), rows)
        notes = [{"paper_id": each, "place": place} for each in made for place in "ab"]
        await tx.execute(note.insert(), notes)
    return made


async def lines(context: Context, firm_id: UUID) -> list[dict[str, Any]]:
    found = b"".join([part async for part in lines_of(context.database, holdings_of(SERVICE), firm_id)])
    return [json.loads(line) for line in found.splitlines()]


async def names(context: Context) -> set[str]:
    async with context.database.reading() as reading:
        return {row.name for row in await reading.execute(paper.select())}


async def count(context: Context, table: Table) -> int:
    async with context.database.reading() as reading:
        return len((await reading.execute(table.select())).all())


async def completed_at(context: Context, firm_id: UUID) -> datetime | None:
    async with context.database.reading() as reading:
        found = await reading.execute(select(firm_deletion.c.completed_at).where(firm_deletion.c.firm_id == firm_id))
        return found.scalar_one()


async def turn_after(context: Context, firm_id: UUID, passed: str) -> timedelta:
    """Let time pass and the loop take the firm; return when it looks again."""
    moved = (
        "UPDATE firm_deletion SET (asked_at, completed_at, due_at) = (asked_at - age, completed_at - age, due_at - age)"
    )
    async with context.database.transaction() as tx:
        await tx.execute(text(f"{moved} FROM (SELECT CAST('{passed}' AS interval) AS age) AS passed"))
        await tx.execute(text("UPDATE firm_deletion SET due_at = now() WHERE due_at > now()"))
    assert await delete_next_firm(context)
    async with context.database.reading() as reading:
        due = select(firm_deletion.c.due_at - func.now()).where(firm_deletion.c.firm_id == firm_id)
        in_future: timedelta = (await reading.execute(due)).scalar_one()
    return timedelta(hours=round(in_future / timedelta(hours=1)))


async def before_deletion(context: Context, table: str, effect: str) -> None:
    """Have PostgreSQL do something in each statement that deletes of a table; the trigger goes with the table."""
    body = f"CREATE OR REPLACE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {effect}; RETURN NULL; END$$"
    async with context.database.transaction() as tx:
        await tx.execute(text(body))
        await tx.execute(
            text(f"CREATE TRIGGER meanwhile BEFORE DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION meanwhile()")
        )


async def test_an_export_has_all_of_one_firm_and_no_secret(context: Context) -> None:
    mine, other = new_id(), new_id()
    await add(context, mine, *[date(2026, 1, 1)] * (BATCH + 2), sealed=b"secret")
    await add(context, other, date(2026, 1, 1))
    found = await lines(context, mine)
    assert found[-1] == {"end": True, "rows": 3 * (BATCH + 2)} and len(found) == found[-1]["rows"] + 1
    papers = [line["row"] for line in found[:-1] if line["table"] == "paper"]
    assert {row["firm_id"] for row in papers} == {str(mine)} and not [row for row in papers if "sealed" in row]
    assert len({row["id"] for row in papers}) == BATCH + 2


async def test_an_export_holds_few_large_rows_at_a_time(context: Context) -> None:
    """By what a row is when it is written out: its files are hexadecimal then, and what is compressed in the table is not."""
    mine, third = new_id(), PAGE_BYTES // 3
    await add(context, mine, *[None] * (BATCH // 2))
    for large in ({"scan": b"s" * third}, {"name": "n" * third}, {"details": {"d": "d" * third}}):
        await add(context, mine, *[None] * 6, **large)
    await add(context, mine, None, sealed=b"s" * PAGE_BYTES * 4)
    await add(context, mine, None, scan=b"s" * PAGE_BYTES * 2)
    await add(context, mine, *[None] * (BATCH // 2))
    parts = [part async for part in lines_of(context.database, holdings_of(SERVICE), mine) if b'"paper"' in part[:20]]
    found = [[json.loads(line)["row"]["id"] for line in part.splitlines()] for part in parts]
    ids = [each for part in found for each in part]
    assert len(set(ids)) == len(ids) == BATCH + 3 * 6 + 2
    largest = max(parts, key=len)
    assert len(largest) > PAGE_BYTES * 4 and found[parts.index(largest)] == [ids[BATCH // 2 + 3 * 6 + 1]], "alone"
    assert max(len(part) for part in parts if part is not largest) < PAGE_BYTES * 1.3
    assert len(parts) < 20, "small rows go many at a time"


async def test_a_firm_that_leaves_keeps_what_a_duty_keeps(context: Context) -> None:
    mine, other = new_id(), new_id()
    await add(context, mine, date(THIS_YEAR - 10, 1, 1), date(THIS_YEAR - 11, 12, 31), None)
    await add(context, other, None)
    held = await held_of(context.database, holdings_of(SERVICE), mine, now=datetime.now(UTC), settings=context.settings)
    assert [(each.table, each.rows, each.kept, each.kept_until) for each in held] == [
        ("paper", 3, 1, date(THIS_YEAR, 12, 31)),
        ("note", 6, 0, None),
    ]
    done = await delete_firm(context, mine)
    assert done.is_complete and done.deleted == {"note": 6, "paper": 2}
    async with context.database.reading() as reading:
        left = (await reading.execute(paper.select().order_by(paper.c.firm_id))).all()
    assert [(row.firm_id, row.issued_on, row.email) for row in left] == [
        (mine, date(THIS_YEAR - 10, 1, 1), None),
        (other, None, "x@y.be"),
    ]
    again = await delete_firm(context, mine)
    assert again.is_complete and not again.deleted


async def test_nothing_goes_while_something_is_under_way(context: Context) -> None:
    mine = new_id()
    await add(context, mine, None)
    await add(context, mine, None, busy="sending")
    done = await delete_firm(context, mine)
    assert (done.is_complete, done.under_way, await count(context, paper)) == (False, {"paper": 1}, 2)
    async with context.database.transaction() as tx:
        await tx.execute(paper.update().values(busy=None))
    assert (await delete_firm(context, mine)).is_complete and await count(context, paper) == 0


async def test_the_loop_goes_on_where_a_process_was_killed(context: Context) -> None:
    """Asked for and never begun: the wish alone is enough. What comes later goes as well."""
    mine = new_id()
    await add(context, mine, *[None] * (BATCH + 1))
    assert not await delete_next_firm(context)
    await ask_for_deletion(context, mine, "operator")
    assert await delete_next_firm(context) and await count(context, paper) == 0
    assert not await delete_next_firm(context), "it looks again in an hour"
    await add(context, mine, None)
    async with context.database.transaction() as tx:
        await tx.execute(text("UPDATE firm_deletion SET due_at = now()"))
    assert await delete_next_firm(context) and await count(context, paper) == 0


async def test_of_two_turns_at_once_one_works_and_neither_says_too_much(context: Context) -> None:
    """Both see the same rows first: one that waited for those of the other found them gone, and took the table for empty."""
    mine = new_id()
    await add(context, mine, *[None] * (BATCH + 1))
    await before_deletion(context, "note", "PERFORM pg_sleep(0.3)")
    await ask_for_deletion(context, mine, "operator")

    async def turn() -> tuple[bool, int]:
        done = await delete_firm(context, mine)
        return done.is_complete, await count(context, note) + await count(context, paper)

    ended = await asyncio.gather(turn(), turn())
    assert sorted(is_complete for is_complete, _ in ended) == [False, True]
    assert [left for is_complete, left in ended if is_complete] == [0]
    assert await completed_at(context, mine), "the turn that did nothing must not say that something is left"


async def test_what_began_meanwhile_is_no_complete_deletion(context: Context) -> None:
    mine = new_id()
    await add(context, mine, None)
    await before_deletion(context, "note", "UPDATE paper SET busy = 'sending'")
    await ask_for_deletion(context, mine, "operator")
    done = await delete_firm(context, mine)
    assert (done.is_complete, await count(context, paper), await completed_at(context, mine)) == (False, 1, None)


async def test_a_row_that_comes_to_an_emptied_table_is_left_to_the_next_turn(context: Context) -> None:
    mine = new_id()
    [only] = await add(context, mine, None)
    await before_deletion(context, "paper", f"INSERT INTO note (paper_id, place) VALUES ('{only}', 'c')")
    await ask_for_deletion(context, mine, "operator")
    assert not (await delete_firm(context, mine)).is_complete
    async with context.database.transaction() as tx:
        await tx.execute(text("DROP TRIGGER meanwhile ON paper"))
    assert (await delete_firm(context, mine)).is_complete and await count(context, paper) == 0


async def test_a_deletion_is_complete_since_the_last_row_went(context: Context) -> None:
    mine = new_id()
    await ask_for_deletion(context, mine, "operator")
    assert (await delete_firm(context, mine)).is_complete
    first = await completed_at(context, mine)
    await delete_firm(context, mine)
    assert first and await completed_at(context, mine) == first
    await add(context, mine, None, busy="sending")
    assert not (await delete_firm(context, mine)).is_complete
    assert await completed_at(context, mine) is None, "rows are back, and stay for now"
    async with context.database.transaction() as tx:
        await tx.execute(paper.update().values(busy=None))
    assert (await delete_firm(context, mine)).is_complete
    again = await completed_at(context, mine)
    await add(context, mine, None)
    await delete_firm(context, mine)
    assert again and first < again < (await completed_at(context, mine) or first)


async def test_a_firm_is_looked_for_hourly_for_a_week_and_daily_from_then_on(context: Context) -> None:
    """A dead message may be replayed years later; a wish that is repeated, as after a restore, begins another week."""
    mine = new_id()
    await ask_for_deletion(context, mine, "operator")
    assert await turn_after(context, mine, "0 days") == timedelta(hours=1)
    assert await turn_after(context, mine, "6 days") == timedelta(hours=1)
    assert await turn_after(context, mine, "2 days") == await turn_after(context, mine, "400 days") == timedelta(days=1)
    await ask_for_deletion(context, mine, "operator")
    assert await turn_after(context, mine, "0 days") == timedelta(hours=1)
    assert await turn_after(context, mine, "400 days") == timedelta(days=1)
    await add(context, mine, None)
    assert await turn_after(context, mine, "400 days") == timedelta(hours=1), "what came back may not be alone"


async def test_a_firm_that_cannot_be_deleted_keeps_no_other_from_its_turn(context: Context) -> None:
    stuck, mine = new_id(), new_id()
    await add(context, mine, None)

    async def stop(_: Context, firm_id: UUID) -> None:
        if firm_id == stuck:
            raise RuntimeError("of this firm it fails")

    context.service = replace(SERVICE, firm_stops=(stop,))
    for each in (stuck, mine):
        await ask_for_deletion(context, each, "operator")
    with pytest.raises(RuntimeError, match="it fails"):
        await delete_next_firm(context)
    assert await delete_next_firm(context) and await count(context, paper) == 0


async def test_what_is_kept_goes_when_its_years_are_over(context: Context) -> None:
    """Of every firm, and with what refers to it; the last day of a year is still of that year."""
    mine = new_id()
    await add(context, mine, date(THIS_YEAR - 10, 1, 1), date(THIS_YEAR - 11, 12, 31), None)
    assert not await end_retention(context)
    assert await names(context) == {f"{THIS_YEAR - 10}-01-01", "None"}
    assert await count(context, note) == 4


async def test_of_two_pods_one_ends_retention(context: Context) -> None:
    """Both see the same rows first: one that waited found the notes gone, and papers to which others still referred."""
    await add(context, new_id(), *[date(THIS_YEAR - 11, 12, 31)] * (BATCH + 1))
    await before_deletion(context, "note", "PERFORM pg_sleep(0.3)")
    await asyncio.gather(end_retention(context), end_retention(context))
    assert (await count(context, note), await count(context, paper)) == (0, 0)


async def test_a_year_ends_at_midnight_in_brussels(context: Context) -> None:
    last_moment, next_year = datetime(2036, 12, 31, 22, 59, tzinfo=UTC), datetime(2036, 12, 31, 23, 0, tzinfo=UTC)
    assert [years(now, 10)["oldest_year"] for now in (last_moment, next_year)] == [2026, 2027]
    settings = MeshSettings(database_url="postgresql://unused", amqp_url="amqp://unused", retention_years=10)
    kept = {Holding(paper, "true").kept_until(date(2026, *day), settings) for day in ((1, 1), (12, 31))}
    assert kept == {date(2036, 12, 31)}
    async with context.database.reading() as reading:
        for moment, day in ((last_moment, date(2036, 12, 31)), (next_year, date(2037, 1, 1))):
            given = text(f"SELECT {brussels_day('CAST(:moment AS timestamptz)')}")
            assert (await reading.execute(given, {"moment": moment})).scalar_one() == day


def test_an_age_ends_what_its_years_would_keep() -> None:
    class Settings(MeshSettings):
        log_days: int = 730
        book_years: int = 12

    given = Settings(database_url="postgresql://unused", amqp_url="amqp://unused", retention_years=10)

    def kept_until(**declared: Any) -> date:
        return Holding(paper, "true", **declared).kept_until(date(2026, 11, 29), given)

    assert kept_until(goes_after=Age("log_days")) == date(2028, 11, 28)
    assert kept_until(goes_after=Age(7)) == date(2026, 12, 6)
    assert kept_until(goes_after=Age(4000)) == date(2036, 12, 31), "the shorter of the two"
    assert kept_until(goes_after=Age(7, only="others")) == date(2036, 12, 31)
    assert kept_until(ended_by="book_years") == date(2038, 12, 31)


def test_ids_of_a_year_are_not_below_its_first() -> None:
    first = years(datetime.now(UTC), 0)["oldest_id"]
    assert first < new_id() and years(datetime.now(UTC), -1)["oldest_id"] > new_id()
    assert (first.int >> 80) / 1000 == datetime(THIS_YEAR - 1, 12, 31, 23, 0, tzinfo=UTC).timestamp()

"""The data of one firm, row by row, and what a service holds of it by table."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from koppel_mesh.database import Database

from .holdings import Holding
from .statements import sql_of, years

if TYPE_CHECKING:
    from koppel_mesh.service import Service


@dataclass(frozen=True)
class Held:
    """What one table holds of a firm."""

    table: str
    rows: int
    kept: int
    """How many of them a duty keeps although the firm leaves."""
    kept_until: date | None
    """The last day on which one of those is kept."""
    kept_because: str


def holdings_of(service: "Service") -> list[Holding]:
    """Return the tables with rows of firms, in the order in which rows can be deleted: the service's own before the shared."""
    return [holding for lineage in reversed(service.lineages) for holding in lineage.firm_data.holdings]


async def lines_of(database: Database, holdings: Sequence[Holding], firm_id: UUID) -> AsyncIterator[bytes]:
    """Yield a line of JSON for each row of a firm, and a last one by which a reader knows that nothing is missing.

    A page is read at a time, of so many rows and so many bytes at most, each by a statement of its own: however slow the reader,
    no transaction stays open for it.
    """
    number = 0
    for holding in reversed(holdings):
        sql, values = sql_of(holding), {"firm_id": firm_id}
        statement = sql.first_page
        while True:
            async with database.reading() as reading:
                rows = await statement.all(reading, values)
            if not rows:
                break
            number += len(rows)
            yield "".join(f'{{"table":{json.dumps(holding.table.name)},"row":{row.row}}}\n' for row in rows).encode()
            last = rows[-1]
            values = {"firm_id": firm_id} | {f"after_{place}": last[name] for place, name in enumerate(holding.key)}
            statement = sql.next_page
    yield f'{{"end":true,"rows":{number}}}\n'.encode()


async def held_of(
    database: Database, holdings: Sequence[Holding], firm_id: UUID, *, now: datetime, settings: object
) -> list[Held]:
    """Return what each table holds of a firm, and how much of that is kept until when; nothing of empty ones."""
    found = []
    async with database.reading() as reading:
        for holding in reversed(holdings):
            asked = {"firm_id": firm_id, **years(now, holding.years_of(settings))}
            seen = await sql_of(holding).summary.one(reading, asked)
            until = holding.kept_until(seen.kept_since, settings) if seen.kept_since else None
            if seen.rows:
                found.append(Held(holding.table.name, seen.rows, seen.kept, until, holding.kept_because))
    return found

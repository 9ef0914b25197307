"""The SQL that follows from the declaration of a table."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, JSON, LargeBinary, String

from koppel_mesh.clock import BRUSSELS, brussels_date
from koppel_mesh.prepared_sql import Statement

from .holdings import Holding

PAGE_BYTES = 1 << 20
"""About how many the rows of a page are as JSON; one that is larger than that is a page of its own."""
BATCH = 500
"""Rows that one statement reads or deletes: one of thousands would hold its locks for seconds."""


@dataclass(frozen=True)
class HoldingSql:
    """What is asked of one table. Each takes ``firm_id`` and ``years``, but ``end``, which is of every firm."""

    first_page: Statement
    """``row`` is JSON without what is secret; the columns of the key are what ``next_page`` takes as ``after_0`` …"""
    next_page: Statement
    summary: Statement
    """``rows``, ``kept``, and ``kept_since``: the newest day that keeps one."""
    under_way: Statement | None
    leave: Statement
    """Deletes a batch of what no duty keeps; answers the ``number``."""
    blank: Statement | None
    is_left: Statement | None
    """Whether there is a row that ``leave`` or ``blank`` would take, or will once it is not under way: ``found``."""
    end: Statement | None
    """Deletes a batch of what has been kept long enough; answers the ``number``."""


def years(now: datetime, retention_years: int) -> dict[str, Any]:
    """Return the values by which rows are kept: what belongs to a year before ``oldest_year`` is not.

    ``oldest_id`` is the least UUIDv7 that can have been made in that year.
    """
    oldest_year = brussels_date(now).year - retention_years
    begins_at = datetime(oldest_year, 1, 1, tzinfo=BRUSSELS)
    return {"oldest_year": oldest_year, "oldest_id": UUID(int=int(begins_at.timestamp() * 1000) << 80)}


def _size_of(holding: Holding) -> str:
    """Return the SQL for about how many bytes a row is as JSON, which writes files in hexadecimal."""
    sizes = []
    for column in holding.table.columns:
        if column.name in holding.withheld:
            continue
        if isinstance(column.type, LargeBinary):
            sizes.append(f'coalesce(octet_length("{column.name}"), 0) * 2')
        elif isinstance(column.type, String):
            sizes.append(f'coalesce(octet_length("{column.name}"), 0)')
        elif isinstance(column.type, JSON | ARRAY):
            sizes.append(f'coalesce(octet_length(CAST("{column.name}" AS text)), 0)')
    return " + ".join(["0", *sizes])


@cache
def sql_of(holding: Holding) -> HoldingSql:
    """Return the statements for a table."""
    table, mine = f'"{holding.table.name}"', f"({holding.of_firm})"
    key = ", ".join(f'"{name}"' for name in holding.key)
    after = ", ".join(f":after_{place}" for place in range(len(holding.key)))
    withheld = "".join(f" - '{name}'" for name in holding.withheld)
    shown = f"SELECT CAST(to_jsonb({table}.*){withheld} AS text) AS row, {key} FROM {table} JOIN page USING ({key})"

    def page(rows: str) -> Statement:
        """Sizes come first, and of a long text or a file without reading it; only what fits is written out."""
        return Statement(f"""
            WITH sized AS (SELECT {key}, {_size_of(holding)} AS size FROM {table} WHERE {rows} ORDER BY {key} LIMIT {BATCH}),
            page AS (SELECT {key}, size, sum(size) OVER (ORDER BY {key}) AS size_up_to_here FROM sized)
            {shown} WHERE page.size_up_to_here <= {PAGE_BYTES} OR page.size_up_to_here = page.size ORDER BY {key}
        """)

    since = f"CAST(({holding.since or 'NULL'}) AS date)"
    is_of_kept_year = f"(extract(year FROM {since}) >= CAST(:oldest_year AS integer))"
    is_kept = f"coalesce({is_of_kept_year}, false)" if holding.kept_because else "false"
    is_old = f'"{holding.aged_by}" < CAST(:oldest_id AS uuid) AND ' if holding.aged_by else ""

    def number_of(rows: str, effect: str) -> Statement:
        which = f"({key}) IN (SELECT {key} FROM {table} WHERE {rows} LIMIT {BATCH})"
        return Statement(f"WITH done AS ({effect} WHERE {which} RETURNING 1) SELECT count(*) AS number FROM done")

    delete = f"DELETE FROM {table}"
    news = ", ".join(f'"{name}" = {value}' for name, value in holding.blanked.items())
    differs = " OR ".join(f'"{name}" IS DISTINCT FROM {value}' for name, value in holding.blanked.items())
    is_idle = f" AND NOT coalesce({holding.under_way}, false)" if holding.under_way else ""
    to_go = [] if holding.ended_by else [f"NOT {is_kept}"]
    to_go += [f"({is_kept} AND ({differs}))"] if news else []
    left = f"SELECT EXISTS (SELECT FROM {table} WHERE {mine} AND ({' OR '.join(to_go)})) AS found" if to_go else ""
    under_way = f"SELECT count(*) AS number FROM {table} WHERE {mine} AND ({holding.under_way})"
    return HoldingSql(
        first_page=page(mine),
        next_page=page(f"{mine} AND ({key}) > ({after})"),
        summary=Statement(f"""
            SELECT count(*) AS rows, count(*) FILTER (WHERE {is_kept}) AS kept,
                max({since}) FILTER (WHERE {is_kept}) AS kept_since
            FROM {table} WHERE {mine}
        """),
        under_way=Statement(under_way) if holding.under_way else None,
        leave=number_of(f"{mine} AND NOT {is_kept}{is_idle}", delete),
        blank=number_of(f"{mine} AND {is_kept} AND ({differs})", f"UPDATE {table} SET {news}") if news else None,
        is_left=Statement(left) if left else None,
        end=number_of(f"{is_old}NOT {is_of_kept_year}", delete) if holding.ends_by_age else None,
    )

"""The page for operators says what is so: every query on it runs, and every metric we export stands in its table.

Why: it is read when something is broken; a column that was renamed since is found out at the worst moment.
"""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from koppel_mesh.database import async_url

PAGE = (Path(__file__).parents[1] / "docs/operating.md").read_text("utf-8")
QUERIES = re.findall(r"^ *```sql\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_runs(mesh: Any, query: str) -> None:
    async def run() -> None:
        engine = create_async_engine(async_url(mesh.database_url))
        async with engine.connect() as connection:
            (await connection.execute(text(query.strip().rstrip(";")))).all()
        await engine.dispose()

    asyncio.run(run())


def test_there_are_queries() -> None:
    assert len(QUERIES) == PAGE.count("```sql") > 3


def test_every_metric_is_explained(mesh: Any) -> None:
    exported = httpx2.get(f"{mesh.url}/dossier-api/metrics", trust_env=False).text
    names = {
        name for name in re.findall(r"^# TYPE (koppel_\w+) ", exported, re.MULTILINE) if not name.endswith("_created")
    }
    explained = re.findall(r"^\| `(koppel_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(explained) == sorted(names), "one row for each metric"

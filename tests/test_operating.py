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

from koppel_mesh.database import async_url, schema_of
from koppel_mesh.service import installed_services

PAGE = (Path(__file__).parents[1] / "docs/operating.md").read_text("utf-8")
QUERIES = re.findall(r"^ *```sql\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
CONNECTORS = [service.name for service in installed_services().values() if service.kind == "connector"]


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_runs(mesh: Any, query: str) -> None:
    async def run() -> None:
        engine = create_async_engine(async_url(mesh.database_url))
        async with engine.connect() as connection:
            for connector in CONNECTORS if "{connector}" in query else [""]:
                named = query.replace("{connector}", schema_of(connector)).strip().rstrip(";")
                (await connection.execute(text(named))).all()
        await engine.dispose()

    asyncio.run(run())


def test_there_are_queries() -> None:
    assert len(QUERIES) == PAGE.count("```sql") > 3
    assert len([query for query in QUERIES if "{connector}" in query]) > 1
    assert CONNECTORS


def test_every_metric_is_explained(mesh: Any) -> None:
    exported = httpx2.get(f"{mesh.url}/dossier-api/metrics", trust_env=False).text
    names = {
        name for name in re.findall(r"^# TYPE (koppel_\w+) ", exported, re.MULTILINE) if not name.endswith("_created")
    }
    explained = re.findall(r"^\| `(koppel_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(explained) == sorted(names), "one row for each metric"

"""The page for operators says what is so: every query on it runs, and every metric we export stands in its table.

Why: it is read when something is broken; a column that was renamed since is found out at the worst moment.
"""

import asyncio
import re
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from deploy.kubernetes.generator.catalogue import SERVICES
from deploy.kubernetes.generator.scaling import queries, waits_in
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from koppel_mesh.database import async_url, schema_of
from koppel_mesh.service import installed_services

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/operating.md").read_text("utf-8")
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


def test_every_query_of_the_scaling_runs(mesh: Any) -> None:
    """KEDA asks with the service's own connection: tables are named with their schema."""

    async def run() -> int:
        connection = await asyncpg.connect(mesh.database_url)
        asked = [query for part in SERVICES if waits_in(part) for query in queries(part)]
        for query in asked:
            assert await connection.fetchval(query) >= 0
        await connection.close()
        return len(asked)

    assert asyncio.run(run()) == 2 * (len(CONNECTORS) + 1)


def test_every_log_line_that_the_page_names_begins_one_of_the_code() -> None:
    named = set(
        re.findall(
            r"(?:log|log line|log of [\w-]+) says `([a-z][^`]+)`|[Ll]ook\*{0,2} for `([a-z][^`]+)` in the log", PAGE
        )
    )
    lines = {" ".join((one or other).split()) for one, other in named} - {"was blocked by"}  # part of an error
    shipped = [path for folder in ("libs", "services", "deploy") for path in (ROOT / folder).rglob("*.py")]
    code = "".join(path.read_text("utf-8") for path in shipped if "tests" not in path.parts)
    assert len(lines) > 5
    assert not {line for line in lines if not re.search(rf'log\.\w+\(\s*"{re.escape(line)}', code)}


def test_there_are_queries() -> None:
    assert len(QUERIES) == PAGE.count("```sql") > 3
    assert len([query for query in QUERIES if "{connector}" in query]) > 1
    assert CONNECTORS


def test_every_metric_is_explained(mesh: Any) -> None:
    exported = httpx2.get(f"{mesh.url}/dossier-api/metrics", trust_env=False, timeout=30).text
    names = {
        name for name in re.findall(r"^# TYPE (koppel_\w+) ", exported, re.MULTILINE) if not name.endswith("_created")
    }
    explained = re.findall(r"^\| `(koppel_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(explained) == sorted(names), "one row for each metric"

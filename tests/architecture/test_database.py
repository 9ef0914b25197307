"""Commits happen in one place, and a service's tables are its own (design §2, P2).

Why: the row and its message are one transaction. A commit in the middle of a function makes them two, and the crash between
them is the invoice that was accepted and never sent. A service that reads another's table freezes that table for ever.
"""

import ast
import re
from pathlib import PurePosixPath
from typing import Any

COMMITS = {"commit", "begin", "begin_nested", "rollback"}
MAY_COMMIT = {
    PurePosixPath("libs/mesh/koppel_mesh/database.py"),
    PurePosixPath("libs/mesh/koppel_mesh/migrations/runner.py"),
    PurePosixPath(
        "libs/mesh/koppel_mesh/migrations/environment/env.py"
    ),  # alembic's own word for "here migrations run"
}
MAY_NAME_SEARCH_PATH = {
    PurePosixPath("libs/mesh/koppel_mesh/database.py"),
    PurePosixPath("libs/mesh/koppel_mesh/migrations/runner.py"),
}

ONE_WAY_TO_WRITE_SQL = ("libs/mesh", "services/")
MAY_WRITE_TEXT = {"tables.py", "prepared_sql.py", "handover.py", "runner.py"}


def unprepared(source: Any) -> list[str]:
    """Return every import of ``sqlalchemy.text``: what is known beforehand is a ``Statement`` (decision 7)."""
    if not source.distribution.startswith(ONE_WAY_TO_WRITE_SQL) or source.path.name in MAY_WRITE_TEXT:
        return []
    return [
        f"{source.path}:{node.lineno} imports sqlalchemy's text"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "sqlalchemy"
        and "text" in {name.name for name in node.names}
    ]


def commits(source: Any) -> list[str]:
    """Return every place of this file that ends or begins a transaction by itself."""
    if source.path in MAY_COMMIT:
        return []
    found = []
    for node in ast.walk(source.tree):
        attribute = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        # Ours may begin other things, with arguments; a transaction's begin takes none.
        if isinstance(node, ast.Call) and attribute in COMMITS and not (attribute == "begin" and node.args):
            found.append(f"{source.path}:{node.lineno} calls .{attribute}()")
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if re.match(r"\s*(COMMIT|ROLLBACK|BEGIN)\b\s*;?\s*$", text):
            found.append(f"{source.path}:{getattr(node, 'lineno', 0)} says {text.strip()}")
    return found


def foreign_tables(source: Any, services: list[str]) -> list[str]:
    """Return every string that names another service's schema, or changes which schema is ours."""
    if source.path in MAY_NAME_SEARCH_PATH:
        return []
    others = [name.replace("-", "_") for name in services if source.distribution != f"services/{name}"]
    foreign = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+\"?(?:{'|'.join(others)})\"?\.", re.IGNORECASE)
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if foreign.search(node.value):
                found.append(f"{source.path}:{node.lineno} reads another service's table")
            if re.search(r"\bSET\s+(LOCAL\s+)?search_path\b", node.value, re.IGNORECASE):
                found.append(f"{source.path}:{node.lineno} changes the search path")
        elif (
            isinstance(node, ast.keyword)
            and node.arg == "schema"
            and isinstance(node.value, ast.Constant)
            and node.value.value
        ):
            found.append(f"{source.path}:{node.value.lineno} names a schema")
    return found


def test_one_place_commits(checkout: Any) -> None:
    assert [offence for source in checkout.shipped for offence in commits(source)] == []


def test_no_service_reads_anothers_tables(checkout: Any) -> None:
    services = sorted(
        {
            source.distribution.split("/")[1]
            for source in checkout.shipped
            if source.distribution.startswith("services/")
        }
    )
    assert len(services) >= 4
    checked = [source for source in checkout.shipped if source.distribution != "sandbox"]
    assert [offence for source in checked for offence in foreign_tables(source, services)] == []


def test_sql_is_written_in_one_way(checkout: Any) -> None:
    assert [offence for source in checkout.shipped for offence in unprepared(source)] == []


def test_the_rules_can_fail(source: Any) -> None:
    scheduler = source(PurePosixPath("services/export-scheduler/export_scheduler/x.py"), "from sqlalchemy import text")
    assert unprepared(scheduler)
    path = PurePosixPath("services/dossier-api/dossier_api/x.py")
    for text in ("await tx.commit()", "async with engine.begin() as c: pass", "sql = 'COMMIT'", "await tx.rollback()"):
        wrapped = f"async def f():\n    {text}"
        assert commits(source(path, wrapped)), text
    assert not commits(source(path, "sql = 'the commit of a batch'"))
    services = ["dossier-api", "export-scheduler"]
    for text in (
        "sql = 'SELECT 1 FROM export_scheduler.document'",
        "sql = 'SET search_path TO public'",
        "t = Table('x', metadata, schema='export_scheduler')",
    ):
        assert foreign_tables(source(path, text), services), text
    assert not foreign_tables(source(path, "sql = 'SELECT 1 FROM document'"), services)

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

RUNS_MIGRATIONS = PurePosixPath("libs/mesh/koppel_mesh/migrations")
COMPILES_STATEMENTS = PurePosixPath("libs/mesh/koppel_mesh/prepared_sql.py")


def may_write_text(path: PurePosixPath) -> bool:
    """Return whether a file may use ``sqlalchemy.text``. These are all the exceptions of decision 7.

    Migrations run on alembic's own connection, once and in no document's path, and SQLAlchemy's text is what alembic takes.
    ``tables.py`` holds the conditions and defaults of models. Tests are not looked at: they write what they like.
    """
    return (
        path == COMPILES_STATEMENTS
        or path.name == "tables.py"
        or path.is_relative_to(RUNS_MIGRATIONS)
        or path.parent.parts[-2:] == ("migrations", "versions")
    )


def unprepared(source: Any) -> list[str]:
    """Return every statement that is known beforehand and no ``Statement`` (decision 7).

    These are texts, and constants that SQLAlchemy's connection runs. What it is given is composed for one request. What the
    sandbox keeps is not in PostgreSQL.
    """
    if not source.distribution.startswith(("libs/", "services/")):
        return []
    found = []
    modules = {
        name.asname or name.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import)
        for name in node.names
        if name.name == "sqlalchemy"
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlalchemy":
            texts = "text" in {name.name for name in node.names}
        else:
            texts = (
                isinstance(node, ast.Attribute)
                and node.attr == "text"
                and isinstance(node.value, ast.Name)
                and node.value.id in modules
            )
        if texts and not may_write_text(source.path):
            found.append(f"{source.path}:{getattr(node, 'lineno', 0)} uses sqlalchemy's text")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute":
            given = node.args[0] if node.args else None
            if isinstance(given, ast.Name) and given.id.isupper() and not may_write_text(source.path):
                found.append(f"{source.path}:{node.lineno} runs the constant {given.id} by .execute()")
    return found


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
            if re.search(r"\bSET\s+(LOCAL\s+)?search_path\b(?! FROM CURRENT\b)", node.value, re.IGNORECASE):
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
    path = PurePosixPath("services/dossier-api/dossier_api/x.py")
    for text in (
        "from sqlalchemy import select, text",
        "from sqlalchemy.sql import text",
        "import sqlalchemy as sa\nREAD = sa.text('SELECT 1')",
        "import sqlalchemy\nREAD = sqlalchemy.text('SELECT 1')",
        "async def f(tx):\n    await tx.execute(_READ, {})",
    ):
        assert unprepared(source(path, text)), text
        assert unprepared(source(PurePosixPath("libs/connector-kit/koppel_connector/auth/x.py"), text)), text
    assert not unprepared(
        source(path, "statement = select(document)\ntext = reply.text\nconnection.execute(statement)")
    )
    for allowed in ("services/dossier-api/migrations/versions/0009_x.py", "services/identity/identity/tables.py"):
        assert not unprepared(source(PurePosixPath(allowed), "from sqlalchemy import text"))
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
    function = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS x"
    assert not foreign_tables(source(path, f"sql = '{function}'"), services), (
        "it stays within the schema it was made in"
    )

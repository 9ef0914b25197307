"""Modules that decide take values and ``now``, and return values (design §6).

Why: a rule that reads a clock, a file or a table can only be tested with all of them, and is then tested with few cases. These
are the modules where being wrong books an invoice twice or never; they must be cheap enough to try every case.
"""

import ast
from pathlib import PurePosixPath
from typing import Any

PURE_NAMES = {"mapping", "rules", "machine", "state_machine", "transitions", "situation", "projection"}
PURE_DISTRIBUTIONS = {"libs/ubl", "libs/coda", "libs/receipts", "libs/bookkeeping"}
OUTSIDE = {
    *("aio_pika", "aiormq", "asyncio", "asyncpg", "fastapi", "httpx2", "logging", "obstore", "os", "pathlib", "random"),
    *(
        "secrets",
        "socket",
        "sqlalchemy",
        "ssl",
        "starlette",
        "structlog",
        "subprocess",
        "tempfile",
        "threading",
        "time",
    ),
}
OURS_ALLOWED = ("koppel_mesh.messages", "koppel_mesh.clock")
CLOCKS = {"now", "utcnow", "today", "utc_now", "new_id"}
CALLS = {"open", "print", "input"}


def is_pure(source: Any) -> bool:
    """Return whether the file promises purity: by its own name, its folder's, or its library's."""
    names = {source.path.stem, *source.path.parts[:-1]}
    return source.distribution in PURE_DISTRIBUTIONS or bool(PURE_NAMES & names)


def offences(source: Any) -> list[str]:
    """Return what in this file reaches outside."""
    found = [f"{source.path} imports {name}" for name in source.imports() if name.split(".")[0] in OUTSIDE]
    found += [
        f"{source.path} imports {name}"
        for name in source.imports()
        if name.startswith("koppel_mesh.") and not name.startswith(OURS_ALLOWED)
    ]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            bare = isinstance(node.func, ast.Name)
            if name in CLOCKS or (bare and name in CALLS):
                found.append(f"{source.path}:{node.lineno} calls {name}()")
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
            found.append(f"{source.path}:{node.lineno} is asynchronous")
    return found


def test_modules_that_decide_touch_nothing(checkout: Any) -> None:
    pure = [source for source in checkout.shipped if is_pure(source)]
    assert {"rules.py", "state_machine.py", "projection.py"} <= {source.path.name for source in pure}
    assert [offence for source in pure for offence in offences(source)] == []


def test_the_rule_can_fail(source: Any) -> None:
    path = PurePosixPath("services/x/x/rules.py")
    assert is_pure(source(path, "")) and is_pure(source(PurePosixPath("services/x/x/mapping/vat.py"), ""))
    for text in (
        "import os",
        "from sqlalchemy import select",
        "from koppel_mesh.database import Database",
        "a = datetime.now(UTC)",
        "a = open('x')",
        "async def f(): ...",
    ):
        assert offences(source(path, text)), text
    assert not offences(source(path, "from koppel_mesh.messages import Trigger\ndef f(now): return now.date()"))

"""Does walks over problems: each is brought about, its text is read, what it says is done, and the document is booked.

The walks stand in tables: ``tests/problem_walks.py`` for the kit and dossier-api, ``services/<connector>/tests/problem_walks.py``
for each connector (``koppel_sandbox.walks`` says how to write one).
"""

import asyncio
import importlib
import itertools
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from koppel_mesh.ids import new_id
from koppel_mesh.service import installed_services
from koppel_sandbox import installed_sandboxes
from koppel_sandbox.walks import SELLER, Case, NotHere, Office, Walk, connects, imports, retries

from .problem_documents import document
from .problem_walks import WALKS

REPOSITORY = Path(__file__).parent.parent
AT_ONCE = 8
"""Walks side by side: most of each is waiting."""
LANGUAGES = ("nl", "fr", "en")
ROLES = {"accountant", "entrepreneur", "operator", "partner", "koppel"}
ASKS_FOR = {
    retries: {"nl": "opnieuw|nog eens", "fr": "réessay|à nouveau|de nouveau", "en": "retry|try again"},
    imports: {"nl": "import", "fr": "import", "en": "import"},
    connects: {"nl": "verbind|log in|koppeling opnieuw", "fr": "connect|liaison", "en": "connect|log in"},
}
"""What a text says where a walk does one of these."""
REFERENCE = "connector-exact"
"""The connector at which walks are done that need no vendor of their own."""

Tables = Mapping[str, Mapping[str, Walk | NotHere]]


def modules() -> dict[str, Any]:
    """Return the table of each installed service that has one, as a module."""
    return {
        name: importlib.import_module(f"services.{name}.tests.problem_walks")
        for name in installed_services()
        if (REPOSITORY / "services" / name / "tests" / "problem_walks.py").exists()
    }


MODULES = modules()
TABLES: Tables = {"": WALKS} | {name: module.WALKS for name, module in MODULES.items()}


def cases(*connectors: str) -> list[Any]:
    """Return the walks of these tables, the kit's under ``""``, as parameters of a test."""
    return [
        pytest.param(connector or REFERENCE, code, walk, id=f"{connector or 'kit'}-{code}")
        for connector in connectors
        for code, walk in TABLES[connector].items()
        if isinstance(walk, Walk)
    ]


@dataclass
class Walker:
    """Does the walks, several at once; those that must be alone when the others are done."""

    offices: dict[str, Office]
    pool: ThreadPoolExecutor
    begun: dict[str, "Future[None]"] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def begin(self, connector: str, code: str, walk: Walk) -> None:
        self.begun[f"{connector} {code}"] = self.pool.submit(self.do, connector, code, walk)

    def end(self, connector: str, code: str, walk: Walk) -> None:
        if walk.alone:
            wait(self.begun.values())
            self.do(connector, code, walk)
        else:
            self.begun[f"{connector} {code}"].result()

    def do(self, connector: str, code: str, walk: Walk) -> None:
        office = self.offices.get(connector, self.offices[REFERENCE])
        case = Case(office, f"W-{next(self.numbers)}", office.vendor.open_company(SELLER))
        if walk.opened:
            case.open()
        for step in walk.trouble:
            step(case)
        if walk.document is not None:
            case.document_id = case.hand_in(walk.document)
        problem = case.until(lambda: walk.seen(case, code), f"the problem {code}")
        says_what_is_needed(problem, walk)
        case.kept["problem"] = problem
        for step in walk.solve:
            step(case)
        case.until(lambda: walk.ends(case, walk.seen(case, code)), f"the end of {code}")


def says_what_is_needed(problem: Any, walk: Walk) -> None:
    """Check that a problem has a text in each language that lacks nothing, says who can help, and asks for what the walk does."""
    for language in LANGUAGES:
        sentence = problem["message"][language]
        assert sentence and "…" not in sentence, problem
        for step, words in ASKS_FOR.items():
            if step in walk.solve:
                assert re.search(words[language], sentence, re.IGNORECASE), f"not a word of {step.__name__}: {sentence}"
    assert problem.get("who_can_fix", "accountant") in ROLES
    assert walk.detail in (problem.get("detail") or ""), problem


@contextmanager
def walking(run_mesh: Any, walks: list[dict[str, Any]]) -> Iterator[Walker]:
    """Run a mesh in which walks are done, of which those that meet no others begin at once.

    Args:
        walks: connector, code and walk of each.
    """
    settings = {
        "settle_s": 0.1,
        "retry_schedule_s": (0.3, 0.6, 1.2),
        "deadline_s": 4.0,
        "export_patience_s": 0.1,
        "unbooked_after_s": 0.5,
        "review_after_s": 0.5,
        "master_data_pause_s": 0,
        "pause_first_s": 0.2,
        "statement_patience_s": 0.0,
    }
    with run_mesh(**settings) as mesh, ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        partner = mesh.client(new_id())
        offices = {
            vendor.connector: Office(partner, vendor, operator(mesh.database_url), mesh.blob_folder, document)
            for vendor in vendors(mesh, stack)
        }
        for office in offices.values():
            office.vendor.lift_limits()
        walker = Walker(offices, pool)
        for params in walks:
            if not params["walk"].alone:
                walker.begin(**params)
        yield walker


def vendors(mesh: Any, stack: ExitStack) -> Iterator[Any]:
    """Yield the vendors of the sandboxes that run in a mesh, without limits."""
    for sandbox in installed_sandboxes().values():
        if sandbox.driver is not None:
            yield stack.enter_context(mesh.driver(sandbox))
    for module in MODULES.values():
        if hasattr(module, "VENDOR"):
            yield stack.enter_context(closing(module.VENDOR(f"{mesh.url}/sandbox/{module.VENDOR.sandbox}")))


def operator(database_url: str) -> Any:
    """Return what does statements in the database, as an operator may."""

    async def run(statements: str) -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    return lambda statements: asyncio.run(run(statements))

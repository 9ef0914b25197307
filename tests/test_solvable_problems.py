"""No problem asks for what is refused: each is brought about, its text is read, what it says is done, and the document is booked.

The walks stand in tables: ``tests/problem_walks.py`` for the kit and dossier-api, ``services/<connector>/tests/problem_walks.py``
for each connector (``koppel_sandbox.walks`` says how to write one). A problem without a walk fails here by its name.
"""

import asyncio
import importlib
import itertools
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from koppel_connector.contract import BOOKING_PROBLEMS, COMPANY_PROBLEMS
from koppel_connector.contract.problems import GENERIC
from koppel_mesh.ids import new_id
from koppel_mesh.service import installed_services
from koppel_sandbox import installed_sandboxes
from koppel_sandbox.walks import SELLER, Case, NotHere, Office, Walk, connects, imports, retries

from .problem_documents import document
from .problem_walks import WALKS

REPOSITORY = Path(__file__).parent.parent
OF_THE_KIT = {**GENERIC, **COMPANY_PROBLEMS, **BOOKING_PROBLEMS}
AT_ONCE = 6
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


def without_a_walk(problems: Mapping[str, set[str]], walks: Tables) -> set[str]:
    """Return each problem that no table walks, as ``service: code``; in both arguments the kit is under ``""``."""
    common = set(walks[""]).union(*walks.values())
    return {
        f"{service}: {code}"
        for service, codes in problems.items()
        for code in codes - (walks.get(service, {}).keys() if service else common) - (common if service else set())
    }


def problems_of_all() -> dict[str, set[str]]:
    return {"": set(OF_THE_KIT)} | {service.name: set(service.problems) for service in installed_services().values()}


MODULES = modules()
TABLES: Tables = {"": WALKS} | {name: module.WALKS for name, module in MODULES.items()}
CASES = [
    pytest.param(connector or REFERENCE, code, walk, id=f"{connector or 'kit'}-{code}")
    for connector, walks in TABLES.items()
    for code, walk in walks.items()
    if isinstance(walk, Walk)
]


def test_every_problem_has_a_walk() -> None:
    assert without_a_walk(problems_of_all(), TABLES) == set()


def test_a_new_problem_fails_by_its_name() -> None:
    assert without_a_walk({"": {"new_one"}, "connector-x": {"own"}}, {"": {}}) == {": new_one", "connector-x: own"}


def test_what_is_walked_elsewhere_is_walked_there() -> None:
    elsewhere = [walk.test for walks in TABLES.values() for walk in walks.values() if isinstance(walk, NotHere)]
    for path, _, name in (each.partition("::") for each in elsewhere):
        assert re.search(rf"def {name}\b", (REPOSITORY / path).read_text("utf-8")), f"{path}::{name}"


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


@pytest.fixture(scope="module")
def walker(run_mesh: Any, request: pytest.FixtureRequest) -> Iterator[Walker]:
    settings = {
        "settle_s": 0.1,
        "retry_schedule_s": (0.3, 0.6),
        "deadline_s": 2.0,
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
        for params in chosen(request):
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


def chosen(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Return the arguments of the walks that this session of pytest runs."""
    here = [item for item in request.session.items if item.path == request.path]
    return [item.callspec.params for item in here if hasattr(item, "callspec")]


def operator(database_url: str) -> Any:
    """Return what does statements in the database, as an operator may."""

    async def run(statements: str) -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    return lambda statements: asyncio.run(run(statements))


@pytest.mark.parametrize(("connector", "code", "walk"), CASES)
def test_what_a_problem_asks_solves_it(walker: Walker, connector: str, code: str, walk: Walk) -> None:
    walker.end(connector, code, walk)

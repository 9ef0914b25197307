"""No problem asks for what is refused: each is brought about, its text is read, what it says is done, and the document is booked.

A problem without a walk fails here by its name. The walks of Exact, which are half of all, have a file of their own, so that two
workers do them.
"""

import re
from collections.abc import Mapping

import pytest

from koppel_connector.contract import BOOKING_PROBLEMS, COMPANY_PROBLEMS
from koppel_connector.contract.problems import GENERIC
from koppel_mesh.service import installed_services
from koppel_sandbox.walks import NotHere, Walk

from .problem_walker import REFERENCE, REPOSITORY, TABLES, Tables, Walker, cases

OF_THE_KIT = {**GENERIC, **COMPANY_PROBLEMS, **BOOKING_PROBLEMS}


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


def test_every_problem_has_a_walk() -> None:
    assert without_a_walk(problems_of_all(), TABLES) == set()


def test_a_new_problem_fails_by_its_name() -> None:
    assert without_a_walk({"": {"new_one"}, "connector-x": {"own"}}, {"": {}}) == {": new_one", "connector-x: own"}


def test_what_is_walked_elsewhere_is_walked_there() -> None:
    elsewhere = [walk.test for walks in TABLES.values() for walk in walks.values() if isinstance(walk, NotHere)]
    for path, _, name in (each.partition("::") for each in elsewhere):
        assert re.search(rf"def {name}\b", (REPOSITORY / path).read_text("utf-8")), f"{path}::{name}"


@pytest.mark.parametrize(("connector", "code", "walk"), cases(*(name for name in TABLES if name != REFERENCE)))
def test_what_a_problem_asks_solves_it(walker: Walker, connector: str, code: str, walk: Walk) -> None:
    walker.end(connector, code, walk)

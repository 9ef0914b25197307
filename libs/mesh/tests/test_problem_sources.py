"""What a route may answer is read from the code behind it; what cannot be read must be said."""

from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import pytest
from fastapi import Depends

from koppel_mesh.http import source_types
from koppel_mesh.http.problem_sources import Answerable, problems_behind
from koppel_mesh.http.problems import CATALOGUE, FieldError, HttpProblem, raises_problem


@pytest.fixture(autouse=True)
def _these_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_types, "SHARED", (*source_types.SHARED, __name__.partition(".")[0]))


def codes(*functions: Any) -> set[tuple[int, str]]:
    return {(each.status, each.code) for each in problems_behind(functions)}


def insist(wanted: bool) -> None:
    if not wanted:
        raise HttpProblem(409, "not_wanted", f"It is {wanted}.")


class Store:
    def take(self) -> None:
        raise HttpProblem(503, "store_away", "The store is away.")

    @property
    def shelf(self) -> "Shelf":
        return Shelf()


@dataclass
class Shelf:
    store: Store

    def __init__(self) -> None:
        insist(True)

    async def reach(self) -> Store:
        raise HttpProblem(404, "no_shelf", "There is no shelf.")


def refused(code: str, status: int = 422) -> HttpProblem:
    return HttpProblem(status, code, "It is refused.")


def passed_on(code: str) -> NoReturn:
    raise refused(code, 400)


def test_a_function_and_what_it_uses() -> None:
    def route(given: Annotated[Store, Depends(Store)]) -> None:
        insist(True)
        given.take()

    assert problems_behind([route]) == {
        Answerable(409, "not_wanted", "It is …."),
        Answerable(503, "store_away", "The store is away."),
    }


async def test_methods_of_what_other_methods_give() -> None:
    async def route(store: Store) -> None:
        shelf = store.shelf
        (await shelf.reach()).take()

    assert codes(route) == {(404, "no_shelf"), (503, "store_away")}


def test_a_class_that_is_made() -> None:
    assert codes(lambda_of(Shelf)) == {(409, "not_wanted")}


def lambda_of(kind: type[Shelf]) -> Any:
    def route() -> None:
        Shelf()

    return route


def test_codes_that_a_caller_gives() -> None:
    def route(length: int) -> None:
        if length > 9:
            raise refused("too_long")
        if length:
            raise refused("gone" if length > 5 else "lost", status=410)
        passed_on("unclear")

    assert codes(route) == {(422, "too_long"), (410, "gone"), (410, "lost"), (400, "unclear")}
    assert codes(refused) == set(), "what it makes is said where it is called"


def _long(errors: list[FieldError]) -> None:
    errors.append(FieldError(rule="too_long", message="It is long."))


def _late(errors: list[FieldError]) -> None:
    errors.append(FieldError(rule="too_late", message="It is late."))


RULES = {"long": _long, "late": _late}


def test_rules_that_are_broken() -> None:
    def route(kind: str) -> None:
        errors: list[FieldError] = []
        RULES[kind](errors)
        raise HttpProblem(422, errors[0].rule, "A rule is broken.", errors=errors)

    assert codes(route) == {(422, "too_long"), (422, "too_late")}


def test_a_code_of_the_catalogue() -> None:
    def route(problem: Any) -> None:
        raise HttpProblem(409, problem.code, "It stopped.")

    assert codes(route) == {(409, CATALOGUE)}


def test_what_cannot_be_read_must_be_said() -> None:
    def silent(state: str) -> None:
        raise HttpProblem(409, state.lower(), "It is so.")

    @raises_problem(409, "open", "closed")
    @raises_problem(410, "gone")
    def said(state: str) -> None:
        raise HttpProblem(409, state.lower(), "It is so.")

    with pytest.raises(LookupError, match="silent makes a problem of a computed status or code"):
        problems_behind([silent])
    assert codes(said) == {(409, "open"), (409, "closed"), (410, "gone")}


def test_functions_in_a_circle() -> None:
    def first(again: bool) -> None:
        second(again)

    def second(again: bool) -> None:
        first(again)
        insist(again)

    assert codes(first) == {(409, "not_wanted")}

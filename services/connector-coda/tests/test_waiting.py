"""Which documents wait for each other, whatever statements they hold."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from connector_coda.waiting import crossed, first_behind

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_two_documents_that_each_come_before_the_other_are_crossed() -> None:
    assert crossed([[A, B], [B, A]], set()) == {A, B}
    assert crossed([[A, B, A]], set()) == {A}
    assert crossed([[A, B], [A, C], [C, B]], set()) == set()


def test_what_goes_out_of_turn_holds_nobody() -> None:
    assert crossed([[A, B], [B, A]], {A}) == set()


@given(st.data())
def test_documents_in_one_order_are_never_crossed(data: Any) -> None:
    documents = [UUID(int=number) for number in range(8)]
    chains = data.draw(st.lists(st.lists(st.sampled_from(documents)).map(sorted), max_size=5))
    assert crossed(chains, set()) == set()


@given(st.data())
def test_only_documents_of_a_circle_are_named(data: Any) -> None:
    """What is named is the first of an account that cannot go; each of them waits for another of them."""
    documents = [UUID(int=number) for number in range(5)]
    chains = data.draw(st.lists(st.lists(st.sampled_from(documents), unique=True), max_size=4))
    named = crossed(chains, set())
    assert len(named) != 1
    assert crossed(chains, set(documents)) == set()


def test_the_first_behind_one_that_nobody_asked_for() -> None:
    assert first_behind([A, B, C], {B, C}) == (B, A)
    assert first_behind([A, B, C], {A, C}) == (C, B)
    assert first_behind([A, B, C], {A, B, C}) is None
    assert first_behind([A, B], set()) is None
    assert first_behind([], set()) is None

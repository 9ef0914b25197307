"""What is written is read back equal, over the whole model; and what CODA cannot hold is refused."""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import koppel_coda
from koppel_coda import Statement
from koppel_coda.communications import IN_INFORMATION, IN_MOVEMENTS

from .samples import sample
from .strategies import statements, typed

FUZZ = int(os.environ.get("KOPPEL_FUZZ", "1"))
ABOUT_WHAT_IS_SAID = {
    f"CODA-{number}" for number in (11, 18, 19, 20, 21, 22, 23, 29, 30, 31, 32)
}  # check digits, codes, references, dates: what a statement says, not how it is written


@pytest.mark.fuzz
@settings(max_examples=50 * FUZZ, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(statements(), min_size=1, max_size=2))
def test_read_gives_back_what_was_written(given_statements: list[Statement]) -> None:
    data = koppel_coda.write(given_statements)
    assert koppel_coda.read(data) == given_statements
    assert {len(line) for line in data.splitlines()} == {128}
    assert koppel_coda.check(data).rules() <= ABOUT_WHAT_IS_SAID


@pytest.mark.fuzz
@settings(max_examples=150 * FUZZ, deadline=None)
@given(typed(IN_MOVEMENTS) | typed(IN_INFORMATION))
def test_each_structured_communication_is_what_it_was(value: koppel_coda.Structured) -> None:
    data = value.format()
    assert len(data) <= value.width
    assert type(value).parse(data.ljust(value.width)) == value


def test_free_communications_stand_behind_a_closing_balance() -> None:
    [first, _] = koppel_coda.read(sample("bakery-two-days.cod"))
    empty = replace(first, movements=(), new_balance=None)
    with pytest.raises(koppel_coda.WriteError, match="closing balance"):
        koppel_coda.write([empty])
    assert koppel_coda.check(koppel_coda.write([replace(empty, free_communications=())])).valid


def test_every_kind_can_be_drawn() -> None:
    assert len(IN_MOVEMENTS) == 19
    assert len(IN_INFORMATION) == 10

"""The chain of an account, as its statements tell it: whatever their order, their numbers and what is missing."""

import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_coda.chain import ASIDE, Known, Link, Place, Standing, arrange, place_before_last

NOTHING = Known()
START = date(2025, 12, 29)


def link(number: int, day: int, opening: int, closing: int, **changes: Any) -> Link:
    """Return a statement that closes ``day`` days after the start, made by the bank the day after the one before."""
    known = {
        "id": UUID(int=(day + 10) * 1000 + number),
        "number": number,
        "opened_on": START + timedelta(day - 1),
        "opening": Decimal(opening),
        "closes_on": START + timedelta(day),
        "closing": Decimal(closing),
        "movements": 1,
    }
    return Link(**{**known, **changes})


def standings(places: list[Place]) -> list[tuple[int, str]]:
    return [(place.link.number, place.standing.value) for place in places]


ONE, TWO, THREE, FOUR = link(1, 1, 0, 10), link(2, 2, 10, 30), link(3, 3, 30, 25), link(4, 4, 25, 60)


def test_what_is_missing_is_named() -> None:
    one, gap, four = arrange([FOUR, ONE, THREE], NOTHING)
    assert standings([one, gap, four]) == [(1, "linked"), (3, "gap"), (4, "linked")]
    assert (gap.before, gap.missing) == (ONE, (2,))


def test_a_gap_that_a_person_accepted_is_none() -> None:
    known = Known(accepted={(ONE.id, THREE.id)})
    assert standings(arrange([ONE, THREE, FOUR], known)) == [(1, "linked"), (3, "linked"), (4, "linked")]


def test_a_chain_goes_on_from_the_last_that_went() -> None:
    assert standings(arrange([THREE], NOTHING, TWO)) == [(3, "linked")]
    (place,) = arrange([FOUR], NOTHING, TWO)
    assert (place.standing, place.before, place.missing) == (Standing.GAP, TWO, (3,))


def test_balances_that_do_not_meet_are_a_gap_even_where_numbers_follow() -> None:
    (_, place) = arrange([ONE, link(2, 2, 11, 30)], NOTHING)
    assert (place.standing, place.missing) == (Standing.GAP, ())


def test_a_number_that_is_missing_is_a_gap_even_where_balances_meet() -> None:
    """What is missing may have come and gone: two lines that cancel out."""
    (_, place) = arrange([ONE, link(3, 3, 10, 40)], NOTHING)
    assert (place.standing, place.missing) == (Standing.GAP, (2,))
    assert standings(arrange([ONE, link(3, 3, 10, 40)], Known(skips_numbers=True))) == [(1, "linked"), (3, "linked")]


def test_numbers_of_files_over_several_accounts_are_found_at_the_other_accounts() -> None:
    seen = Known(elsewhere={2: [TWO.closes_on]})
    assert standings(arrange([ONE, link(3, 3, 10, 40)], seen)) == [(1, "linked"), (3, "linked")]
    (_, place) = arrange([ONE, link(4, 3, 10, 40)], seen)
    assert (place.standing, place.missing) == (Standing.GAP, (3,))


def test_a_number_of_another_account_and_another_time_explains_nothing() -> None:
    (_, place) = arrange([ONE, link(3, 3, 10, 40)], Known(elsewhere={2: [FOUR.closes_on]}))
    assert (place.standing, place.missing) == (Standing.GAP, (2,))


def test_where_balances_do_not_meet_any_number_may_be_what_is_missing() -> None:
    """Numbered by account, both accounts have a 2 of that day."""
    (_, place) = arrange([ONE, THREE], Known(elsewhere={2: [TWO.closes_on]}))
    assert (place.standing, place.missing) == (Standing.GAP, (2,))


def test_numbers_begin_at_1_each_year() -> None:
    december, january = link(250, 2, 10, 20), link(1, 3, 20, 30)
    assert (december.closes_on.year, january.closes_on.year) == (2025, 2026)
    assert standings(arrange([january, december], NOTHING)) == [(250, "linked"), (1, "linked")]
    (_, place) = arrange([december, link(3, 3, 55, 60)], NOTHING)
    assert (place.standing, place.missing) == (Standing.GAP, (1, 2))


@pytest.mark.parametrize(
    ("last", "number", "day", "closing", "missing"),
    [
        (3, 5, 9, 99, (1, 2, 3, 4)),
        (3, 5, 9, 20, (1, 2, 3, 4)),  # they may have come and gone
        (3, 4, 9, 99, (1, 2, 3)),
        (3, 3, 9, 99, (1, 2)),
        (3, 2, 9, 99, (1,)),
        (1, 1, 9, 99, ()),
        (250, 253, 9, 99, (251, 252)),  # the seventh of January cannot be the day of the 253rd of a year
        (250, 251, 9, 99, ()),
        (250, 12, 9, 99, tuple(range(1, 12))),
    ],
)
def test_over_a_new_year_what_is_missing_begins_at_1_unless_the_year_is_too_young(
    last: int, number: int, day: int, closing: int, missing: tuple[int, ...]
) -> None:
    december, january = link(last, 2, 10, 20), link(number, day, closing, closing + 1)
    (_, place) = arrange([december, january], NOTHING)
    assert (place.standing, place.missing) == (Standing.GAP, missing)


def test_a_bank_that_never_begins_again_goes_on() -> None:
    assert standings(arrange([link(250, 2, 10, 20), link(251, 3, 20, 30)], NOTHING)) == [
        (250, "linked"),
        (251, "linked"),
    ]
    assert standings(arrange([link(999, 5, 10, 20), link(1, 6, 20, 30)], NOTHING)) == [(999, "linked"), (1, "linked")]


@pytest.mark.parametrize("numbers", [(0, 0, 0), (7, 0, 8), (7, 7, 7), (7, 0, 7)])
def test_statements_without_a_number_of_their_own_follow_by_their_balances(numbers: tuple[int, int, int]) -> None:
    links = [link(number, day, day * 10, day * 10 + 10) for day, number in enumerate(numbers, 4)]
    assert {place.standing for place in arrange(links, NOTHING)} == {Standing.LINKED}


def test_several_statements_of_one_day_follow_by_their_balances() -> None:
    day = {"opened_on": START, "closes_on": START + timedelta(1)}
    links = [
        link(0, 1, opening, closing, id=UUID(int=place), **day)
        for place, (opening, closing) in enumerate([(20, 5), (0, 10), (10, 20)])
    ]
    assert [int(place.link.opening) for place in arrange(links, NOTHING)] == [0, 10, 20]
    assert {place.standing for place in arrange(links, NOTHING)} == {Standing.LINKED}


def test_a_day_without_movements_may_keep_the_date_of_the_last_movement() -> None:
    empty = link(2, 3, 10, 10, movements=0, opened_on=ONE.closes_on)
    after = link(3, 5, 10, 40, opened_on=ONE.closes_on)
    assert standings(arrange([after, empty, ONE], NOTHING)) == [(1, "linked"), (2, "linked"), (3, "linked")]


def test_the_same_statement_in_two_files_counts_once() -> None:
    copy = link(2, 2, 10, 30, id=UUID(int=10**9))
    places = arrange([copy, ONE, TWO, THREE], NOTHING)
    assert sorted(standings(places)) == [(1, "linked"), (2, "duplicate"), (2, "linked"), (3, "linked")]
    (aside,) = [place for place in places if place.standing in ASIDE]
    assert (aside.link, aside.before) == (copy, TWO)
    (again,) = arrange([copy], NOTHING, TWO)
    assert again.standing is Standing.DUPLICATE


def test_a_statement_of_days_that_were_told_is_an_overlap_and_holds_nobody() -> None:
    month = link(9, 4, 0, 60, opened_on=START)
    places = arrange([ONE, TWO, THREE, FOUR, month], NOTHING)
    assert sorted(standings(places)) == [(1, "linked"), (2, "linked"), (3, "linked"), (4, "linked"), (9, "overlap")]


def test_two_versions_of_one_statement_overlap() -> None:
    other = link(2, 2, 10, 99, id=UUID(int=10**9))
    assert sorted(standings(arrange([ONE, TWO, other, THREE], NOTHING))) == [
        (1, "linked"),
        (2, "linked"),
        (2, "overlap"),
        (3, "linked"),
    ]


def test_an_interim_statement_yields_to_the_one_with_a_number() -> None:
    interim = link(0, 2, 10, 20, closes_on=ONE.closes_on + timedelta(1))
    places = arrange([ONE, interim, TWO, THREE], NOTHING)
    assert sorted(standings(places)) == [(0, "overlap"), (1, "linked"), (2, "linked"), (3, "linked")]


def test_what_comes_after_later_ones_went() -> None:
    assert place_before_last(TWO, ONE, THREE).standing is Standing.LATE
    assert place_before_last(link(2, 2, 10, 30, id=UUID(int=5)), TWO, THREE).standing is Standing.DUPLICATE
    assert place_before_last(link(8, 2, 0, 30, opened_on=START - timedelta(3)), ONE, THREE).standing is Standing.OVERLAP
    assert place_before_last(ONE, None, TWO).standing is Standing.LATE


# ── any chain ──


@st.composite
def chains(draw: st.DrawFn) -> list[Link]:
    """Draw the statements of an account as a bank makes them: one a day or every few days, over a new year, some without
    movements."""
    habit = draw(st.sampled_from(["each year", "for ever", "none"]))
    # A number that the year is old enough for is taken for one of that year.
    number = draw(st.integers(1 if habit == "each year" else 120, 240))
    day, balance, ended = -3, draw(st.integers(-500, 500)), None
    made: list[Link] = []
    for place in range(draw(st.integers(1, 25))):
        before, day = day, day + draw(st.integers(1, 4))
        if habit == "each year" and (START + timedelta(day)).year != (START + timedelta(before)).year:
            number = 1
        amount = draw(st.one_of(st.just(0), st.integers(1, 10_000)))
        movements = 1 if amount else 0
        opened = START + timedelta(before) if ended is None else ended
        shown = 0 if habit == "none" else number
        changes = {"id": UUID(int=place + 1), "movements": movements, "opened_on": opened}
        made.append(link(shown, day, balance, balance + amount, **changes))
        balance, number = balance + amount, number + 1
        ended = made[-1].closes_on if movements else opened
    return made


@given(chains(), st.randoms(use_true_random=False))
def test_any_chain_is_found_in_whatever_order_it_comes(chain: list[Link], random: Any) -> None:
    shuffled = random.sample(chain, len(chain))
    places = arrange(shuffled, NOTHING)
    assert [place.link for place in places] == chain
    assert {place.standing for place in places} == {Standing.LINKED}


@given(chains(), st.data())
def test_whatever_is_taken_out_is_a_gap_there_and_nowhere_else(chain: list[Link], data: st.DataObject) -> None:
    kept = [each for each in chain if data.draw(st.booleans())]
    places = arrange(kept, NOTHING)
    assert [place.link for place in places] == kept
    for before, place in zip([None, *kept], places, strict=False):
        missing = [] if before is None else chain[chain.index(before) + 1 : chain.index(place.link)]
        moved = any(each.opening != each.closing for each in missing)
        numbered = bool(missing) and all(each.number for each in missing)
        if moved or not missing:
            assert (place.standing is Standing.GAP) is bool(missing), (before, place)
        if place.standing is Standing.GAP and numbered and _in_one_year(missing, place.link):
            assert place.missing == tuple(each.number for each in missing)


def _in_one_year(missing: list[Link], after: Link) -> bool:
    return missing[0].closes_on.year == after.closes_on.year


@given(chains(), st.data())
def test_what_went_before_makes_no_difference_to_what_comes_after(chain: list[Link], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(chain)))
    places = arrange(chain[gone:], NOTHING, chain[gone - 1] if gone else None)
    assert [(place.link, place.standing) for place in places] == [(each, Standing.LINKED) for each in chain[gone:]]


@given(chains(), st.data())
def test_copies_change_nothing(chain: list[Link], data: st.DataObject) -> None:
    copied = data.draw(st.lists(st.sampled_from(chain), unique=True))
    copies = [Link(UUID(int=each.id.int + 1000), *_values(each)) for each in copied]
    places = arrange([*copies, *chain], NOTHING)
    assert [place.link for place in places if place.standing is Standing.LINKED] == chain
    assert {place.link for place in places if place.standing is Standing.DUPLICATE} == set(copies)


def _values(each: Link) -> tuple[Any, ...]:
    return (each.number, each.opened_on, each.opening, each.closes_on, each.closing, each.movements)


def test_ten_years_of_daily_statements_are_arranged_in_a_moment() -> None:
    chain = [link(day % 365 + 1, day, day, day + 1, id=UUID(int=day + 1)) for day in range(3650)]
    begun = time.process_time()
    places = arrange(reversed(chain), NOTHING)
    assert time.process_time() - begun < 1.0
    assert len(places) == 3650

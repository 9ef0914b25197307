"""The chain of an account: which statement follows which, and what is missing between two. Pure.

The balance decides: a statement follows the one that closed where it opens. Numbers and dates help where they can, for banks
number as they like (coda §8.5): from 1 each year, by account or by file over all accounts of a customer, the same number for
several files, 000 for none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby, pairwise
from uuid import UUID

MISSING_MAX = 400
"""Of a gap, no more numbers are named than a year has statements."""
LAST_NUMBER = 999
"""The number has three digits (coda §2, record 1); 001 or 000 follows."""


@dataclass(frozen=True, slots=True)
class Link:
    """What of a statement counts for its place in the chain."""

    id: UUID
    number: int
    """Of the coded statement; 0 where the bank gives none."""
    opened_on: date | None
    opening: Decimal
    closes_on: date
    """The last day it covers: of its closing balance, else of its file."""
    closing: Decimal
    movements: int

    @property
    def identity(self) -> tuple[object, ...]:
        """Return what two copies of one statement have in common, whatever files they came in."""
        return (self.number, self.opened_on, self.opening, self.closes_on, self.closing, self.movements)

    @property
    def order(self) -> tuple[date, date, int, UUID]:
        """Return where it stands among the statements of its account, as far as dates and numbers tell."""
        return (self.closes_on, self.opened_on or self.closes_on, self.number, self.id)


class Standing(StrEnum):
    """How a statement stands in its chain."""

    LINKED = "linked"
    """It follows the one before it, or a person accepted what is missing between."""
    GAP = "gap"
    """Something is missing before it."""
    OVERLAP = "overlap"
    """It tells again of days that another statement tells of."""
    DUPLICATE = "duplicate"
    """Another file has the same statement."""
    LATE = "late"
    """Later statements went before it came."""


ASIDE = frozenset({Standing.OVERLAP, Standing.DUPLICATE, Standing.LATE})
"""These stand beside the chain: no other statement waits for them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A statement in its chain: after which one, and what is missing between the two."""

    link: Link
    standing: Standing
    before: Link | None = None
    """The one before it in the chain; of an overlap, a duplicate or a late one the statement it collides with."""
    missing: tuple[int, ...] = ()
    """The numbers of what is missing, where numbers tell."""


@dataclass(frozen=True, slots=True)
class Known:
    """What beside its statements decides about a chain."""

    accepted: AbstractSet[tuple[UUID, UUID]] = frozenset()
    """Gaps that a person accepted: the statement before and the one after."""
    elsewhere: Mapping[int, Sequence[date]] = field(default_factory=dict)
    """By number, the days of statements of the other accounts with the same bank: it may number files, not accounts."""
    skips_numbers: bool = False
    """A person accepted a gap of numbers in this chain without a difference of balances: such gaps are this bank's habit."""


def arrange(links: Iterable[Link], known: Known, last: Link | None = None) -> list[Place]:
    """Return the places of statements that have not gone, in the order of the chain.

    Args:
        links: the statements; of two copies the one with the lower id stays.
        known: what else decides.
        last: the last statement that went. What lies before it is for ``place_before_last``.
    """
    ordered, copies = _without_copies(links, last)
    chain: list[Place] = []
    aside: list[Place] = copies
    for link in _by_balances(ordered, last):
        while True:
            before = chain[-1].link if chain else last
            place = _place(link, before, known)
            if place.standing is Standing.OVERLAP and chain and before is not None and _yields(before, link):
                aside.append(Place(chain.pop().link, Standing.OVERLAP, link))
                continue
            break
        (aside if place.standing in ASIDE else chain).append(place)
    return sorted(chain + aside, key=lambda place: place.link.order) if aside else chain


def place_before_last(link: Link, before: Link | None, after: Link) -> Place:
    """Return the place of a statement between two that went already: a copy, an overlap, or what came too late."""
    for other in (before, after):
        if other is not None and other.identity == link.identity:
            return Place(link, Standing.DUPLICATE, other)
    if before is not None and _overlap(before, link):
        return Place(link, Standing.OVERLAP, before)
    if _overlap(link, after):
        return Place(link, Standing.OVERLAP, after)
    return Place(link, Standing.LATE, after)


def _without_copies(links: Iterable[Link], last: Link | None) -> tuple[list[Link], list[Place]]:
    first: dict[tuple[object, ...], Link] = {last.identity: last} if last else {}
    kept, copies = [], []
    for link in sorted(links, key=lambda link: link.id):
        other = first.setdefault(link.identity, link)
        if other is link:
            kept.append(link)
        else:
            copies.append(Place(link, Standing.DUPLICATE, other))
    return kept, copies


def _by_balances(links: Sequence[Link], last: Link | None) -> list[Link]:
    """Return statements by dates and numbers; those of one day, where that does not fit, by their balances."""
    ordered: list[Link] = []
    for _, same_day in groupby(sorted(links, key=lambda link: link.order), key=lambda link: link.closes_on):
        group = list(same_day)
        before = ordered[-1] if ordered else last
        ordered += group if _fits(group) else _linked(group, before.closing if before else None)
    return ordered


def _fits(group: Sequence[Link]) -> bool:
    return all(one.closing == other.opening for one, other in pairwise(group))


def _linked(group: Sequence[Link], balance: Decimal | None) -> list[Link]:
    """Return statements of one day, each after one that closed where it opens, as long as there is one."""
    opening_at: dict[Decimal, list[Link]] = defaultdict(list)
    for link in reversed(group):
        opening_at[link.opening].append(link)
    closings = {link.closing for link in group}
    starts = [link for link in reversed(group) if link.opening not in closings]
    rest = [*reversed(group)]
    taken: set[UUID] = set()
    ordered: list[Link] = []
    while len(ordered) < len(group):
        follows = opening_at.get(balance, []) if balance is not None else []
        following = _next(follows, taken) or _next(starts, taken) or _next(rest, taken)
        assert following is not None, "fewer are ordered than there are"
        taken.add(following.id)
        ordered.append(following)
        balance = following.closing
    return ordered


def _next(stack: list[Link], taken: AbstractSet[UUID]) -> Link | None:
    while stack:
        if (link := stack.pop()).id not in taken:
            return link
    return None


def _place(link: Link, before: Link | None, known: Known) -> Place:
    if before is None or (before.id, link.id) in known.accepted:
        return Place(link, Standing.LINKED, before)
    if _overlap(before, link):
        return Place(link, Standing.OVERLAP, before)
    missing = _missing(before, link, known)
    if before.closing == link.opening and (not missing or known.skips_numbers):
        return Place(link, Standing.LINKED, before)
    return Place(link, Standing.GAP, before, missing)


def _overlap(before: Link, link: Link) -> bool:
    begun = link.opened_on or link.closes_on
    # After a day without movements some banks keep the date of the last movement (coda §1.3).
    ended = before.closes_on if before.movements else before.opened_on or before.closes_on
    if before.closing == link.opening:
        # Of several a day some banks give each the balance date of the day before.
        return begun < ended and link.closes_on > before.closes_on and _skipped(before, link) != ()
    same_number = link.number == before.number != 0 and link.opening == before.opening
    return begun < ended or (same_number and link.closes_on.year == before.closes_on.year)


def _yields(before: Link, link: Link) -> bool:
    """Return whether a statement that has not gone gives way to a later one: an interim statement to one with a number."""
    return before.number == 0 != link.number


def _missing(before: Link, link: Link, known: Known) -> tuple[int, ...]:
    """Return the numbers of what is missing between two.

    Where balances meet, what another account has of those days is not; where they do not, something is, and may have any of them.
    """
    skipped = _skipped(before, link) or ()
    if before.closing != link.opening:
        return skipped
    return tuple(
        number
        for number in skipped
        if not any(before.closes_on <= day <= link.closes_on for day in known.elsewhere.get(number, ()))
    )


def _skipped(before: Link, link: Link) -> tuple[int, ...] | None:
    """Return the numbers between two statements; None where numbers tell nothing."""
    last, number = before.number, link.number
    if 0 in (last, number):
        return None
    in_new_year = before.closes_on.year != link.closes_on.year
    # 001 is the first of each year (coda §8.5). A bank that has made more statements in it than it has days never began again.
    begins_again = in_new_year and number <= link.closes_on.timetuple().tm_yday
    if number in (last, last + 1) and (not begins_again or before.closing == link.opening):
        return ()
    if number > last and not begins_again:
        return _numbers(last + 1, number)
    if in_new_year or last == LAST_NUMBER:
        return _numbers(1, number)
    return None


def _numbers(first: int, end: int) -> tuple[int, ...]:
    return tuple(range(first, min(end, first + MISSING_MAX)))

"""Rules about statements after one another: does each open where the previous one of its account closed?"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from koppel_coda.model import Statement
from koppel_coda.report import Finding, Report, Sentence

from . import rules

_Account = tuple[str, str]


def check_series(statements: Iterable[Statement]) -> Report:
    """Check that statements follow one another, each account by itself, in the order in which they are given.

    A gap, an overlap, a wrong order and a repeated statement are findings; statements of separate applications prove no balance
    and are ignored. ``Finding.statement`` is the place in the series, counted from 1, ``line`` that in the statement's file.
    """
    by_account: dict[_Account, list[tuple[int, Statement]]] = defaultdict(list)
    for place, statement in enumerate(statements, 1):
        if not statement.is_partial:
            by_account[statement.account.key].append((place, statement))
    findings = [finding for series in by_account.values() for finding in _of_series(series)]
    return Report(tuple(sorted(findings, key=lambda finding: finding.statement)))


def _of_series(series: Sequence[tuple[int, Statement]]) -> Iterator[Finding]:
    seen: set[object] = set()
    previous: Statement | None = None
    for place, statement in series:
        if (key := _key(statement)) in seen:
            yield rules.found_at(rules.DUPLICATE, statement.line, 1, place, found=_name(statement))
            continue
        seen.add(key)
        if previous is not None and (difference := _break(previous, statement)) is not None:
            yield rules.found_at(
                rules.CONTINUITY,
                statement.line,
                1,
                place,
                found=_name(statement),
                expected=f"{previous.coded_number:03d}",
                difference=difference,
            )
        previous = statement


def _key(statement: Statement) -> object:
    """Return what makes a statement the same one when it comes again.

    The opening date of a day without movements stays that of the last movement (coda §1.3), so that the closing date counts.
    """
    return (
        statement.coded_number,
        statement.old_balance.amount,
        statement.old_balance.on,
        statement.closing,
        statement.closed_on,
        len(statement.movements),
    )


def _name(statement: Statement) -> str:
    return f"{statement.coded_number:03d} ({statement.account.number})"


def _break(previous: Statement, statement: Statement) -> Sentence | None:
    """Return how two statements do not follow one another; None when they do."""
    closed, opened = previous.closing, statement.old_balance.amount
    if closed != opened:
        return Sentence(
            f"het vorige sloot op {closed}, dit opent op {opened}; wellicht ontbreekt er een",
            f"le précédent clôture à {closed}, celui-ci s'ouvre à {opened} ; il en manque sans doute un",
            f"the previous one closed at {closed}, this one opens at {opened}; one is probably missing",
        )
    begun = statement.old_balance.on
    # After a day without movements some banks keep the date of the last movement.
    ended = (previous.new_balance if previous.movements and previous.new_balance else previous.old_balance).on
    if ended is not None and begun is not None and begun < ended:
        return Sentence(
            f"het begint op {begun:%d.%m.%Y}, voor het vorige eindigt ({ended:%d.%m.%Y})",
            f"il commence le {begun:%d.%m.%Y}, avant la fin du précédent ({ended:%d.%m.%Y})",
            f"it begins on {begun:%d.%m.%Y}, before the previous one ends ({ended:%d.%m.%Y})",
        )
    numbers = previous.coded_number, statement.coded_number
    follows = numbers[1] in {numbers[0], numbers[0] + 1} or (numbers[1] == 1 and _in_another_year(previous, statement))
    if 0 not in numbers and not follows:
        return Sentence(
            f"nummer {numbers[1]:03d} volgt niet op {numbers[0]:03d}",
            f"le numéro {numbers[1]:03d} ne suit pas {numbers[0]:03d}",
            f"number {numbers[1]:03d} does not follow {numbers[0]:03d}",
        )
    return None


def _in_another_year(previous: Statement, statement: Statement) -> bool:
    """Return whether a year ends between two statements: by the days they close, or by those on which they were made."""
    days = zip(_days(previous), _days(statement), strict=True)
    return any(one is not None and other is not None and one.year != other.year for one, other in days)


def _days(statement: Statement) -> tuple[date | None, date | None]:
    return statement.new_balance.on if statement.new_balance else None, statement.header.created_on

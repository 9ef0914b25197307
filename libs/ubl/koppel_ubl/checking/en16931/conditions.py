"""Conditions that many rules share, each made for the elements a rule is about."""

from koppel_ubl.checking.tree import Group
from koppel_ubl.checking.values import SPACES, decimals

from .facts import Facts
from .registry import GroupTest

DECIMALS_MAX = 2


def filled(*path: str) -> GroupTest:
    """Require that the first value at the path holds more than white space."""
    groups, name = path[:-1], path[-1]

    def holds(group: Group, facts: Facts) -> bool:
        for above in group.all(*groups) if groups else (group,):
            for element in above.values.get(name, ()):
                return bool((element.text or "").strip(SPACES))
        return False

    return holds


def given(*path: str) -> GroupTest:
    """Require a value at the path, empty or not."""
    groups, name = path[:-1], path[-1]

    def holds(group: Group, facts: Facts) -> bool:
        if not groups:
            return name in group.values
        return any(name in above.values for above in group.all(*groups))

    return holds


def any_given(*names: str) -> GroupTest:
    """Require one of these values."""

    def holds(group: Group, facts: Facts) -> bool:
        values = group.values
        return any(name in values for name in names)

    return holds


def at_most_one(*path: str) -> GroupTest:
    """Allow one value at the path, whatever the number of groups on the way."""
    groups, name = path[:-1], path[-1]

    def holds(group: Group, facts: Facts) -> bool:
        if not groups:
            return len(group.values.get(name, ())) <= 1
        if groups[0] not in group.groups:
            return True
        return sum(len(above.values.get(name, ())) for above in group.all(*groups)) <= 1

    return holds


def at_most_one_group(*path: str) -> GroupTest:
    """Allow one group at the path."""

    def holds(group: Group, facts: Facts) -> bool:
        return path[0] not in group.groups or len(group.all(*path)) <= 1

    return holds


def two_decimals(name: str) -> GroupTest:
    """Allow no more than two decimals in a value, trailing zeros counted."""

    def holds(group: Group, facts: Facts) -> bool:
        found = group.values.get(name)
        return found is None or decimals(found[0]) <= DECIMALS_MAX

    return holds

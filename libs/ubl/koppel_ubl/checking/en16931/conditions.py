"""Conditions that many rules share, each made for the elements a rule is about."""

from koppel_ubl.checking.engine import Facts, Group, Test, decimals

DECIMALS_MAX = 2


def filled(*path: str) -> Test:
    """Require that the first value at the path holds more than white space."""
    groups, name = path[:-1], path[-1]

    def holds(group: Group, facts: Facts) -> bool:
        for above in group.all(*groups) if groups else (group,):
            value = above.value(name)
            if value is not None:
                return not value.is_blank
        return False

    return holds


def given(*path: str) -> Test:
    """Require a value at the path, empty or not."""
    groups, name = path[:-1], path[-1]

    def holds(group: Group, facts: Facts) -> bool:
        if not groups:
            return group.has(name)
        return any(above.has(name) for above in group.all(*groups))

    return holds


def any_given(*names: str) -> Test:
    """Require one of these values."""

    def holds(group: Group, facts: Facts) -> bool:
        return any(group.has(name) for name in names)

    return holds


def at_most_one(*path: str) -> Test:
    """Allow one value at the path, whatever the number of groups on the way."""
    groups, name = path[:-1], path[-1]

    def holds(group: Group, facts: Facts) -> bool:
        if not groups:
            return group.times(name) <= 1
        return sum(above.times(name) for above in group.all(*groups)) <= 1

    return holds


def at_most_one_group(*path: str) -> Test:
    """Allow one group at the path."""

    def holds(group: Group, facts: Facts) -> bool:
        return len(group.all(*path)) <= 1

    return holds


def two_decimals(name: str) -> Test:
    """Allow no more than two decimals in a value, trailing zeros counted."""

    def holds(group: Group, facts: Facts) -> bool:
        found = group.value(name)
        return found is None or decimals(found) <= DECIMALS_MAX

    return holds

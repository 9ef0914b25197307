"""Caches answers about a group for all groups of its shape."""

from collections.abc import Callable
from typing import TypeVar

from .tree import NOWHERE, Group

_R = TypeVar("_R")


def cached_by_shape(function: Callable[[Group], _R]) -> Callable[[Group], _R]:
    """Cache for its shape what a function returns for a group, unless it read a text or looked above the group."""

    def cached(group: Group) -> _R:
        known = group.shape.known
        if function in known:
            return known[function]  # type: ignore[no-any-return]  # cached under the function that returned it
        tree = group.tree
        had_read, top = tree.has_read, tree.top
        tree.has_read, tree.top = False, NOWHERE
        found = function(group)
        if not tree.has_read and tree.top >= group.place.depth:
            known[function] = found
        tree.has_read, tree.top = tree.has_read or had_read, min(tree.top, top)
        return found

    return cached

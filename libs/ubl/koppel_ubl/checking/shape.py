"""Shapes: what is told of a group, and of all that is below it, without free texts."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .places import Attributes, Place, Token

if TYPE_CHECKING:
    from .tree import Group

_R = TypeVar("_R")
NOWHERE = 1 << 30
"""Deeper than any group: where nobody looked up."""
_NOTHING: frozenset[str] = frozenset()


class Shape:
    """A group without its free texts.

    Attributes:
        parts: the shapes of the groups and the tokens of the values in it, in their order.
        numbers: by name where the first value of it stands, if that is a number as it should be.
        positions: by name where its children stand; ``below``: the names of all that is below it.
        stray: whether there is text where none belongs: of the group itself, and behind which of its children.
        plans: what is still to be asked of a group of this shape, by what is known of the document around it.
        known: other answers that are the same for all groups of this shape.
    """

    __slots__ = ("attributes", "below", "known", "numbers", "parts", "place", "plans", "positions", "stray", "texts")
    is_number = False
    """Which tokens may be, and groups never are."""

    def __init__(self, place: Place, parts: tuple[Any, ...], attributes: Attributes, stray: tuple[int, ...]) -> None:
        self.place = place
        self.parts = parts
        self.attributes = dict(attributes)
        self.stray = frozenset(stray)
        self.texts: int = sum(part.texts for part in parts)
        self.plans: dict[Hashable, Any] = {}
        self.known: dict[object, Any] = {}
        self.positions: dict[str, list[int]] = {}
        self.numbers: dict[str, int] = {}
        self.below: frozenset[str] = _NOTHING.union(*(part.below for part in parts))
        for at, part in enumerate(parts):
            name = part.place.name
            if name in self.positions:
                self.positions[name].append(at)
            else:
                self.positions[name] = [at]
                if part.is_number:
                    self.numbers[name] = at
        if not self.below.issuperset(self.positions):
            self.below = self.below.union(self.positions)


def token_key(written: Hashable, attributes: Attributes, place: Place) -> Hashable:
    """Return what a token is known under: how the text is written, and the attributes."""
    if place.has_file:
        attributes = [(name, "" if name == "filename" else value) for name, value in attributes]
    return (written, *attributes)


def shape_of(
    key: Hashable,
    place: Place,
    parts: Sequence[Shape | Token],
    attributes: Attributes,
    stray: tuple[int, ...] = (),
) -> Shape:
    """Make the shape of a group, and remember it under the key."""
    shape = Shape(place, tuple(parts), attributes, stray)
    if place.memory.has_room(1 + len(parts), sum(len(name) + len(value) for name, value in attributes)):
        place.shapes[key] = shape
    return shape


Ways = tuple[tuple[int, ...], ...]
"""Where things stand below a group, each as the places of the children on the way down."""


def ways_to(shape: Shape, name: str) -> Ways:
    """Return the ways to all groups of this name, in the order of the document."""
    if name not in shape.below:
        return ()
    if name not in shape.known:
        found: list[tuple[int, ...]] = []
        for at, part in enumerate(shape.parts):
            if isinstance(part, Shape):
                if part.place.name == name:
                    found.append((at,))
                found.extend((at, *way) for way in ways_to(part, name))
        shape.known[name] = tuple(found)
    return shape.known[name]  # type: ignore[no-any-return]  # kept under the name


def ways_along(shape: Shape, path: tuple[str, ...]) -> Ways:
    """Return the ways to all that stands at a path of names, in the order of the document."""
    if path[0] not in shape.positions:
        return ()
    if path not in shape.known:
        ways: list[tuple[tuple[int, ...], Shape]] = [((), shape)]
        for name in path:
            ways = [((*way, at), part.parts[at]) for way, part in ways for at in part.positions.get(name, ())]
        shape.known[path] = tuple(way for way, _ in ways)
    return shape.known[path]  # type: ignore[no-any-return]  # kept under the path


def by_shape(function: Callable[["Group"], _R]) -> Callable[["Group"], _R]:
    """Remember for the shape what a function says of a group, unless it has read a text or looked around for it."""

    def known(group: "Group") -> _R:
        kept = group.shape.known
        if function in kept:
            return kept[function]  # type: ignore[no-any-return]  # kept under the function that found it
        tree = group.tree
        had_read, top = tree.has_read, tree.top
        tree.has_read, tree.top = False, NOWHERE
        found = function(group)
        if not tree.has_read and tree.top >= group.place.depth:
            kept[function] = found
        tree.has_read, tree.top = tree.has_read or had_read, min(tree.top, top)
        return found

    return known

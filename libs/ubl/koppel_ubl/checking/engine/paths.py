"""Paths below a shape: where every group of that shape has the groups of a name, or what is at a path."""

from .places import Shape

Ways = tuple[tuple[int, ...], ...]
"""Where things are below a group: for each the indexes of the children on the way down."""


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
    """Return the ways to everything at a path of names, in the order of the document."""
    if path[0] not in shape.positions:
        return ()
    if path not in shape.known:
        ways: list[tuple[tuple[int, ...], Shape]] = [((), shape)]
        for name in path:
            ways = [((*way, at), part.parts[at]) for way, part in ways for at in part.positions.get(name, ())]
        shape.known[path] = tuple(way for way, _ in ways)
    return shape.known[path]  # type: ignore[no-any-return]  # kept under the path

"""The tree as rules see it: groups that know their children by name, and places that know which rules apply there.

A *place* is a path of names, such as ``/cac:InvoiceLine/cac:Item``; there are a few hundred in all invoices together, so
what holds for a place is worked out once and kept. Walking a document is then one dictionary look-up for each element.
"""

from collections.abc import Iterator, Sequence

from lxml import etree

Element = etree._Element

PLACES_MAX = 20_000
"""Places that are remembered; a hostile document could invent any number, and those are made anew each time."""

_PREFIXES = {
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext:",
}


class Place:
    """Where an element stands: ``path`` is its names from below the root, and ``/`` is the root itself; ``name`` is its own.

    Attributes:
        judged: what the layer of EN 16931 worked out for this place; None until it has.
    """

    __slots__ = ("is_group", "judged", "name", "path", "places")

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        self.name = name
        self.is_group = not name.startswith("cbc:")
        self.places: dict[str, Place] = {}
        self.judged: object = None

    def child(self, tag: str) -> "Place":
        """Return the place of a child element with this (Clark) name."""
        place = self.places.get(tag)
        if place is None:
            name = short_name(tag)
            place = Place(f"{self.path.rstrip('/')}/{name}", name)
            if _count.places < PLACES_MAX:
                _count.places += 1
                self.places[tag] = place
        return place


class _Count:
    places = 0


_count = _Count()
INVOICE = Place("/", "invoice:Invoice")
CREDIT_NOTE = Place("/", "creditnote:CreditNote")


def short_name(tag: str) -> str:
    """Return ``cbc:ID`` for the Clark name lxml uses; other namespaces stay as they are."""
    namespace, bracket, local = tag[1:].partition("}")
    prefix = _PREFIXES.get(namespace) if bracket else None
    return tag if prefix is None else prefix + local


class Group:
    """An element with elements in it; ``of`` holds its children by name, groups as groups and values as elements."""

    __slots__ = ("element", "groups", "parent", "place", "values")

    def __init__(self, element: Element, place: Place, parent: "Group | None") -> None:
        self.element = element
        self.place = place
        self.parent = parent
        self.groups: dict[str, list[Group]] = {}
        self.values: dict[str, list[Element]] = {}

    def all(self, *path: str) -> list["Group"]:
        """Return every group at a path of names below this one."""
        found = self.groups.get(path[0], [])
        for name in path[1:]:
            found = [below for group in found for below in group.groups.get(name, ())]
        return found

    def elements(self, *path: str) -> list[Element]:
        """Return every value at a path: the last name is that of the value."""
        if len(path) == 1:
            return self.values.get(path[0], [])
        if path[0] not in self.groups:
            return []
        *groups, last = path
        return [element for group in self.all(*groups) for element in group.values.get(last, ())]

    def ancestors(self) -> Iterator["Group"]:
        """Give the groups around this one, the nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def has(self, *path: str) -> bool:
        """Return whether there is a value at the path, empty or not."""
        return bool(self.elements(*path))

    def text(self, *path: str) -> str:
        """Return the text of the first value at the path, as it stands; empty when there is none."""
        found = self.values.get(path[0]) if len(path) == 1 else self.elements(*path)
        return (found[0].text or "") if found else ""


Seen = tuple[Place, Group, Element | None]
"""A place that was met: with the group itself, or with the group around it and the value."""


class Tree:
    """All groups of a document, by name, in document order."""

    __slots__ = ("groups", "is_credit_note", "root", "seen")

    def __init__(self, element: Element) -> None:
        self.groups: dict[str, list[Group]] = {}
        self.seen: list[Seen] = []
        self.is_credit_note = str(element.tag).endswith("}CreditNote")
        self.root = self._group(element, CREDIT_NOTE if self.is_credit_note else INVOICE, None)

    def all(self, name: str) -> Sequence[Group]:
        """Return every group of this name, wherever it stands."""
        return self.groups.get(name, ())

    def _group(self, element: Element, place: Place, parent: Group | None) -> Group:
        group = Group(element, place, parent)
        self.seen.append((place, group, None))
        places, groups, values = place.places, group.groups, group.values
        for child in element:
            tag: str = child.tag  # type: ignore[assignment]  # safe_xml leaves no comments or instructions
            below = places.get(tag) or place.child(tag)
            name = below.name
            if below.is_group:
                found = self._group(child, below, group)
                if name in groups:
                    groups[name].append(found)
                else:
                    groups[name] = [found]
                if name in self.groups:
                    self.groups[name].append(found)
                else:
                    self.groups[name] = [found]
            else:
                self.seen.append((below, group, child))
                if name in values:
                    values[name].append(child)
                else:
                    values[name] = [child]
        return group

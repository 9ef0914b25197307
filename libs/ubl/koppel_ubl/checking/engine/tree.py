"""The tree as rules see it: groups that find their children by name, made in one pass over the elements.

Each group has a *shape* (``places.py``). An answer that was found without reading a free text holds for the whole shape; to
know that, a tree records whether a rule read a text, and how far up it looked.
"""

from collections.abc import Hashable, Iterator, Sequence
from itertools import islice
from typing import Any

from lxml import etree

from koppel_ubl import safe_xml

from .paths import ways_along, ways_to
from .places import Place, Shape, Token, memory
from .written import PLAIN, SPACES

Element = etree._Element
NOWHERE = 1 << 30
"""Deeper than any group: the depth that ``Tree.top`` has while no rule has looked up."""
_COUNT_OF_TEXTS = etree.XPath("count(descendant::text())")


class Value:
    """An element with a text, seen from the group that holds it."""

    __slots__ = ("at", "group", "token")

    def __init__(self, group: "Group", at: int) -> None:
        self.group = group
        self.at = at
        self.token: Token = group.shape.parts[at]

    @property
    def text(self) -> str:
        """The text as written; in a value with elements in it, the text before the first."""
        if not self.token.is_known:
            self.group.tree.has_read = True
        return self.group[self.at] or ""

    @property
    def whole(self) -> str:
        """The text, with that of all elements in it."""
        return "".join(self.element.itertext()) if self.token.is_odd else self.text

    @property
    def element(self) -> Element:
        """The element itself; an answer that depends on it is not kept."""
        return self.group.element[self.at]

    @property
    def tree(self) -> "Tree":
        """The document."""
        return self.group.tree

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.token.place

    @property
    def is_blank(self) -> bool:
        """Whether it holds nothing but white space."""
        return self.token.is_blank

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes; a file's name is empty here."""
        return self.token.attributes

    def starts_with(self, start: str) -> bool:
        """Return whether the text begins with these two characters, white space aside; the token of a VAT number has them."""
        known = self.token.start
        return (
            known == start
            if known.isalnum() and len(known) == len(start)
            else self.text.strip(SPACES).startswith(start)
        )

    def get(self, attribute: str, default: str | None = None) -> str | None:
        """Return an attribute."""
        found = self.token.attributes.get(attribute, default)
        return self.element.get(attribute, default) if found == "" else found

    def has(self, attribute: str) -> bool:
        """Return whether it has an attribute, without reading it."""
        return attribute in self.token.attributes


class Group(list[Any]):
    """An element with elements in it: a list of its groups and of the texts of its values, in the order of the document."""

    __slots__ = ("above", "raw", "shape", "tree")
    above: "Group | None"
    raw: Element
    """The element, for this module; rules use ``element``, which records that."""
    shape: Shape
    tree: "Tree"

    __hash__ = object.__hash__  # type: ignore[assignment]  # a group is equal to itself only

    def __eq__(self, other: object) -> bool:
        return self is other

    def __bool__(self) -> bool:
        return True

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.shape.place

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes."""
        return self.shape.attributes

    @property
    def element(self) -> Element:
        """The element itself; an answer that depends on it is not kept."""
        self.tree.has_read = True
        return self.raw

    @property
    def whole(self) -> str:
        """All text in it."""
        return "".join(self.element.itertext())

    def get(self, attribute: str, default: str | None = None) -> str | None:
        """Return an attribute."""
        return self.shape.attributes.get(attribute, default)

    @property
    def parent(self) -> "Group | None":
        """The group around it."""
        above = self.above
        if above is not None and above.place.depth < self.tree.top:
            self.tree.top = above.place.depth
        return above

    def child(self, at: int) -> "Group | Value":
        """Return one child."""
        found = self[at]
        return found if isinstance(found, Group) else Value(self, at)

    def has(self, *path: str) -> bool:
        """Return whether there is a child of this name, or a value at this path, even an empty one."""
        return path[0] in self.shape.positions and (len(path) == 1 or bool(self.elements(*path)))

    def times(self, name: str) -> int:
        """Return how many children have this name."""
        return len(self.shape.positions.get(name, ()))

    def groups(self, name: str) -> list["Group"]:
        """Return the groups of this name."""
        return [self[at] for at in self.shape.positions.get(name, ())]

    def values(self, name: str) -> list[Value]:
        """Return the values of this name."""
        return [Value(self, at) for at in self.shape.positions.get(name, ())]

    def value(self, name: str) -> Value | None:
        """Return the first value of this name."""
        positions = self.shape.positions.get(name)
        return None if positions is None else Value(self, positions[0])

    def all(self, *path: str) -> list["Group"]:
        """Return every group at a path of names below this one."""
        return [self.below(steps) for steps in ways_along(self.shape, path)]

    def below(self, steps: Sequence[int]) -> "Group":
        """Return the group at the end of a way down."""
        group = self
        for step in steps:
            group = group[step]
        return group

    def elements(self, *path: str) -> list[Value]:
        """Return every value at a path; the last name is that of the value."""
        return [Value(self.below(steps), last) for *steps, last in ways_along(self.shape, path)]

    def text(self, *path: str) -> str:
        """Return the text of the first value at the path, as written; empty when there is none."""
        found = self.value(path[0]) if len(path) == 1 else next(iter(self.elements(*path)), None)
        return "" if found is None else found.text

    def ancestors(self) -> Iterator[Place]:
        """Give the places around this one, the nearest first."""
        above = self.place.above
        while above is not None:
            yield above
            above = above.above


Node = Group | Value


class Tree:
    """All groups of a document.

    Attributes:
        has_read: whether a rule read a free text since this was last set to False.
        top: the depth of the uppermost group that a rule looked at since this was last set to ``NOWHERE``.
    """

    __slots__ = ("_groups", "has_read", "is_credit_note", "root", "top")

    def __init__(self, element: Element) -> None:
        """Make the tree of an ``Invoice`` or ``CreditNote``.

        Raises:
            ReadError: ``too_deep``.
        """
        self.has_read, self.top = False, NOWHERE
        self._groups: list[Group] = []
        self.is_credit_note = str(element.tag).endswith("}CreditNote")
        place = memory().credit_note if self.is_credit_note else memory().invoice
        elements = element.iter()
        next(elements)
        self.root = self._quickly(element, place, elements)
        # Texts or elements that are left over stand where none belong; the quick pass does not see where.
        if next(elements, None) is not None or self.root.shape.texts != _COUNT_OF_TEXTS(element):
            safe_xml.check_depth(element)  # the pass does not enter a value
            self.root = self._carefully(element, place)
        self.root.above = None

    def all(self, name: str) -> Sequence[Group]:
        """Return every group of this name, wherever it stands, in the order of the document."""
        self.top = 0
        return [self.root.below(steps) for steps in ways_to(self.root.shape, name)]

    def release(self) -> None:
        """Take apart the groups, which refer to one another, so that they leave the memory without a garbage collection."""
        for group in self._groups:
            group.clear()
        self._groups.clear()

    def _quickly(self, element: Element, place: Place, elements: Iterator[Element]) -> Group:
        """Make a group of the next elements of the pass: its children, each followed by its own."""
        group = Group()
        self._groups.append(group)
        group.raw, group.tree = element, self
        parts: list[Shape | Token] = []
        places = place.places
        for child in islice(elements, len(element)):
            tag: str = child.tag  # type: ignore[assignment]  # safe_xml leaves no comments or instructions
            below = places.get(tag) or place.child(tag)
            if below.is_group:
                found = self._quickly(child, below, elements)
                found.above = group
                group.append(found)
                parts.append(found.shape)
            else:
                text = child.text
                group.append(text)
                key: Hashable
                if below.is_code or text is None:
                    key = text
                elif below.is_free:
                    key = text >= "!" or below.writing(text)
                else:
                    key = PLAIN if below.is_plain is not None and below.is_plain(text) else below.writing(text)
                attributes = child.items()
                if attributes:
                    if below.has_file:
                        key = below.token_key(key, attributes)
                    else:  # unpacking a list costs more, and there is nearly always one
                        key = (key, attributes[0]) if len(attributes) == 1 else (key, *attributes)
                parts.append(below.tokens.get(key) or below.token(key, text, attributes))
        attributes = element.items()
        shape_key = (*parts, tuple(attributes)) if attributes else tuple(parts)
        group.shape = place.shapes.get(shape_key) or place.shape(shape_key, parts, attributes)
        return group

    def _carefully(self, element: Element, place: Place) -> Group:
        """Make a group as ``_quickly`` does, and record the elements and texts that stand where none belong."""
        group = Group()
        self._groups.append(group)
        group.raw, group.tree = element, self
        parts: list[Shape | Token] = []
        stray: list[int] = []
        if element.text is not None and element.text.strip(SPACES):
            stray.append(-1)
        for at, child in enumerate(element):
            if child.tail is not None and child.tail.strip(SPACES):
                stray.append(at)
            below = place.child(str(child.tag))
            if below.is_group:
                found = self._carefully(child, below)
                found.above = group
                group.append(found)
                parts.append(found.shape)
            else:
                text, attributes, is_odd = child.text, child.items(), len(child) > 0
                group.append(text)
                key = None if text is None else below.writing(text)
                if attributes or is_odd:
                    key = below.token_key(key, attributes)
                key = (key, is_odd) if is_odd else key
                parts.append(below.tokens.get(key) or below.token(key, text, attributes, is_odd=is_odd))
        attributes = element.items()
        shape_key: tuple[Hashable, ...] = (*parts, tuple(attributes)) if attributes or stray else tuple(parts)
        shape_key = (*shape_key, tuple(stray)) if stray else shape_key
        group.shape = place.shapes.get(shape_key) or place.shape(shape_key, parts, attributes, tuple(stray))
        return group

"""What the model has no place for: its paths, without prefixes, with a position where an element is repeated."""

from typing import Final

from lxml import etree

from koppel_ubl.errors import ReadError
from koppel_ubl.safe_xml import check_depth

UNMAPPED_MAX: Final = 1_000
_POSITION_MAX: Final = 1_000
_SCHEMA_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
"""Attributes such as xsi:schemaLocation instruct XML tools; they are no part of the invoice."""


class Unmapped:
    """Collects the paths, up to a bound."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self.paths: list[str] = []

    def skip(self, element: etree._Element) -> None:
        """Note an element.

        Raises:
            ReadError: ``too_deep``; the reader does not enter it.
        """
        if len(element):
            check_depth(element)
        self._note(element, "")

    def skip_below(self, element: etree._Element, *tags: str) -> None:
        """Note the first child with each tag, or its attribute: ``{…}ID/@schemeID``."""
        for tag in tags:
            name, _, attribute = tag.partition("/@")
            child = element.find(name)
            if child is not None:
                self._note(child, f"/@{attribute}" if attribute else "")

    def skip_attributes(self, element: etree._Element, *known: str) -> None:
        """Note the attributes that are not known."""
        for name in element.keys():  # noqa: SIM118 (an element iterates over its children)
            if name not in known and not name.startswith(_SCHEMA_INSTANCE):
                self._note(element, f"/@{local(name)}")

    def _note(self, element: etree._Element, attribute: str) -> None:
        if len(self.paths) < UNMAPPED_MAX:
            self.paths.append(path_of(element, self._root) + attribute)
        elif len(self.paths) == UNMAPPED_MAX:
            self.paths.append("…")


def local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]


def path_of(element: etree._Element, root: etree._Element | None = None) -> str:
    """Return the path from the document's root: ``Invoice/InvoiceLine[2]/ID``."""
    parts: list[str] = []
    step: etree._Element | None = element
    while step is not None:
        parent = None if step is root else step.getparent()
        parts.append(local(str(step.tag)) + ("" if parent is None else _position(step)))
        step = parent
    return "/".join(reversed(parts))


def _position(element: etree._Element) -> str:
    before = 0
    tag = str(element.tag)
    for _ in element.itersiblings(tag, preceding=True):
        before += 1
        if before > _POSITION_MAX:
            return f"[>{_POSITION_MAX}]"
    if before == 0 and next(element.itersiblings(tag), None) is None:
        return ""
    return f"[{before + 1}]"


def failure(code: str, message: str, element: etree._Element) -> ReadError:
    """Return an error with the place of the element."""
    return ReadError(code, message, line=element.sourceline, path=path_of(element))

"""What a rule may ask about the document around a part: what it is about, and what is worked out once for all rules."""

from collections.abc import Callable
from typing import TypeVar

from .about import About
from .tree import Group, Tree

_R = TypeVar("_R")


class Facts:
    """The document to a rule.

    What ``about`` tells may decide on a part without further ado: answers are remembered for shapes in documents about the
    same. Whoever asks for more, for the tree or its root, has looked around; that answer is not remembered for the part.
    """

    __slots__ = ("_document", "about", "is_credit_note", "kept")

    def __init__(self, document: Tree, about: About) -> None:
        self._document = document
        self.about = about
        self.is_credit_note = document.is_credit_note
        self.kept: dict[object, tuple[object, bool]] = {}

    @property
    def tree(self) -> Tree:
        """The whole document."""
        self._document.top = 0
        return self._document

    @property
    def root(self) -> Group:
        """The ``Invoice`` or ``CreditNote``."""
        return self.tree.root


def once(function: Callable[[Facts], _R]) -> Callable[[Facts], _R]:
    """Work a fact out once for a document, and note each time it is asked for whether texts were read for it."""

    def fact(facts: Facts) -> _R:
        tree, kept = facts.tree, facts.kept
        if function not in kept:
            had_read, tree.has_read = tree.has_read, False
            kept[function] = function(facts), tree.has_read
            tree.has_read |= had_read
        found, has_read = kept[function]
        if has_read:
            tree.has_read = True
        return found  # type: ignore[return-value]  # kept under the function that found it

    return fact

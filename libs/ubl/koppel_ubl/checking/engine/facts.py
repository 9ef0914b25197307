"""What a rule may ask about the document around its node: its context, and what is worked out once for all rules."""

from collections.abc import Callable
from typing import TypeVar

from .document_context import DocumentContext
from .tree import Group, Tree

_R = TypeVar("_R")


class Facts:
    """The document around the node that a rule looks at.

    An answer that depends on ``context`` and ``is_credit_note`` is kept for the shape of the node and that context. An
    answer that depends on ``tree`` or ``root`` is not kept for the node.
    """

    __slots__ = ("_document", "context", "is_credit_note", "known")

    def __init__(self, document: Tree, context: DocumentContext) -> None:
        self._document = document
        self.context = context
        self.is_credit_note = document.is_credit_note
        self.known: dict[object, tuple[object, bool]] = {}

    @property
    def tree(self) -> Tree:
        """The whole document."""
        self._document.top = 0
        return self._document

    @property
    def root(self) -> Group:
        """The ``Invoice`` or ``CreditNote``."""
        return self.tree.root


def cached_by_document(function: Callable[[Facts], _R]) -> Callable[[Facts], _R]:
    """Work out a fact once for each document; every later use counts as reading the texts that it was found in."""

    def cached(facts: Facts) -> _R:
        tree, known = facts.tree, facts.known
        if function not in known:
            had_read, tree.has_read = tree.has_read, False
            known[function] = function(facts), tree.has_read
            tree.has_read |= had_read
        found, has_read = known[function]
        if has_read:
            tree.has_read = True
        return found  # type: ignore[return-value]  # cached under the function that returned it

    return cached

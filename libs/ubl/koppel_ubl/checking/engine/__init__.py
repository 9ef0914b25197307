"""The engine of the check: the tree of a document, the declaration of rules, and their evaluation.

This page is all that the layers of rules use of it. From the bottom up:

* ``written.py``, ``places.py`` – how values are written; places, tokens, shapes, and the memory that keeps them
* ``paths.py``, ``tree.py`` – a document as groups and values, made in one pass; rules never see lxml
* ``values.py`` – values as XPath 2.0 reads them: exact decimals, ties of rounding upwards, dates with zones
* ``caching.py``, ``document_context.py``, ``facts.py`` – answers that are kept for a shape; what a rule may know of the
  document around its node
* ``assertion.py``, ``rule_set.py`` – what must hold for a node, and how rules are declared
* ``layer.py``, ``evaluation.py`` – a layer of rules, and the evaluation of several of them on a document
"""

from .assertion import Assertion, Test, Violation
from .caching import cached_by_shape
from .document_context import BILLING, SELF_BILLING, DocumentContext
from .evaluation import evaluate
from .facts import Facts, cached_by_document
from .layer import Layer
from .places import Place
from .rule_set import EVERY_ELEMENT, Context, Find, Pattern, RuleSet
from .tree import Group, Node, Tree, Value
from .values import (
    ZERO,
    NotCastableError,
    amount,
    cents,
    decimal,
    decimals,
    in_binary,
    is_blank,
    is_not_negative,
    is_true,
    minute,
    normalised,
    rounded,
    share,
    sign,
)
from .written import SPACES

__all__ = [
    "BILLING",
    "EVERY_ELEMENT",
    "SELF_BILLING",
    "SPACES",
    "ZERO",
    "Assertion",
    "Context",
    "DocumentContext",
    "Facts",
    "Find",
    "Group",
    "Layer",
    "Node",
    "NotCastableError",
    "Pattern",
    "Place",
    "RuleSet",
    "Test",
    "Tree",
    "Value",
    "Violation",
    "amount",
    "cached_by_document",
    "cached_by_shape",
    "cents",
    "decimal",
    "decimals",
    "evaluate",
    "in_binary",
    "is_blank",
    "is_not_negative",
    "is_true",
    "minute",
    "normalised",
    "rounded",
    "share",
    "sign",
]

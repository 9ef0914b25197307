"""The rules of Peppol BIS Billing 3 and of its self-billing, with those of the countries, from their meaning.

Release 3.0.21 (May 2026) is followed.
"""

from dataclasses import replace

from koppel_ubl.checking.about import About
from koppel_ubl.checking.facts import Facts
from koppel_ubl.checking.layer import Layer
from koppel_ubl.checking.places import Place
from koppel_ubl.checking.question import Question, asked, chosen
from koppel_ubl.checking.tree import Group, Node

from . import codes, document, identifiers, lines  # noqa: F401 - each declares its rules
from .code_lists import RELEASE
from .codes import CODES, EMPTY_ELEMENT
from .document import EVERYTHING, PROJECT
from .national import PATTERNS as NATIONAL
from .rule import RULES, Below, Context, Pattern

__all__ = ["LAYER", "RELEASE"]

EMPTY, BASE, NATIONAL_FIRST = 0, 1, 2
"""The phases of this layer: empty elements are told first, then what all documents are asked, then each country."""
PATTERNS: tuple[Pattern, ...] = (PROJECT, EVERYTHING, CODES)


def _questions(place: Place, about: About) -> tuple[Question, ...]:
    if "peppol" not in place.asked:
        place.asked["peppol"] = (_NOT_EMPTY, *(each for pattern in PATTERNS for each in _of(pattern, place, BASE)))
    national = [
        question
        for number, pattern in enumerate(NATIONAL)
        if pattern.applies is not None and pattern.applies(about)
        for question in _of(pattern, place, NATIONAL_FIRST + number)
    ]
    base: tuple[Question, ...] = place.asked["peppol"]  # type: ignore[assignment]  # the layer keeps its own there
    return (*base, *national) if national else base


def _of(pattern: Pattern, place: Place, phase: int) -> tuple[Question, ...]:
    """Return what a pattern asks at a place, as one question: which of its contexts takes an element first."""
    if pattern not in place.asked:
        contexts = [each for context in pattern.contexts if (each := _at(context, place))]
        rules = [(each, tuple(asked(rule, holds, phase) for rule, holds in each.rules)) for each in contexts]

        def choose(node: Node, facts: Facts) -> tuple[Question, ...]:
            scheme = node.get("schemeID")
            for context, questions in rules:
                if context.scheme in {None, scheme} and (context.takes is None or context.takes(node, facts)):
                    return questions
            return ()

        place.asked[pattern] = (chosen(choose, phase),) if rules else ()
    return place.asked[pattern]  # type: ignore[return-value]  # the layer keeps its own there


def _at(context: Context, place: Place) -> Context | None:
    """Return the context as it is for all elements of a place, if it can take any of them."""
    if place.name not in context.names:
        return None
    if not isinstance(context.takes, Below):
        return context
    return replace(context, takes=None) if context.takes.takes(place) else None


def _is_filled(node: Node, facts: Facts) -> bool:
    if isinstance(node, Group):
        return bool(node.shape.parts) or -1 in node.shape.stray
    return not node.is_blank or node.token.is_odd


_NOT_EMPTY = asked(EMPTY_ELEMENT, _is_filled, EMPTY)
LAYER = Layer("peppol", RULES, _questions)

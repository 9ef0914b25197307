"""The rules of EN 16931 as bound to UBL: written from their meaning, in the order of the official pattern.

Release 1.3.16 (April 2026) of the validation artefacts is followed.
"""

from collections.abc import Callable, Iterator
from decimal import localcontext

from lxml import etree

from koppel_ubl.checking.layer import Layer, Subject, finding
from koppel_ubl.checking.report import Finding, Rule, Sentence
from koppel_ubl.checking.tree import Element, Group
from koppel_ubl.checking.values import DIGITS, NotCastableError

from . import (  # noqa: F401 - each declares its rules  # noqa: F401
    allowances,
    breakdown,
    code_lists,
    document,
    lines,
    parties,
    payment,
    restrictions,
    syntax,
    totals,
    vat_categories,
)
from .facts import Facts
from .registry import ATTRIBUTES, RULES, Judged, declare, judged

__all__ = ["LAYER"]

RELEASE = "1.3.16"
OCCURRENCES_MAX = 100
"""Findings of one rule in one document; more say nothing new and would let a hostile document fill the memory."""

_NOT_CASTABLE = declare(
    "KOPPEL-VALUE",
    "fatal",
    "",
    Sentence(
        "Deze waarde is geen getal, datum of ja/nee; daardoor zijn de regels van EN 16931 niet te beoordelen.",
        "Cette valeur n'est ni un nombre, ni une date, ni un oui/non ; les règles EN 16931 ne peuvent être jugées.",
        "This value is no number, date or yes/no; because of it the rules of EN 16931 cannot be judged.",
    ),
)


_USUAL_ATTRIBUTES = ("currencyID", "schemeID", "unitCode", "listID", "mimeCode", "filename")
# Almost every document has only the usual ones; looking for others is left to libxml2, which is the fastest at it.
_WITH_UNUSUAL_ATTRIBUTES: Callable[[Element], list[Element]] = etree.XPath(
    f".//*[@*[not({' or '.join(f'name()={name!r}' for name in _USUAL_ATTRIBUTES)})]]"
)


def judge(subject: Subject) -> list[Finding]:
    """Return the findings of one document; where a value cannot be understood, only that."""
    broken: dict[str, int] = {}
    findings: list[Finding] = []
    try:
        with localcontext(DIGITS):
            for rule, element in _broken(subject):
                broken[rule.id] = times = broken.get(rule.id, 0) + 1
                if times <= OCCURRENCES_MAX:
                    text = (element.text or "").strip()
                    findings.append(finding(rule, element, text or None))
    except NotCastableError as error:
        return [finding(_NOT_CASTABLE, error.element, error.element.text)]
    return findings


def _broken(subject: Subject) -> Iterator[tuple[Rule, Element]]:
    facts = Facts(subject.tree)
    yield from _unused_attributes(subject.root)
    for place, group, value in subject.tree.seen:
        here: Judged = place.judged or judged(place)  # type: ignore[assignment]  # the layer keeps its own there
        if here.is_free:
            continue
        element = group.element if value is None else value
        for rule in here.forbidden:
            yield rule, element
        if value is None:
            for rule in _broken_by_group(here, group, facts):
                yield rule, element
        else:
            for rule, holds in here.values:
                if not holds(value, group, facts):
                    yield rule, element


def _broken_by_group(here: Judged, group: Group, facts: Facts) -> Iterator[Rule]:
    for where, rules in here.groups:
        if where is None or where(group, facts):
            for rule, holds in rules:
                if not holds(group, facts):
                    yield rule
    for kind, rules_of in here.kinds:
        for rule, holds in rules_of.get(kind(group, facts) or "", ()):
            if not holds(group, facts):
                yield rule


def _unused_attributes(root: Element) -> Iterator[tuple[Rule, Element]]:
    for owner in _WITH_UNUSUAL_ATTRIBUTES(root):
        for name in owner.keys() & ATTRIBUTES.keys():
            if name != "name" or not str(owner.tag).endswith("}PaymentMeansCode"):
                yield ATTRIBUTES[name], owner


LAYER = Layer("en16931", RULES, judge)

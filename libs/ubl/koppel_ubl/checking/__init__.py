"""Checks a UBL document natively: structure, EN 16931, Peppol, and what the official rules do not see.

How the parts fit, for who adds a layer or a rule:

* ``check.py`` runs the layers in order and holds the one list of them, ``LAYERS``.
* A **layer** (``layer.py``) is a name, its rules by id, and one function ``judge(subject) -> Iterable[Finding]``. A
  sub-package makes one value ``LAYER = Layer("structure", RULES, judge)`` in its ``__init__`` and is added with an import and
  an entry in ``LAYERS``; nothing else knows it. ``judge`` never raises, whatever the document.
* A **rule** (``report.py``) is an id, a severity, the business terms it is about and a sentence of our own in three
  languages. ``layer.finding(rule, element, found)`` makes the finding, with path and line.
* ``subject.root`` is the ``Invoice`` or ``CreditNote`` element: a layer may walk it as it likes. ``subject.tree`` is the
  index that most layers use (``tree.py``), made in one pass. ``tree.seen`` gives each element
  with its *place*, a path whose rules are worked out once for all documents; that is what makes the check fast.
* ``values.py`` reads values as XPath 2.0 does: decimals without loss, ties of rounding upwards, blanks, dates with zones.
* ``codes/`` holds the code lists, each with its release.

An example of a rule is ``BR-01`` in ``en16931/document.py``: a small named function under a decorator.

The whole check must stay thirty times faster than the official compiled rules: what costs time is touching elements, so a
layer looks at each of them once, and prefers one dictionary look-up to a search.
"""

from .check import LAYERS, PROFILES, Profile, check, rule
from .report import Finding, Report, Rule, Sentence, Severity

__all__ = ["LAYERS", "PROFILES", "Finding", "Profile", "Report", "Rule", "Sentence", "Severity", "check", "rule"]

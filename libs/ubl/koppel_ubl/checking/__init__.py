"""Checks a UBL document natively: structure, EN 16931, Peppol, and what the official rules do not see.

How the parts fit, for who adds a layer or a rule:

* ``check.py`` runs the layers and holds the one list of them, ``LAYERS``.
* A **layer** (``layer.py``) is a name, its rules by id, and what it asks at a *place*: a path of names such as
  ``/cac:InvoiceLine/cac:Item``. A sub-package makes one value ``LAYER = Layer("own", RULES, questions)`` in its ``__init__``
  and is added with an import and an entry in ``LAYERS``; nothing else knows it.
* A **rule** (``report.py``) is an id, a severity, the business terms it is about and a sentence of our own in three
  languages. A **question** (``question.py``) is a small function of a node and the ``Facts`` that says whether the rule holds,
  under a decorator; ``BR-08`` in ``en16931/document.py`` is an example. ``asked(rule, holds)`` makes one; ``chosen`` makes one
  that comes down to others. They never raise, but for ``NotCastableError`` where a value is no number or date.
* A **node** (``tree.py``) is a ``Group`` or a ``Value``. ``Tree`` makes the groups in one pass; rules meet no lxml.
* ``about.py`` and ``facts.py`` are what a rule may ask of the document around its node.
* ``values.py`` reads values as XPath 2.0 does: decimals without loss, ties of rounding upwards, blanks, dates with zones.
* ``codes/`` holds the code lists, each with its release.

The whole check must be fast: thirty times as fast as the official compiled rules is the aim, and most of it is reached. What
makes it so: most answers depend on no free text. Groups with the same elements, attributes and codes have one *shape*
(``places.py``, ``shape.py``), and the lines of an invoice, or the invoices of a sender, have few of them. The first time a
group of some shape is met, everything is asked, and the tree is watched: a good answer for which no free text was read holds
for the shape and is not asked again (``judging.py``). What is left is a plan of some fifty questions: sums, check digits,
dates. Nobody declares which rules those are: every way to a text (``text``, ``whole``, ``element``, ``amount``, ``figure``), up
(``Group.parent``) and around (``Facts``) notes that it was gone. No document and no free text is ever remembered, and what is
remembered is bounded.
"""

from .check import LAYERS, PROFILES, Profile, check, rule
from .report import Finding, Report, Rule, Sentence, Severity

__all__ = ["LAYERS", "PROFILES", "Finding", "Profile", "Report", "Rule", "Sentence", "Severity", "check", "rule"]

"""Checks a UBL document natively: structure, EN 16931, Peppol, and what the official rules do not see.

How to add a rule or a layer:

* A **rule** (``koppel_ubl/report.py``) has an id, a severity, the business terms it concerns, and a sentence of our own in three
  languages. Every layer declares its rules in the same way, described in ``engine/rule_set.py``: a ``RuleSet``, a context that
  says where the rule applies, and a small function of a node and the ``Facts`` that says whether it holds; ``BR-08`` in
  ``en16931/document.py`` is an example. Such a function raises nothing but ``NotCastableError``, for a value that is no number
  or date.
* A **layer** is a sub-package with a value ``LAYER``. ``check.py`` runs the layers; a new one is an entry in its ``LAYERS``.
* The **engine** (``engine/``) is used through its ``__init__`` only. ``codes/`` holds the code lists, each with its release.

The check has to be fast: thirty times as fast as the official compiled rules is the aim. It is fast because most answers depend
on no free text. Groups with the same elements, attributes and codes have one *shape*, and the lines of an invoice, or the
invoices of a sender, have few of them. The first group of a shape is evaluated in full. An answer that read no free text is
kept for the shape, and found again with one look-up; only some fifty assertions about sums, check digits and dates remain for
each document (``engine/evaluation.py``). No rule declares which answers can be kept: every way to a text (``text``, ``whole``,
``element``, ``amount``, ``figure``), upwards (``Group.parent``) and to the document (``Facts``) records that it was used.
Documents and free texts are never kept, and what is kept is bounded.
"""

from koppel_ubl.report import Finding, Report, Rule, Sentence, Severity

from .check import LAYERS, PROFILES, Profile, check, rule

__all__ = ["LAYERS", "PROFILES", "Finding", "Profile", "Report", "Rule", "Sentence", "Severity", "check", "rule"]

"""Checks CODA strictly, where the reader is tolerant: 33 rules, each with line, column and a sentence that helps.

``check.py`` runs them over a file, ``series.py`` over the statements of an account; ``rules.py`` holds them all by id,
``of_lines.py`` those about one line and ``of_statements.py`` those about the lines of a statement together.
"""

from koppel_coda.report import Finding, Report, Rule, Sentence, Severity

from .check import check
from .rules import MULTIPLE, RULES
from .series import check_series

MULTIPLE_FILES = MULTIPLE.id
"""The rule that more than half of all banks break and that no reader minds: nothing to show to people."""

__all__ = ["MULTIPLE_FILES", "RULES", "Finding", "Report", "Rule", "Sentence", "Severity", "check", "check_series"]

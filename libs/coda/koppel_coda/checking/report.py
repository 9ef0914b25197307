"""What a check tells: rules, findings with line and column, and the report that holds them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Severity = Literal["error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in the three languages, as text English; in a rule it has places for what was found."""

    nl: str
    fr: str
    en: str

    def __str__(self) -> str:
        return self.en

    def filled(self, facts: dict[str, object]) -> "Sentence":
        """Return the sentence with what was found in its places."""
        return Sentence(self.nl.format(**facts), self.fr.format(**facts), self.en.format(**facts))


@dataclass(frozen=True, slots=True)
class Rule:
    """A strict rule: ``id`` is ``CODA-01`` … ``CODA-33``."""

    id: str
    severity: Severity
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule does not hold.

    Attributes:
        line: line in the file, counted from 1; 0 when the file has none.
        column: position in the line, counted from 1.
        statement: which statement of the file, counted from 1.
    """

    rule: str
    severity: Severity
    message: Sentence
    line: int
    column: int
    statement: int


@dataclass(frozen=True)
class Report:
    """All findings of a file or of a series of statements, in their order."""

    findings: tuple[Finding, ...]

    @cached_property
    def valid(self) -> bool:
        """Whether there is no error; warnings leave a file valid."""
        return not self.errors

    @cached_property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the file one that no package should book."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that somebody should look at."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def by_rule(self) -> dict[str, list[Finding]]:
        """Return the findings of each rule that does not hold, in their order."""
        grouped: dict[str, list[Finding]] = {}
        for finding in self.findings:
            grouped.setdefault(finding.rule, []).append(finding)
        return grouped

    def rules(self) -> frozenset[str]:
        """Return the ids of the rules that do not hold."""
        return frozenset(finding.rule for finding in self.findings)

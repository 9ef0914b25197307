"""What a check returns: rules, findings, and the report that holds them; other formats' checks return the same shape."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Severity = Literal["error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in Dutch, French and English; as text it is English. That of a rule has ``{places}`` for what was found."""

    nl: str
    fr: str
    en: str

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: ``id`` is ``CODA-01`` … ``CODA-33``."""

    id: str
    severity: Severity
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule does not hold.

    Attributes:
        line: line in the bytes as received, counted from 1; None where there is none.
        column: position in the line, counted from 1.
        path: always None: a place in a CODA file is its line and column.
        found: the value that was found there; None where nothing was found or there is no single value.
        statement: which statement of the file, or of the series, counted from 1.
    """

    rule: str
    severity: Severity
    message: Sentence
    line: int | None
    column: int | None
    path: str | None
    found: str | None
    statement: int


@dataclass(frozen=True)
class Report:
    """All findings of a file or of a series of statements, in the order of the file."""

    findings: tuple[Finding, ...]

    @cached_property
    def valid(self) -> bool:
        """Whether there is no error; warnings leave a file valid."""
        return not self.errors

    @cached_property
    def errors(self) -> tuple[Finding, ...]:
        """The findings for which no package should book the file: those of severity ``error``."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that leave the file valid and still deserve attention."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def rules(self) -> frozenset[str]:
        """Return the ids of the broken rules."""
        return frozenset(finding.rule for finding in self.findings)

    def by_rule(self) -> dict[str, tuple[Finding, ...]]:
        """Return the findings of each broken rule, in their order."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.rule, []).append(finding)
        return {rule: tuple(findings) for rule, findings in groups.items()}

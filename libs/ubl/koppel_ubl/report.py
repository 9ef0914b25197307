"""What a check tells: rules, findings and the report that holds them (shape: reference sheet B5)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Severity = Literal["fatal", "warning"]
LayerName = Literal["structure", "en16931", "peppol", "house_rules"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of ours in the three languages; as text it is English."""

    nl: str
    fr: str
    en: str

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as people meet it: what it is called, how bad breaking it is, what it asks.

    Attributes:
        id: the official identifier, such as ``BR-01``; ``KOPPEL-…`` for our own.
        term: the business terms it is about, such as ``BT-1``; empty for rules about the syntax.
    """

    id: str
    severity: Severity
    layer: LayerName
    term: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule does not hold.

    Attributes:
        path: XPath of the element, with the usual prefixes ``cac`` and ``cbc``: ``/Invoice/cac:InvoiceLine[2]/cbc:ID``.
        line: line in the bytes as received, where known.
        found: the value that was found there, shortened; None where nothing was found or there is no single value.
    """

    rule: str
    severity: Severity
    layer: LayerName
    term: str
    message: Sentence
    path: str
    line: int | None
    found: str | None = None


@dataclass(frozen=True)
class Report:
    """All findings of one document, in the order of the layers; ``profile`` is the set of rules that was applied."""

    profile: str
    findings: tuple[Finding, ...]

    @cached_property
    def valid(self) -> bool:
        """Whether no fatal rule is broken."""
        return not self.fatal

    @cached_property
    def fatal(self) -> tuple[Finding, ...]:
        """The findings that make the document invalid."""
        return tuple(finding for finding in self.findings if finding.severity == "fatal")

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that leave the document valid."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def rules(self, *layers: LayerName) -> frozenset[str]:
        """Return the ids of the broken rules, of the given layers or of all."""
        return frozenset(finding.rule for finding in self.findings if not layers or finding.layer in layers)

    def by_rule(self) -> dict[str, tuple[Finding, ...]]:
        """Return the findings per rule, for one message per rule with its lines."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.rule, []).append(finding)
        return {rule: tuple(findings) for rule, findings in groups.items()}

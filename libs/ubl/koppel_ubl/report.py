"""What a check returns: rules, findings, and the report that holds them; other formats' checks return the same shape."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Severity = Literal["fatal", "warning"]
LayerName = Literal["structure", "en16931", "peppol", "house_rules"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of ours in Dutch, French and English; as text it is English."""

    nl: str
    fr: str
    en: str

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, how bad it is to break it, and what it requires.

    Attributes:
        id: the official identifier, such as ``BR-01``; ``KOPPEL-…`` for our own.
        term: the business terms that it concerns, such as ``BT-1``; empty for rules about the syntax.
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
        line: line in the bytes as received, counted from 1; None where it is not known.
        column: always None: a place in XML is its line and path.
        path: XPath of the element, with the usual prefixes ``cac`` and ``cbc``: ``/Invoice/cac:InvoiceLine[2]/cbc:ID``.
        found: the value that was found there, shortened; None where nothing was found or there is no single value.
        layer: the layer of the rule; ``term``: the business terms that it concerns.
    """

    rule: str
    severity: Severity
    message: Sentence
    line: int | None
    column: int | None
    path: str | None
    found: str | None
    layer: LayerName
    term: str


@dataclass(frozen=True)
class Report:
    """All findings of one document, in the order of the layers; ``profile`` is the set of rules that was applied."""

    findings: tuple[Finding, ...]
    profile: str

    @cached_property
    def valid(self) -> bool:
        """Whether no fatal rule is broken; warnings leave a document valid."""
        return not self.errors

    @cached_property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the document invalid: those of severity ``fatal``."""
        return tuple(finding for finding in self.findings if finding.severity == "fatal")

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that leave the document valid and still deserve attention."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def rules(self, *layers: LayerName) -> frozenset[str]:
        """Return the ids of the broken rules, of the given layers or of all."""
        return frozenset(finding.rule for finding in self.findings if not layers or finding.layer in layers)

    def by_rule(self) -> dict[str, tuple[Finding, ...]]:
        """Return the findings of each broken rule, in their order."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.rule, []).append(finding)
        return {rule: tuple(findings) for rule, findings in groups.items()}

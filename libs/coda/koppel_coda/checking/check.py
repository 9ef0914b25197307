"""The check of a file against the strict rules."""

from collections.abc import Iterator
from io import BytesIO
from itertools import chain

from koppel_coda.errors import ReadError
from koppel_coda.reading import iter_statements, lines
from koppel_coda.report import Finding, Report, Rule

from . import of_lines, of_statements, rules
from .records import records_of
from .series import check_series

FINDINGS_MAX = 1000
"""In one file; beyond that only the first finding of each rule is reported, so that no number of warnings hides an error."""
_RULES_OF_ERRORS: dict[str, Rule] = {"line_too_long": rules.LENGTH}


def check(data: bytes, *, version_1: bool = False) -> Report:
    """Check a CODA file against the 33 strict rules; several statements in it also as the series they are.

    It never raises: bytes that are no CODA are a finding too. ``version_1`` accepts files of version 1 as well.
    For statements of several files see ``check_series``.
    """
    findings: list[Finding] = []
    reported: set[str] = set()
    for finding in chain(_findings(data, version_1=version_1), _of_series(data)):
        if len(findings) < FINDINGS_MAX or finding.rule not in reported:
            findings.append(finding)
            reported.add(finding.rule)
    return Report(tuple(findings))


def _of_series(data: bytes) -> Iterator[Finding]:
    try:
        yield from check_series(iter_statements(BytesIO(data))).findings
    except ReadError:
        return  # the findings about lines report what cannot be read


def _findings(data: bytes, *, version_1: bool) -> Iterator[Finding]:
    statements: list[lines.Lines] = []
    broken: ReadError | None = None
    try:
        statements.extend(lines.statements(BytesIO(data)))
    except ReadError as error:
        broken = error
    statements = [each for each in statements if any(text.strip() for text in each.texts)]
    if not statements and broken is None:
        yield rules.found_at(rules.NO_HEADER, None, 1, 1)
    for number, each in enumerate(statements, 1):
        records = list(records_of(each.first, each.texts))
        if records[0].text[0] != "0":
            yield rules.found_at(rules.NO_HEADER, records[0].line, 1, number)
            return
        for record in records:
            yield from of_lines.findings_of(record, number, version_1=version_1)
        yield from of_statements.findings_of(records, number, last=number == len(statements) and broken is None)
    if broken is not None:
        rule = _RULES_OF_ERRORS.get(broken.code, rules.CHARACTERS)
        yield rules.found_at(rule, broken.line, broken.column or 1, len(statements) + 1, found=broken.message)

"""From what a format's reader and check report to what a document shows; both formats report in the same shape."""

from typing import Any

import koppel_coda
import koppel_ubl
from dossier_api.parsed import finding
from koppel_mesh.http.problems import FieldError, printable

TEXT_MAX = 500

Finding = koppel_ubl.Finding | koppel_coda.Finding


def findings_of(report: koppel_ubl.Report | koppel_coda.Report, *, without: str | None = None) -> list[dict[str, Any]]:
    """Return every broken rule once, at its first place: the rest would repeat its sentence. ``without`` leaves a rule out."""
    return [_finding(found[0]) for rule, found in report.by_rule().items() if rule != without]


def _finding(found: Finding) -> dict[str, Any]:
    nl, fr, en = (printable(text)[:TEXT_MAX] for text in (found.message.nl, found.message.fr, found.message.en))
    return finding(found.rule, found.severity, nl=nl, fr=fr, en=en, xpath=found.path, line=found.line)


def error_of(error: koppel_coda.ReadError) -> FieldError:
    """Return why the bytes cannot be read, with the place as the format names it."""
    line, column = error.line, error.column
    where = ", ".join(f"{name} {number}" for name, number in (("line", line), ("column", column)) if number)
    message = printable(f"{error.message} ({where})" if where else error.message)[:TEXT_MAX]
    field = None if column is None else f"line {line or 0}"
    return FieldError(field=field, xpath=error.path, rule=error.code, message=message)

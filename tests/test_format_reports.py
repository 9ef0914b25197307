"""The two format libraries may not import each other; what they report has one shape all the same.

Why: whoever shows findings of an invoice shows those of a statement too. With two shapes each caller would translate, and each
would forget something else.
"""

from dataclasses import fields
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

import koppel_coda
import koppel_ubl

FINDING = ("rule", "severity", "message", "line", "column", "path", "found")
"""What both have, first and in this order; what follows belongs to one format."""
LIBRARIES = (koppel_ubl, koppel_coda)
INVOICE = b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>'


def names(shape: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(shape))


def types(library: ModuleType, shape: str, *wanted: str) -> dict[str, str]:
    """Return the types of fields, each without the library that it is of."""
    found = get_type_hints(getattr(library, shape))
    return {name: str(found[name]).replace(library.__name__, "") for name in wanted}


def public(shape: Any) -> set[str]:
    return {name for name in dir(shape) if not name.startswith("_")} - set(names(shape))


def test_findings_begin_with_the_same_fields() -> None:
    assert [names(library.Finding)[: len(FINDING)] for library in LIBRARIES] == [FINDING, FINDING]
    own = [set(names(library.Finding)[len(FINDING) :]) for library in LIBRARIES]
    assert own == [{"layer", "term"}, {"statement"}], "a field that both have belongs to FINDING"
    plain = [name for name in FINDING if name != "severity"]
    assert types(koppel_ubl, "Finding", *plain) == types(koppel_coda, "Finding", *plain)


def test_sentences_rules_and_reports_are_the_same() -> None:
    assert names(koppel_ubl.Sentence) == names(koppel_coda.Sentence) == ("nl", "fr", "en")
    for library in LIBRARIES:
        assert {"id", "severity", "sentence"} <= set(names(library.Rule))
        assert names(library.Report)[0] == "findings"
    assert (
        public(koppel_ubl.Report) == public(koppel_coda.Report) == {"valid", "errors", "warnings", "rules", "by_rule"}
    )
    assert str(koppel_ubl.Sentence("n", "f", "e")) == str(koppel_coda.Sentence("n", "f", "e")) == "e"


def test_severities_differ_in_the_official_name_of_an_error_only() -> None:
    ubl, coda = (set(get_args(get_type_hints(library.Finding)["severity"])) for library in LIBRARIES)
    assert ubl - coda == {"fatal"} and coda - ubl == {"error", "information"}


@pytest.mark.parametrize(("library", "data"), [(koppel_ubl, INVOICE), (koppel_coda, b"0")])
def test_reports_answer_alike(library: ModuleType, data: bytes) -> None:
    report = library.check(data)
    assert not report.valid and report.errors and set(report.errors) <= set(report.findings)
    assert not set(report.errors) & set(report.warnings)
    assert set(report.by_rule()) == report.rules()
    assert sum(report.by_rule().values(), ()) and {type(found) for found in report.by_rule().values()} == {tuple}
    assert all(found.line is not None for found in report.findings)


@pytest.mark.parametrize(("library", "data"), [(koppel_ubl, b"<Invoice>\n"), (koppel_coda, b"neither")])
def test_a_refusal_has_the_same_fields(library: ModuleType, data: bytes) -> None:
    with pytest.raises(library.ReadError) as refused:
        library.read(data)
    error = refused.value
    assert isinstance(error.code, str) and isinstance(error.message, str) and isinstance(error.line, int)
    assert (error.column is None) is (library is koppel_ubl)
    assert hasattr(error, "path")

"""Words that were given up do not come back (docs/glossary.md).

Why: a word of our own for something the field has a name for is a word that every reader must learn, and that no search
engine finds. Renaming once is not enough: the old word sits in the fingers of who used it for a year.

A row bans a word below some folders: in names (of files, functions, classes, arguments, variables, attributes; also as a part
of a longer name), and where ``prose`` is set also in docstrings, comments and pages; where ``in_tests`` is set, also in tests.
Add rows for what you rename.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

FORMATS = ("libs/ubl", "libs/coda")
ITSELF = PurePosixPath("tests/architecture/test_words.py")
SANDBOX_AND_DEPLOY = ("sandbox", "deploy")
SERVICE_TESTS = (
    "services/connector-exact/tests",
    "services/dossier-api/tests",
    "services/export-scheduler/tests",
)
EXACT = ("services/connector-exact/connector_exact", "services/connector-exact/README.md")
LEDGER = ("libs/connector-kit/koppel_connector/ledger",)
TESTS = ("tests", "services/connector-exact/tests", "services/dossier-api/tests", "libs/connector-kit")


@dataclass(frozen=True)
class Banned:
    """A word, or several with ``_`` between them, and what to write instead."""

    old: str
    new: str
    below: tuple[str, ...] = FORMATS
    prose: bool = False
    in_tests: bool = False


WORDS = (
    Banned("pass_over", "reader"),
    Banned("unread", "unmapped", prose=True),
    Banned("judging", "engine, evaluation", prose=True),
    Banned("judge", "check, evaluate"),
    Banned("question", "assertion", prose=True),
    Banned("asked", "required, evaluated", prose=True),
    Banned("about", "document_context, context"),
    Banned("said", "violation, message", prose=True),
    Banned("told", "reported, rendered", prose=True),
    Banned("tell", "report, render"),
    Banned("hear", "record"),
    Banned("let_go", "release", prose=True),
    Banned("put_up_with", "tolerate", prose=True),
    Banned("puts_up_with", "tolerates", prose=True),
    Banned("own_checks", "house_rules", prose=True),
    Banned("somebody", "a person, a rule, a caller", prose=True),
    Banned("tell", "report, show, notify", SANDBOX_AND_DEPLOY, prose=True),
    Banned("tells", "reports, shows, distinguishes", SANDBOX_AND_DEPLOY, prose=True),
    Banned("told", "reported, shown, written", SANDBOX_AND_DEPLOY, prose=True),
    Banned("lacks", "is missing", SANDBOX_AND_DEPLOY, prose=True),
    Banned("mend", "repair, correct", SANDBOX_AND_DEPLOY, prose=True),
    Banned("neighbours", "vendors, services", SANDBOX_AND_DEPLOY, prose=True),
    Banned("neighbour", "vendor, service", SANDBOX_AND_DEPLOY, prose=True),
    Banned("room", "distribution, package, folder", (*TESTS, "Makefile"), prose=True, in_tests=True),
    Banned("rooms", "distributions, packages, folders", (*TESTS, "Makefile"), prose=True, in_tests=True),
    Banned("house", "mesh", ("tests",), in_tests=True),
    Banned("shop", "testbed", TESTS, in_tests=True),
    Banned("workshop", "testbed", TESTS, in_tests=True),
    Banned("desk", "direct_vendor, client", TESTS, in_tests=True),
    Banned("papers", "document_samples, documents", TESTS, in_tests=True),
    Banned("hand", "deliver", ("libs/connector-kit/koppel_connector/testing",)),
    Banned("told", "result, event, reported", SERVICE_TESTS, in_tests=True),
    Banned("tell", "send, report", SERVICE_TESTS, in_tests=True),
    Banned("hear", "deliver", SERVICE_TESTS, in_tests=True),
    Banned("heard", "received", SERVICE_TESTS, in_tests=True),
    Banned("masters", "master_data", EXACT),
    Banned("told", "answered, reported, shown", (*EXACT, *LEDGER), prose=True),
    Banned("tells", "shows, says, contains", (*EXACT, *LEDGER), prose=True),
    Banned("somebody", "a person, another", (*EXACT, *LEDGER), prose=True),
    Banned("nobody", "no person, unknown", (*EXACT, *LEDGER), prose=True),
    Banned("hangs", "is attached to", (*EXACT, *LEDGER), prose=True),
)


def offences(path: PurePosixPath, text: str, words: tuple[Banned, ...] = WORDS) -> list[str]:
    """Return every use of a banned word in one file."""
    rows = [
        row
        for row in words
        if any(path.is_relative_to(place) for place in row.below) and (row.in_tests or "tests" not in path.parts)
    ]
    if not rows:
        return []
    found = [f"{path}: {row.old}, write {row.new}" for row in rows if _is_in_name(row.old, path.stem)]
    if path.suffix != ".py":
        return found + [_shown(path, line, row) for line, prose in _page(text) for row in rows if _is_in(row, prose)]
    for line, name in _names(text):
        found += [_shown(path, line, row) for row in rows if _is_in_name(row.old, name)]
    for line, prose in _prose(text):
        found += [_shown(path, line, row) for row in rows if _is_in(row, prose)]
    return found


def _shown(path: PurePosixPath, line: int, row: Banned) -> str:
    return f"{path}:{line}: {row.old}, write {row.new}"


def _is_in_name(old: str, name: str) -> bool:
    return f"_{old}_" in f"_{'_'.join(word.lower() for word in re.findall(r'[A-Z]?[a-z]+|[A-Z]+', name))}_"


def _is_in(row: Banned, prose: str) -> bool:
    return row.prose and re.search(rf"\b{row.old.replace('_', '[_ -]')}\b", prose, re.IGNORECASE) is not None


def _names(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def _prose(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            yield token.start[0], token.string


def _page(text: str) -> Iterator[tuple[int, str]]:
    prose = re.sub(r"^```.*?^```", lambda block: "\n" * block.group().count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    return enumerate(prose.splitlines(), 1)


def test_words_that_were_given_up_stay_away(checkout: Any) -> None:
    pages = [(path, text) for path, text in checkout.texts(".md") if "samples" not in path.parts]
    pages += [(path, text) for path, text in checkout.texts() if path.name == "Makefile"]
    sources = [(source.path, source.text) for source in checkout.sources if source.path != ITSELF]
    assert [offence for path, text in [*pages, *sources] for offence in offences(path, text)] == []


def test_every_row_names_places_that_exist(checkout: Any) -> None:
    lost = {place for row in WORDS for place in row.below if not (checkout.root / place).exists()}
    assert lost == set()


def test_the_rule_can_fail() -> None:
    path = PurePosixPath("libs/ubl/koppel_ubl/x.py")
    rows = (Banned("let_go", "release"), Banned("told", "reported", prose=True), Banned("about", "context"))
    for text in (
        "def let_go(): ...",
        "class LetGo: ...",
        "x.was_told = 1",
        "def f(about): ...",
        "# somebody told it\n",
    ):
        assert offences(path, text, rows), text
        assert not offences(PurePosixPath("services/x/x.py"), text, rows), text
    for text in ("x = about", '"""Rules about lines."""', "untold = 1", "f('told')"):
        assert not offences(path, text, rows), text
    test = PurePosixPath("libs/ubl/tests/test_x.py")
    assert not offences(test, "was_told = 1", rows)
    assert offences(test, "was_told = 1", (Banned("told", "reported", in_tests=True),))
    page = PurePosixPath("libs/ubl/README.md")
    assert offences(page, "what was told", rows) and not offences(page, "```\ntold\n```\n", rows)
    assert offences(PurePosixPath("libs/ubl/koppel_ubl/let_go.py"), "", rows)

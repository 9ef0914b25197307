"""Small rules that keep the whole readable: sizes, entry points, words, and nothing of one developer's machine."""

import ast
import re
from pathlib import PurePosixPath
from typing import Any

LINES_MAX = 400
"""A file one can read in a sitting; the house aims at 300."""


GENERATED = PurePosixPath("libs/client/koppel_client/generated")
"""Written by ``make client``, read by type checkers."""


def too_long(source: Any) -> list[str]:
    """Nobody plans a module of 3,000 lines; it grows by one class at a time because no number says stop."""
    if source.path.is_relative_to(GENERATED):
        return []
    lines = source.text.count("\n")
    return [f"{source.path} has {lines} lines"] if lines > LINES_MAX else []


def not_three_lines(source: Any) -> list[str]:
    """A service is one value; an entry point that does more makes a pod differ from the laptop."""
    if source.path.name != "__main__.py" or not source.distribution.startswith("services/"):
        return []
    body = [
        node for node in source.tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    right = len(body) == 3 and isinstance(body[2], ast.Expr) and ast.unparse(body[2]) == "main(SERVICE)"
    return [] if right else [f"{source.path} does more than main(SERVICE)"]


_HOMES = ("work", "root", "home", "Users")
_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".org",
    "proxy.golang" + ".org",
    "index" + "-url",
    "/pypi" + "/",
)
_MACHINE = re.compile(rf"(?<![\w.~/-])/(?:{'|'.join(_HOMES)})/[\w.-]+|" + "|".join(map(re.escape, _HOSTS)))
_MARKS = re.compile(r"\b(?:TODO|FIXME|XXX)\b")


def of_a_machine(path: PurePosixPath, text: str) -> list[str]:
    """A path or a package registry of the machine it was written on works nowhere else, and tells about that machine."""
    return [f"{path}: {match.group()}" for match in _MACHINE.finditer(text)]


BANNED = {
    "tenant": "firm",
    "organisation": "firm",
    "plugin": "connector",
    "diary": "journal",
    "bookkeeper": "accountant",
    "quota": "budget",
}
"""Words the glossary gives up for another, where that word can mean nothing else in code."""


def wrong_words(source: Any) -> list[str]:
    """Two words for one thing make a reader look for the difference."""
    found = []
    for node in ast.walk(source.tree):
        name = ""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.id if isinstance(node, ast.Name) else node.attr
        words = {word.lower().rstrip("s") for word in re.findall(r"[A-Z]?[a-z]+", name)}
        found += [
            f"{source.path}:{getattr(node, 'lineno', 0)} {name}: say {BANNED[word]}" for word in words & BANNED.keys()
        ]
    return found


def test_files_are_short(checkout: Any) -> None:
    assert [offence for source in checkout.sources for offence in too_long(source)] == []


def test_a_services_main_is_three_lines(checkout: Any) -> None:
    mains = [
        source
        for source in checkout.shipped
        if source.path.name == "__main__.py" and source.distribution.startswith("services/")
    ]
    assert len(mains) >= 4
    assert [offence for source in mains for offence in not_three_lines(source)] == []


def test_nothing_of_one_machine_is_committed(checkout: Any) -> None:
    assert [offence for path, text in checkout.texts() for offence in of_a_machine(path, text)] == []


def test_nothing_is_left_for_later(checkout: Any) -> None:
    marked = [f"{source.path}: {mark}" for source in checkout.shipped for mark in _MARKS.findall(source.text)]
    assert marked == []


def test_code_uses_the_words_of_the_glossary(checkout: Any) -> None:
    glossary = dict(checkout.texts(".md"))[PurePosixPath("docs/glossary.md")]
    rows = [line.split("|")[1:4] for line in glossary.splitlines() if line.startswith("| **")]
    for banned, word in BANNED.items():
        assert any(word in kept and banned in given_up for kept, _, given_up in rows), (
            f"{banned} is not in the glossary"
        )
    assert [offence for source in checkout.shipped for offence in wrong_words(source)] == []


def test_the_rules_can_fail(source: Any) -> None:
    path = PurePosixPath("services/x/x/__main__.py")
    assert too_long(source(path, "\n" * (LINES_MAX + 1))) and not too_long(source(path, "\n" * LINES_MAX))
    good = '"""Doc."""\nfrom koppel_mesh.runtime import main\nfrom .service import SERVICE\nmain(SERVICE)\n'
    assert not not_three_lines(source(path, good)) and not_three_lines(source(path, good + "print(1)\n"))
    for text in ("cd " + "/ho" + "me/me/x", "see https://pypi" + ".org/x", "open('/ro" + "ot/x')"):
        assert of_a_machine(path, text), text
    for text in ("GET /v1/home", "https://example.be/ho" + "me/x", "~/papers/x"):
        assert not of_a_machine(path, text), text
    assert _MARKS.search("# TO" + "DO later")
    for text in ("def tenant_of(a): ...", "class PluginError: ...", "quota = 1", "def f(bookkeepers): ..."):
        assert wrong_words(source(path, text)), text
    assert not wrong_words(source(path, "firm = tenant"))

"""Every path that a page names exists.

Why: a guide that describes folders long gone is worse than none: the reader trusts it once. Pages and code move apart at
the first rename, silently, unless a test reads both.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

TOPS = ("libs/", "services/", "sandbox/", "deploy/", "tests/", "docs/", "bench/")
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^[\w./-]+\.(py|md|toml|json|xml|yaml)$")
GENERATED = {".koppel"}


def missing(path: PurePosixPath, text: str, root: Path) -> list[str]:
    """Return every path in one page that leads nowhere."""
    prose = _FENCE.sub("", text)
    found = [
        f"{path} links to {link}"
        for link in _LINK.findall(prose)
        if "://" not in link and not link.startswith("mailto:") and not (root / path.parent / link).exists()
    ]
    for token in _CODE.findall(prose):
        name = token.rstrip("/").split("::")[0]
        if "*" in name or "<" in name or "{" in name or " " in name or name.split("/")[0] in GENERATED:
            continue
        if name.startswith(TOPS):
            if not (root / name).exists() and not (root / path.parent / name).exists():
                found.append(f"{path} names {token}")
        elif _FILE.match(name) and not _below(root / path.parent, name, root):
            found.append(f"{path} names {token}")
    return found


def _below(folder: Path, name: str, root: Path) -> bool:
    """A page of a distribution names its files by what follows its folder, or the bare name."""
    if (folder / name).exists() or (root / name).exists():
        return True
    parts = PurePosixPath(name).parts
    return any(
        found.parts[-len(parts) :] == parts
        for found in folder.rglob(parts[-1])
        if not GENERATED & set(found.parts) and "node_modules" not in found.parts
    )


def test_every_path_named_in_a_page_exists(checkout: Any) -> None:
    pages = [(path, text) for path, text in checkout.texts(".md") if "samples" not in path.parts]
    assert len(pages) > 5
    assert [lost for path, text in pages for lost in missing(path, text, checkout.root)] == []


TABLES = {
    "libs/connector-kit/README.md": "libs/connector-kit/koppel_connector",
    "libs/bookkeeping/README.md": "libs/bookkeeping/koppel_bookkeeping",
}
"""Page → the package of which it has a line for each module."""


def rows(page: str) -> list[str]:
    """Return every module that the first cell of a table's row names."""
    return [
        name
        for cell in re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE)
        for name in re.findall(r"`([\w/]+\.py)`", cell)
    ]


@pytest.mark.parametrize(("page", "package"), TABLES.items())
def test_a_table_of_modules_leaves_none_out(checkout: Any, page: str, package: str) -> None:
    modules = [
        str(path.relative_to(package))
        for path in checkout.files
        if path.is_relative_to(package)
        and path.suffix == ".py"
        and path.name != "__init__.py"
        and "versions" not in path.parts
    ]
    assert len(modules) > 10
    assert sorted(rows((checkout.root / page).read_text("utf-8"))) == sorted(modules)


def test_the_rule_can_fail(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").touch()
    page = PurePosixPath("README.md")
    for text in ("see `libs/nowhere`", "see [x](docs/b.md)", "the file `gone.py`"):
        assert missing(page, text, tmp_path), text
    for text in (
        "see `docs/a.md`",
        "see [x](docs/a.md#top)",
        "[y](https://example.org/x.md)",
        "`a.md`",
        "```\nlibs/x\n```",
    ):
        assert not missing(page, text, tmp_path), text

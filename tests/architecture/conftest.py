"""What the architecture rules look at: every file of the checkout that is, or could be, committed."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file; a negative test makes its own."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def distribution(self) -> str:
        """``libs/mesh``, ``services/dossier-api``, ``sandbox``, ``deploy/local``, or the top folder."""
        parts = self.path.parts
        if parts[0] == "services" and "sandbox" in parts[2:3]:
            return "/".join(parts[:3])  # a connector's own sandbox: a distribution of its own, which never ships
        return "/".join(parts[:2]) if parts[0] in ("libs", "services", "deploy") else parts[0]

    @property
    def ships(self) -> bool:
        """Whether it is part of a package: neither a test nor a tool of the checkout."""
        return self.distribution not in ("tests", "bench", "conftest.py") and "tests" not in self.path.parts

    def imports(self) -> set[str]:
        """Return every module it imports by full name; relative ones are its own package's."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        return found


class Checkout:
    """The files under check."""

    def __init__(self) -> None:
        self.root = ROOT
        self.files = sorted(path for path in map(PurePosixPath, _files()) if (ROOT / path).is_file())

    def texts(self, *suffixes: str) -> list[tuple[PurePosixPath, str]]:
        """Return path and text of every readable file, or of those with one of ``suffixes``."""
        found = []
        for path in self.files:
            if not suffixes or path.suffix in suffixes:
                data = (ROOT / path).read_bytes()
                if b"\0" not in data[:8000]:
                    found.append((path, data.decode("utf-8", "replace")))
        return found

    @cached_property
    def sources(self) -> list[Source]:
        return [Source(path, text) for path, text in self.texts(".py")]

    @cached_property
    def shipped(self) -> list[Source]:
        found = [source for source in self.sources if source.ships]
        assert len(found) > 50, "the rules look at nothing"
        return found


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return listed.stdout.splitlines()
    return [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts)
    ]


@pytest.fixture(scope="session")
def checkout() -> Checkout:
    return Checkout()


@pytest.fixture(scope="session")
def source() -> type[Source]:
    """Make a file for a negative test: ``source(PurePosixPath(...), "text")``."""
    return Source

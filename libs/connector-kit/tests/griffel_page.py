"""The connector of docs/adding-a-connector.md, written out: importing this makes ``connector_griffel`` importable."""

import atexit
import re
import shutil
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "adding-a-connector.md"
TESTS = "connector_griffel_tests"
"""The page's folder ``tests``, under a name that no other package has."""
_BLOCK = re.compile(r"^### (?P<path>\S+)\n+```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def files_of(page: str) -> dict[str, str]:
    """Return the text of each file that the page shows, by path."""
    return {match["path"].replace("\\_", "_"): match["text"] for match in _BLOCK.finditer(page)}


def write_out(files: dict[str, str], folder: Path) -> None:
    """Write the files into ``folder``."""
    for path, text in files.items():
        target = folder / path.replace("tests/", f"{TESTS}/", 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    (folder / TESTS / "__init__.py").touch()


FILES = files_of(PAGE.read_text("utf-8"))
FOLDER = Path(tempfile.mkdtemp(prefix="koppel-griffel-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
write_out(FILES, FOLDER)
sys.path.insert(0, str(FOLDER))

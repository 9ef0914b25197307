"""docs/adding-a-connector.md runs: the connector it builds keeps every promise of the conformance suite."""

# mypy: disable-error-code="import-not-found"

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from pydantic import ValidationError

from .griffel_page import FILES, FOLDER, TESTS

if TYPE_CHECKING:
    from koppel_connector.testing import ConnectorConformance as TestGriffelConformance
else:
    TestGriffelConformance = import_module(f"{TESTS}.test_conformance").TestGriffelConformance

__all__ = ["TestGriffelConformance"]


def test_its_entry_point_is_the_service() -> None:
    (place,) = tomllib.loads(FILES["pyproject.toml"])["project"]["entry-points"]["koppel.services"].values()
    module, _, attribute = place.partition(":")
    service: Any = getattr(import_module(module), attribute)
    assert service.name == "connector-griffel"


def test_its_project_builds(tmp_path: Path) -> None:
    """As ``make`` installs a connector; offline, for the builder is in the environment."""
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*build, "-w", str(tmp_path), str(FOLDER)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    package = {path for path in FILES if path.startswith("connector_griffel/")}
    assert package >= {"connector_griffel/service.py", "connector_griffel/py.typed"}
    assert package <= set(ZipFile(wheel).namelist())


def test_on_a_laptop_it_calls_no_live_vendor() -> None:
    module: Any = import_module("connector_griffel.settings")
    needed = {"database_url": "postgresql://127.0.0.1/x", "amqp_url": "amqp://127.0.0.1"}
    with pytest.raises(ValidationError, match="KOPPEL_GRIFFEL_BASE_URL is not set"):
        module.GriffelServiceSettings(**needed)


def test_a_connector_takes_about_150_lines() -> None:
    """An afternoon's work: what is written for Griffel alone, without imports, docstrings, blanks and tests."""
    code = "\n".join(text for path, text in FILES.items() if path.startswith("connector_griffel/"))
    assert 100 < len(_meaning(code)) < 200


def _meaning(code: str) -> list[str]:
    lines = [line.strip() for line in code.splitlines()]
    return [line for line in lines if line and not line.startswith(('"""', "#", "from ", "import "))]

"""docs/adding-a-connector.md runs: the connector it builds keeps every promise of the conformance suite."""

# mypy: disable-error-code="import-not-found"

import tomllib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .griffel_page import FILES, TESTS

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


def test_a_connector_takes_about_150_lines() -> None:
    """An afternoon's work: what is written for Griffel alone, without imports, docstrings, blanks and tests."""
    code = "\n".join(text for path, text in FILES.items() if path.startswith("connector_griffel/"))
    assert 100 < len(_meaning(code)) < 200


def _meaning(code: str) -> list[str]:
    lines = [line.strip() for line in code.splitlines()]
    return [line for line in lines if line and not line.startswith(('"""', "#", "from ", "import "))]

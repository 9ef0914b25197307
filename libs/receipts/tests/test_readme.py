"""The README's examples run."""

import doctest
from decimal import Decimal
from pathlib import Path

FOLDER = Path(__file__).parents[1]


def test_examples() -> None:
    names = {"data": (FOLDER / "tests/samples/bakery-three-days.ndjson").read_bytes(), "Decimal": Decimal}
    text = (FOLDER / "README.md").read_text().replace("```python", "").replace("```", "")
    parsed = doctest.DocTestParser().get_doctest(text, names, "README", "README.md", 0)
    result = doctest.DocTestRunner().run(parsed)
    assert (result.attempted, result.failed) == (6, 0)

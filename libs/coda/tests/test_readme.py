"""The README's examples run."""

import doctest
from datetime import date
from decimal import Decimal
from pathlib import Path

from .samples import sample

README = Path(__file__).parents[1] / "README.md"


def test_examples() -> None:
    names = {"data": sample("bakery-two-days.cod"), "date": date, "Decimal": Decimal}
    text = README.read_text().replace("```python", "").replace("```", "")
    parsed = doctest.DocTestParser().get_doctest(text, names, "README", "README.md", 0)
    result = doctest.DocTestRunner().run(parsed)
    assert result.attempted >= 15
    assert result.failed == 0

"""The README's examples run."""

import doctest
from datetime import date
from decimal import Decimal
from pathlib import Path

from .pdfs import sample


def test_examples() -> None:
    names = {"data": sample("be-01-invoice-ogm-pdf"), "date": date, "Decimal": Decimal}
    text = (Path(__file__).parents[1] / "README.md").read_text().replace("```python", "").replace("```", "")
    parser = doctest.DocTestParser().get_doctest(text, names, "README", "README.md", 0)
    result = doctest.DocTestRunner().run(parser)
    assert result.attempted >= 8
    assert result.failed == 0

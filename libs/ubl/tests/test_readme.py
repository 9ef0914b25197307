"""The README's examples run."""

import doctest
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent


def test_examples() -> None:
    data = (HERE / "samples/valid/own__be-01-invoice-ogm-pdf.xml").read_bytes()
    names = {"data": data, "date": date, "Decimal": Decimal, "replace": replace}
    text = (HERE.parent / "README.md").read_text().replace("```python", "").replace("```", "")
    parser = doctest.DocTestParser().get_doctest(text, names, "README", "README.md", 0)
    result = doctest.DocTestRunner().run(parser)
    assert result.attempted >= 15
    assert result.failed == 0

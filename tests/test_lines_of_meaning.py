"""``make bench`` counts what a connector's author had to think out, and nothing else."""

from bench.lines import count, lines_of_meaning

from koppel_mesh.service import installed_services

MODULE = '''"""A docstring
over two lines."""

import os
from x import (
    y,
)

# a comment
TABLE = {
    "a": Kind("a", blocks=True),
    "b": [1, -2, name.attribute],
}
COMPUTED = {
    name: name.upper()
    for name in TABLE
    if name
}
ONE = 1


class A:
    """A docstring."""

    field: int = 1
    """What the field means."""

    def f(self) -> str:
        # why
        text = """a text
        that is code"""

        return text  # how
'''


def test_imports_docstrings_comments_and_tables_do_not_count() -> None:
    assert lines_of_meaning(MODULE) == len(
        ["COMPUTED", "name: ", "for", "if", "}", "ONE", "class", "field", "def", "text =", "that", "return"]
    )


def test_every_connector_is_counted() -> None:
    counted = count()
    assert counted["connector-exact"] > 100
    assert set(counted) == {name for name, each in installed_services().items() if each.kind == "connector"}

"""The problems of Exact, each brought about and solved as its text says (``test_solvable_problems.py``)."""

import pytest

from koppel_sandbox.walks import Walk

from .problem_walker import REFERENCE, Walker, cases


@pytest.mark.parametrize(("connector", "code", "walk"), cases(REFERENCE))
def test_what_a_problem_asks_solves_it(walker: Walker, connector: str, code: str, walk: Walk) -> None:
    walker.end(connector, code, walk)

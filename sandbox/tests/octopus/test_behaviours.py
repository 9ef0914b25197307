"""Each of the 44 behaviours of octopus §5 has a test named by its number."""

import re
from pathlib import Path

BEHAVIOURS = range(1, 45)


def test_no_behaviour_is_left_out() -> None:
    texts = [path.read_text() for path in Path(__file__).parent.glob("test_*.py")]
    tested = {int(number) for text in texts for number in re.findall(r"^def test_(\d+)_", text, re.MULTILINE)}
    assert tested == set(BEHAVIOURS)

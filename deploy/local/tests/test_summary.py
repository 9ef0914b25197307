"""The last line of the demo: what is booked, and since when."""

from pathlib import Path

from koppel_local.cli import summary
from koppel_local.sending import Sending

BOOKED = Sending(Path("a.xml"), state="booked", booked_at_s=108.26)
EARLIER = Sending(Path("b.xml"), state="booked")
BLOCKED = Sending(Path("c.xml"), state="blocked")
STATEMENT = Sending(Path("d.cod"), state="filed", is_statement=True)


def test_it_says_when_the_first_was_booked() -> None:
    told = summary([BOOKED, EARLIER, BLOCKED, STATEMENT], 100.0)
    assert told == "2 of 3 documents are booked, the first seen 8.3 s after the start; 1 statements are filed."


def test_it_says_that_an_earlier_run_booked_them() -> None:
    told = summary([EARLIER, BLOCKED], 100.0)
    assert told == "1 of 2 documents are booked, all of them by an earlier run; 0 statements are filed."


def test_it_says_that_none_is_booked() -> None:
    assert summary([BLOCKED, STATEMENT], 100.0) == "0 of 1 documents are booked; 1 statements are filed."
